import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from common import derived_files, layout, trash
from common.db import Pool
from common.stages import Stage
from ingest.handlers import Ingest
from lumilio import verify as oracle
from lumilio.verify import Ack, verify
from tests.support import playing
from tests.support.given import Repository, User
from tests.support.placing import settle
from tests.support.rows import ask, claim_next, do
from tests.support.staging import stage

PHOTO = b"\xff\xd8\xff a photo"

Damage = Callable[[Path, Path], str]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing moves in these tests, so the second look need not wait."""
    monkeypatch.setattr(oracle, "SECOND_LOOK_SECONDS", 0)


@pytest.fixture
async def placed(pool: Pool, repository: Repository, user: User) -> Path:
    """A photo in its place, and another one that waits in staging."""
    for content in (PHOTO, PHOTO + b" that waits"):
        await stage(
            pool, repository_id=repository.repository_id, root=repository.root, owner=user.user_id, content=content
        )
    claim = await claim_next(pool, Stage.PLACE)
    assert claim is not None
    await Ingest(pool).place(claim)
    return next(Path(os.fsdecode(repository.root), "inbox").rglob("*.jpg"))


async def wrong(database_url: str, *acks: Ack) -> set[str]:
    """The numbers of the invariants that do not hold."""
    said: list[str] = []
    sound = await verify(database_url, acks=acks, say=said.append)
    numbers = {line.split()[1] for line in said if line.startswith("WRONG")}
    assert sound == (not numbers)
    return numbers


async def test_a_sound_system_has_nothing_wrong(database_url: str, placed: Path) -> None:
    """No false alarm."""
    assert await wrong(database_url) == set()


async def test_a_repository_that_is_away_is_named(
    database_url: str, repository: Repository, placed: Path, tmp_path: Path
) -> None:
    """Of whatever is missing then, people hear why: no disk, or an empty folder where it was mounted."""
    said: list[str] = []
    os.rename(repository.root, tmp_path / "elsewhere")

    await verify(database_url, say=said.append)
    os.mkdir(repository.root)
    is_sound = await verify(database_url, say=said.append)

    told = [line for line in said if "away, with all that lies in it" in line]
    assert ["its folder is gone" in line for line in told] == [True, False]
    assert "its folder has no .lumiliorepo; is its disk mounted?" in told[1]
    assert not is_sound
    assert sum(line.startswith("WRONG I17") for line in said) == 2


def vanish(original: Path, _: Path) -> str:
    original.unlink()
    return "I2"


def rot(original: Path, _: Path) -> str:
    status = original.stat()
    original.chmod(0o600)
    original.write_bytes(PHOTO[:-1] + b"?")
    os.utime(original, ns=(status.st_atime_ns, status.st_mtime_ns))
    return "I2"


def lose_a_staged_upload(_: Path, staging: Path) -> str:
    next(staging.iterdir()).unlink()
    return "I3"


def change_a_staged_upload(_: Path, staging: Path) -> str:
    next(staging.iterdir()).write_bytes(PHOTO)
    return "I3"


def add_to_the_inbox(original: Path, _: Path) -> str:
    original.with_name("stray.jpg").write_bytes(PHOTO)
    return "I4"


def leave_in_staging(_: Path, staging: Path) -> str:
    (staging / f"{uuid4()}.part").write_bytes(PHOTO)
    return "I5"


def replace_by_a_folder(original: Path, _: Path) -> str:
    original.unlink()
    original.mkdir()
    return "I2"


def touch(original: Path, _: Path) -> str:
    os.utime(original)
    return "I11"


@pytest.mark.parametrize(
    "damage",
    [
        vanish,
        rot,
        lose_a_staged_upload,
        change_a_staged_upload,
        add_to_the_inbox,
        leave_in_staging,
        replace_by_a_folder,
        touch,
    ],
    ids=lambda damage: damage.__name__,
)
async def test_each_damage_on_disk_is_found(
    database_url: str, repository: Repository, placed: Path, damage: Damage
) -> None:
    """Whatever happens to a file breaks just the promise that covers it."""
    expected = damage(placed, Path(os.fsdecode(repository.root), ".lumilio/staging/incoming"))

    assert await wrong(database_url) == {expected}


async def test_a_sidecar_without_its_photo_is_named_itself(database_url: str, placed: Path) -> None:
    """Who is told of a sidecar finds it under that name, be it a file or a link."""
    placed.with_name("gone.jpg.xmp").write_bytes(b"<x/>")
    placed.with_name("link.jpg.xmp").symlink_to("/nowhere")
    placed.with_name("stray.jpg").write_bytes(PHOTO)
    said: list[str] = []

    await verify(database_url, say=said.append)

    told = sorted(line.rpartition("/")[2] for line in said if "inbox/" in line)
    assert told == [
        "gone.jpg.xmp is a sidecar, and its photo is not there",
        "link.jpg.xmp is a sidecar, and its photo is not there",
        "stray.jpg has no record",
    ]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("delete from file_records", {"I2", "I4"}),
        (
            "update asset_stages set state = 'running', next_at = now(), lease_until = now() - interval '2 min'",
            {"I6"},
        ),
        ("update outbox set created_at = now() - interval '2 min'", {"I7"}),
        ("update asset_stages set state = 'failed', next_at = null, error = 'unannounced'", {"I10"}),
    ],
    ids=["records lost", "dead worker", "silent relay", "unannounced failure"],
)
async def test_each_damage_in_the_record_is_found(
    database_url: str, placed: Path, pool: Pool, statement: str, expected: set[str]
) -> None:
    """Rows that lie about the disk, or that nobody works on, are told."""
    await do(pool, statement)

    assert await wrong(database_url) == expected


@pytest.fixture
async def set_aside(pool: Pool, repository: Repository, placed: Path, user: User, ingest: Ingest) -> Path:
    """The trash of a repository where one photo was thrown away, and one upload has failed; both with their notes."""
    root = Path(os.fsdecode(repository.root))
    next((root / ".lumilio/staging/incoming").iterdir()).write_bytes(PHOTO)
    async with pool.connection() as conn:
        ((asset_id,),) = await (
            await conn.execute("select asset_id from assets where stored_at is not null")
        ).fetchall()
        await trash.put(conn, asset_id, owner=user.user_id)
    await settle(pool, ingest)
    return root / ".lumilio/trash"


async def test_trash_and_failures_are_sound(database_url: str, set_aside: Path) -> None:
    """What was thrown away or could not be kept is no damage."""
    assert len(list(set_aside.iterdir())) == 2

    assert await wrong(database_url) == set()


def lose_from_the_trash(bin_: Path) -> set[str]:
    next(path for path in bin_.iterdir() if path.suffix != ".json").unlink()
    return {"I2", "I13"}


def lose_a_note(bin_: Path) -> set[str]:
    next(bin_.glob("*.json")).unlink()
    return {"I13"}


def add_to_the_trash(bin_: Path) -> set[str]:
    (bin_ / "stray.jpg").write_bytes(PHOTO)
    return {"I4", "I13"}


def set_something_aside(bin_: Path) -> set[str]:
    (bin_.parent / "staging/failed/stray.part").write_bytes(PHOTO)
    return {"I14"}


def lose_a_reason(bin_: Path) -> set[str]:
    next((bin_.parent / "staging/failed").glob("*.json")).unlink()
    return {"I14"}


@pytest.mark.parametrize(
    "damage",
    [lose_from_the_trash, lose_a_note, add_to_the_trash, set_something_aside, lose_a_reason],
    ids=lambda damage: damage.__name__,
)
async def test_each_damage_to_trash_and_failures_is_found(
    database_url: str, set_aside: Path, damage: Callable[[Path], set[str]]
) -> None:
    """Nothing lies there that nobody can explain, and nothing leaves unseen."""
    expected = damage(set_aside)

    assert await wrong(database_url) == expected


async def test_a_trashed_original_in_the_inbox_is_found(database_url: str, pool: Pool, placed: Path) -> None:
    """Once the work is done, what was thrown away has left the inbox."""
    await do(pool, "update assets set trashed_at = now()")

    assert await wrong(database_url) == {"I13"}


async def test_a_wanted_original_in_the_trash_is_found(database_url: str, pool: Pool, set_aside: Path) -> None:
    """Once the work is done, what was taken back has left the trash."""
    await do(pool, "update assets set trashed_at = null")

    assert await wrong(database_url) == {"I13"}


async def test_an_acknowledgement_without_its_asset_is_found(database_url: str, placed: Path) -> None:
    """What a client was told is compared with what the server has."""
    assert await wrong(database_url, Ack(asset_id=uuid4(), content_hash="00" * 32)) == {"I1"}


async def test_an_acknowledgement_of_other_bytes_is_found(database_url: str, placed: Path, pool: Pool) -> None:
    """The asset alone does not count: its content must be the one that was acknowledged."""
    async with pool.connection() as conn:
        ((asset_id,),) = await (await conn.execute("select asset_id from assets limit 1")).fetchall()

    assert await wrong(database_url, Ack(asset_id=asset_id, content_hash="00" * 32)) == {"I1"}


async def test_a_changed_thumbnail_is_found(
    database_url: str, repository: Repository, placed: Path, pool: Pool
) -> None:
    """Derived files are compared with their rows too."""
    path = layout.THUMBNAILS + b"/small/t.webp"
    derived_files.write(repository.root, path, b"other bytes")
    async with pool.connection() as conn:
        await conn.execute(
            """
            insert into thumbnails (asset_id, size, repository_id, path, mime_type, width, height, bytes, hash)
            select asset_id, 'small', %s, %s, 'image/webp', 1, 1, 1, %s from assets limit 1
            """,
            (repository.repository_id, path, bytes(32)),
        )

    assert await wrong(database_url) == {"I12"}


async def test_a_version_in_the_making_is_no_alarm(
    database_url: str, pool: Pool, repository: Repository, placed: Path
) -> None:
    """What is written for hours has no name that counts, and no row; once it has both, its bytes are compared."""
    (asset,) = await ask(pool, "select asset_id from assets join file_records using (asset_id)")
    path = layout.derived(layout.WEB_VIDEOS, bytes(32), 1, 2, ".mp4")

    with derived_files.making(repository.root, path) as (writing, _):
        os.write(writing, b"half of a film")
        assert await wrong(database_url) == set()

    made = await playing.keep(pool, repository, asset, "web", b"a film")
    assert await wrong(database_url) == set()
    made.write_bytes(b"a shot")
    assert await wrong(database_url) == {"I12"}
