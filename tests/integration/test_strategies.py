"""How a repository's marker names uploads: strategies, rules for clashes, several owners, and hostile wishes."""

import os
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from uuid import uuid4

import pytest
from blake3 import blake3

from common import files, layout, trash
from common.db import Pool
from common.marker import Clash, Strategy
from common.stages import Stage, Wait
from ingest import place
from ingest.handlers import Ingest
from ingest.queries import Asset, StagedUpload
from tests.support.given import Repository, User
from tests.support.placing import PHOTO, keep, paths, place_all, settle, staged
from tests.support.rows import ask, claim, do, expire

STRATEGIES: tuple[Strategy, ...] = ("date", "flat", "cas")
CLASHES: tuple[Clash, ...] = ("uuid", "rename", "overwrite")
TRAVERSALS = [
    f"{prefix}{climb * depth}{target}"
    for prefix, climb, depth, target in product(
        ("", "/", "C:\\", "inbox/", "\x01"),
        ("../", "..\\", "..%2f", "./../"),
        (1, 9),
        ("etc/passwd", ".lumiliorepo", "x.jpg"),
    )
]
HOSTILE = [
    "a\n-o\n/tmp/x",
    "touch x |",
    "-ver.jpg",
    "--help",
    "$(id).jpg",
    "`id`",
    "\x7f\x01\x1b[31m.jpg",
    "\u202egpj.exe",
    "x" * 300 + ".jpg",
    "é" * 150 + ".jpg",
    "👨‍👩‍👧.jpg",
    "\u00e9.jpg",
    "e\u0301.jpg",
    "A.JPG",
    "a.jpg",
    ".tmp-1",
    "x.part",
    ".part",
    ".trash",
    ".lumilio",
    ".lumiliorepo",
    "CON",
    "nul.jpg",
    "~lock",
    "...",
    "",
    " ",
    "photo.json",
    "p_00000000.jpg",
]


@pytest.fixture
async def berta(pool: Pool, user: User) -> User:
    """Another person."""
    await do(pool, "insert into users (username, email, password_hash) values ('berta', 'b@localhost', '')")
    (number,) = await ask(pool, "select user_id from users where username = 'berta'")
    return User(number, "berta", "")


@pytest.mark.parametrize("clash", CLASHES)
@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_no_two_photos_share_a_path_whatever_the_rules(
    pool: Pool,
    repository: Repository,
    user: User,
    berta: User,
    ingest: Ingest,
    sound: None,
    strategy: Strategy,
    clash: Clash,
) -> None:
    """Two owners, one name, equal and different contents: every byte is there, each asset has its own file."""
    keep(repository, strategy=strategy, clash=clash)
    sent = [
        await staged(pool, repository, owner, PHOTO + number)
        for owner in (user, berta)
        for number in (b"1", b"2", b"3")
    ]

    await settle(pool, ingest)

    found = await ask(pool, "select asset_id, path from file_records where state = 'present'")
    assert {asset for asset, _ in found} == {upload.asset_id for upload in sent}
    assert len({path for _, path in found}) == len(found) == len(sent)
    for asset, path in found:
        assert read(repository, path) == next(upload.content for upload in sent if upload.asset_id == asset)


async def test_dates_are_those_of_the_upload(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """The folder tells when a photo came, by the clock of the server."""
    await staged(pool, repository, user)
    await do(pool, "update uploads set created_at = '2024-03-09 12:00'")

    await place_all(pool, ingest)

    assert set(paths(repository)) == {"2024/03/p.jpg"}


async def test_content_names_a_file_and_its_format_ends_the_name(
    pool: Pool, repository: Repository, user: User, berta: User, ingest: Ingest, sound: None
) -> None:
    """Whatever the client says the file is; an equal file of somebody else gets a name of its own."""
    keep(repository, strategy="cas")
    await staged(pool, repository, user, PHOTO, "wrong.png")
    other = await staged(pool, repository, berta, PHOTO, "wrong.png")

    await place_all(pool, ingest)

    digest = blake3(PHOTO).hexdigest()
    folder = f"{digest[:2]}/{digest[2:4]}/{digest[4:6]}"
    assert set(paths(repository)) == {
        f"{folder}/{digest}.jpg",
        f"{folder}/{digest}_{other.staged_name[:8]}.jpg",
    }


async def test_names_of_ours_tell_nothing_of_the_clients(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """Who does not want file names to be kept finds ids."""
    keep(repository, strategy="flat", names=False)
    upload = await staged(pool, repository, user, PHOTO, "secret plans.png")

    await place_all(pool, ingest)

    assert set(paths(repository)) == {f"{upload.asset_id}.jpg"}


async def test_renaming_numbers_the_next_one(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """As a person would do it."""
    keep(repository, strategy="flat", clash="rename")
    for number in range(3):
        await staged(pool, repository, user, PHOTO + b"%d" % number)

    await place_all(pool, ingest)

    assert set(paths(repository)) == {"p.jpg", "p (1).jpg", "p (2).jpg"}


async def test_overwriting_throws_the_old_photo_away_restorably(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """The new photo has the name, the old one lies in the trash and comes back under another name."""
    keep(repository, strategy="flat", clash="overwrite")
    old = await staged(pool, repository, user, PHOTO + b" that is old")
    await place_all(pool, ingest)
    new = await staged(pool, repository, user, PHOTO + b" that is new")

    await settle(pool, ingest)
    in_trash = paths(repository, layout.TRASH)[f"{old.asset_id}_p.jpg"]
    told = await ask(pool, "select body ->> 'asset_id' from outbox where subject = 'lumilio.asset.trashed'")
    async with pool.connection() as conn:
        await trash.take_back(conn, old.asset_id, owner=user.user_id)
    await settle(pool, ingest)

    assert (in_trash, told) == (old.content, [str(old.asset_id)])
    assert paths(repository) == {"p.jpg": new.content, f"p_{old.asset_id.hex[:8]}.jpg": old.content}


async def test_nobody_overwrites_what_is_somebody_elses(
    pool: Pool, repository: Repository, user: User, berta: User, ingest: Ingest, sound: None
) -> None:
    """A name that another owner has stays theirs."""
    keep(repository, strategy="flat", clash="overwrite")
    hers = await staged(pool, repository, berta, PHOTO + b" of berta")
    await place_all(pool, ingest)
    ours = await staged(pool, repository, user)

    await settle(pool, ingest)

    assert paths(repository) == {"p.jpg": hers.content, f"p_{ours.staged_name[:8]}.jpg": PHOTO}
    assert await ask(pool, "select 1 from assets where trashed_at is not null") == []


async def test_overwriting_waits_for_the_old_photo_to_leave(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """Until then nothing is counted, nothing is placed, and the old photo is thrown away once."""
    keep(repository, strategy="flat", clash="overwrite")
    old = await staged(pool, repository, user, PHOTO + b" that is old")
    await place_all(pool, ingest)
    new = await staged(pool, repository, user, PHOTO + b" that is new")

    claimed = await claim(pool, Stage.PLACE)
    for _ in range(2):
        with pytest.raises(Wait):
            await ingest.place(claimed)

    assert paths(repository) == {"p.jpg": old.content}
    assert await ask(pool, "select count(*) from outbox where subject = 'lumilio.asset.trashed'") == [1]
    await expire(pool)
    await settle(pool, ingest)
    assert paths(repository) == {"p.jpg": new.content}


async def test_what_cannot_leave_is_not_waited_for(
    pool: Pool, repository: Repository, user: User, ingest: Ingest
) -> None:
    """When the old photo's place stage has failed, the new one takes another name."""
    keep(repository, strategy="flat", clash="overwrite")
    old = await staged(pool, repository, user, PHOTO + b" that is old")
    await place_all(pool, ingest)
    await do(pool, "update assets set trashed_at = now()")
    await do(pool, "update asset_stages set state = 'failed', error = 'broken', next_at = null where stage = 'place'")
    new = await staged(pool, repository, user, PHOTO + b" that is new")

    await place_all(pool, ingest)

    assert paths(repository) == {"p.jpg": old.content, f"p_{new.staged_name[:8]}.jpg": new.content}


async def test_a_stray_file_is_never_overwritten(
    pool: Pool, repository: Repository, user: User, ingest: Ingest
) -> None:
    """What somebody put into the inbox behind our back is nobody's asset, and stays."""
    keep(repository, strategy="flat", clash="overwrite")
    stray = Path(os.fsdecode(repository.root), "inbox/p.jpg")
    stray.write_bytes(b"precious")
    upload = await staged(pool, repository, user)

    await place_all(pool, ingest)

    assert paths(repository) == {"p.jpg": b"precious", f"p_{upload.staged_name[:8]}.jpg": PHOTO}


async def test_another_strategy_leaves_what_is_stored(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """The marker says how the next upload is kept."""
    keep(repository, strategy="flat")
    await staged(pool, repository, user, PHOTO + b"1")
    await place_all(pool, ingest)
    keep(repository, strategy="cas")
    await staged(pool, repository, user, PHOTO + b"2")

    await place_all(pool, ingest)

    digest = blake3(PHOTO + b"2").hexdigest()
    assert set(paths(repository)) == {"p.jpg", f"{digest[:2]}/{digest[2:4]}/{digest[4:6]}/{digest}.jpg"}


async def test_hostile_names_cost_no_photo(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """Options, controls, our own names, twins by letters: each photo is in plain sight, none is lost."""
    keep(repository, strategy="flat", clash="rename")
    sent = [
        await staged(pool, repository, user, PHOTO + b"%d" % number, wish)
        for number, wish in enumerate([*HOSTILE, *TRAVERSALS[::10]])
    ]

    await settle(pool, ingest)

    assert sorted(paths(repository).values()) == sorted(upload.content for upload in sent)
    assert not [path for path in paths(repository) if "/" in path or path.startswith((".", "-", "~"))]


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_no_name_leaves_the_inbox(repository: Repository, strategy: Strategy) -> None:
    """A hundred and twenty ways up and out all end inside, and nothing changes around."""
    keep(repository, strategy=strategy)
    around = tree(repository)

    for number, wish in enumerate(TRAVERSALS):
        place_by_hand(repository, number, wish)

    assert len(set(TRAVERSALS)) == len(paths(repository)) == 120
    assert tree(repository) == around


def place_by_hand(repository: Repository, number: int, file_name: str) -> None:
    """Place a file of its own content under a wished name, without any rows."""
    upload = StagedUpload(
        upload_id=number,
        staged_name=f"{uuid4()}.part",
        file_name=file_name,
        created_at=datetime.now(UTC),
        repository_id=repository.repository_id,
        root=repository.root,
    )
    content = PHOTO + b"%d" % number
    with open(files.create(repository.root, layout.staged(upload.staged_name)), "wb") as file:
        file.write(content)
    asset = Asset(
        asset_id=uuid4(),
        owner_id=1,
        kind="photo",
        content_hash=blake3(content).digest(),
        size=len(content),
        mime_type="image/jpeg",
        stored_at=None,
        trashed_at=None,
    )
    place.place_first(asset, [place.wish(asset, upload)], foreign=set(), rivals=set())


def tree(repository: Repository) -> set[str]:
    """What lies in and around the repository."""
    root = Path(os.fsdecode(repository.root))
    return {path.name for folder in (root, root.parent) for path in folder.iterdir()}


def read(repository: Repository, path: bytes) -> bytes:
    return Path(os.fsdecode(repository.root), os.fsdecode(path)).read_bytes()
