"""What was thrown away goes for good: exactly the files that were meant, once, whatever crashes or comes in between."""

import asyncio
import os
import stat
from contextlib import suppress
from itertools import count
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from blake3 import blake3
from hypothesis import HealthCheck, settings
from hypothesis import given as given_values
from hypothesis import strategies as st
from nats.aio.client import Client

from common import derived_files, files, layout, trash
from common.bus import Bus
from common.db import Pool
from common.outbox import Relay
from common.stages import LeaseLost, Stage, Wait
from common.trash import Going
from ingest.found import Registrar
from ingest.handlers import Ingest
from ingest.housekeeping import Housekeeping
from ingest.purge import MOVED, READ_ONLY, REFUSED, Purge
from tests.support import placing
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.placing import PHOTO, keep, paths, place_all, staged, staging
from tests.support.purging import purge_all, throw, told, wish, work_off
from tests.support.recorder import Crash, Recorder
from tests.support.rows import ask, claim, do, expire, row


@pytest.fixture
async def stored(pool: Pool, repository: Repository, user: User, ingest: Ingest) -> UUID:
    """A photo of anna's in the inbox."""
    keep(repository, strategy="flat")
    upload = await staged(pool, repository, user)
    await place_all(pool, ingest)
    return upload.asset_id


@pytest.fixture
async def thrown(pool: Pool, user: User, stored: UUID) -> UUID:
    """The same in the trash."""
    await throw(pool, user, stored)
    return stored


async def take_back(pool: Pool, user: User, asset: UUID) -> None:
    async with pool.connection() as conn:
        await trash.take_back(conn, asset, owner=user.user_id)


async def send(pool: Pool, repository: Repository, user: User, content: bytes = PHOTO) -> None:
    """Send bytes as the gateway takes them in: known ones come back from the trash, whatever becomes of their files."""
    known = await ask(pool, f"select asset_id from assets where content_hash = '\\x{blake3(content).hexdigest()}'")
    if known:
        async with pool.connection() as conn:
            await trash.take_back(conn, known[0], owner=user.user_id, brings_bytes=True)
    await staged(pool, repository, user, content)


def at(repository: Repository, path: str) -> Path:
    return Path(os.fsdecode(repository.root), path)


def everything(repository: Repository) -> list[str]:
    """All files of people and of their photos; what tells of the past stays."""
    found = paths(repository, b"")
    return [path for path in found if not path.startswith((".lumiliorepo", ".lumilio/manifests"))]


async def adopt(pool: Pool, repository: Repository, asset: UUID, path: str, content: bytes = PHOTO) -> int:
    """A file in a person's own folders that is one more of an asset."""
    at(repository, path).parent.mkdir(exist_ok=True)
    at(repository, path).write_bytes(content)
    await do(
        pool,
        f"""
        insert into file_records (repository_id, path, display_name, asset_id, size, modified_ns, inode)
        values ('{repository.repository_id}', '{path}', 'p', '{asset}', 1, 1, 1)
        """,
    )
    return int((await ask(pool, f"select file_record_id from file_records where path = '{path}'"))[0])


async def test_a_purged_photo_is_gone_with_all_that_was_of_it(
    pool: Pool, repository: Repository, user: User, thrown: UUID, sound: None
) -> None:
    """Its file, its note, its sidecar, what was made of it and its rows; everybody hears of it once."""
    made = b".lumilio/assets/thumbnails/small/aa/x.webp"
    derived_files.write(repository.root, made, b"small")
    at(repository, f".lumilio/trash/{thrown}_p.jpg.xmp").write_bytes(b"<x/>")
    await do(
        pool,
        f"""
        insert into thumbnails (asset_id, size, repository_id, path, mime_type, width, height, bytes, hash)
        values ('{thrown}', 'small', '{repository.repository_id}', '{made.decode()}', 'image/webp', 1, 1, 5,
                '\\x{blake3(b"small").hexdigest()}')
        """,
    )
    await wish(pool, thrown, by=user.user_id)

    await purge_all(pool)
    await purge_all(pool)

    assert everything(repository) == []
    for table in ("assets", "file_records", "uploads", "thumbnails", "asset_stages", "purges", "intents"):
        assert await ask(pool, f"select 1 from {table}") == [], table
    assert await told(pool, "lumilio.purge.requested") == await told(pool) == 1


async def test_a_purged_photo_can_be_sent_again(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, thrown: UUID, sound: None
) -> None:
    """It is a new one, under its own name."""
    await wish(pool, thrown)
    await purge_all(pool)

    again = await staged(pool, repository, user)
    await place_all(pool, ingest)

    assert again.asset_id != thrown
    assert paths(repository) == {"p.jpg": PHOTO}


async def test_only_what_lies_in_the_trash_goes(pool: Pool, repository: Repository, stored: UUID, sound: None) -> None:
    """A wish for anything else is none."""
    assert await wish(pool, stored) == 0

    await purge_all(pool)

    assert paths(repository) == {"p.jpg": PHOTO}


async def test_a_purge_waits_for_the_files_to_lie_where_they_go_from(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, stored: UUID, sound: None
) -> None:
    """Thrown away and purged in one breath: what was listed in the inbox goes from the trash."""
    async with pool.connection() as conn:
        await trash.put(conn, stored, owner=user.user_id)
        await trash.purge(conn, [stored], asked_by=user.user_id, why="asked")
    with pytest.raises(Wait, match="still being moved"):
        await Purge(pool).purge(await claim(pool, Stage.PURGE))

    await place_all(pool, ingest)
    await expire(pool)
    await purge_all(pool)

    assert everything(repository) == []
    assert await ask(pool, "select 1 from assets") == []


async def test_a_wish_that_did_not_begin_is_called_off(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, thrown: UUID, sound: None
) -> None:
    """Taken back in time, all is as it was, and the next time it is thrown away it stays until somebody asks."""
    await wish(pool, thrown)
    await take_back(pool, user, thrown)

    await purge_all(pool)
    await place_all(pool, ingest)
    assert paths(repository) == {"p.jpg": PHOTO}
    await throw(pool, user, thrown)
    await purge_all(pool)

    assert list(paths(repository, layout.TRASH)) != []
    assert await told(pool) == 0


async def test_what_began_is_not_taken_back(pool: Pool, user: User, thrown: UUID) -> None:
    """A promise that could not be kept is not made."""
    await wish(pool, thrown)
    await claim(pool, Stage.PURGE)
    await do(pool, "update purges set began_at = now()")

    with pytest.raises(Going, match="is being purged"):
        await take_back(pool, user, thrown)

    assert await ask(pool, "select trashed_at is not null from assets") == [True]


async def test_what_is_sent_while_its_file_goes_is_placed_after_that(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, thrown: UUID, sound: None
) -> None:
    """A file that is there still says nothing, for it may be gone the moment after."""
    await wish(pool, thrown)
    purging = await claim(pool, Stage.PURGE)
    await do(pool, "update purges set began_at = now()")
    await send(pool, repository, user)

    with pytest.raises(Wait, match="is being purged"):
        await ingest.place(await claim(pool, Stage.PLACE))
    await expire(pool)
    await purge_all(pool)
    with pytest.raises(LeaseLost):
        await Purge(pool).purge(purging)
    await place_all(pool, ingest)

    assert paths(repository) == {"p.jpg": PHOTO}
    assert await told(pool) == 0


async def test_the_same_bytes_sent_while_they_are_purged_are_kept(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, recorder: Recorder, thrown: UUID, sound: None
) -> None:
    """Wherever the purge is, what was acknowledged has a file in the end."""
    for calls in count(1):
        await throw(pool, user, *(await ask(pool, "select asset_id from assets")))
        await wish(pool, *(await ask(pool, "select asset_id from assets")))
        was_whole = await finishes(pool, recorder, calls)

        await send(pool, repository, user)
        await purge_all(pool)
        await place_all(pool, ingest)
        await purge_all(pool)

        assert list(paths(repository).values()) == [PHOTO], calls
        assert staging(repository) == []
        assert await ask(pool, "select trashed_at from assets") == [None]
        if was_whole:
            break
    assert calls > 5


async def test_a_crash_after_any_durable_step_is_finished_by_the_next_claim(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, recorder: Recorder, stored: UUID, sound: None
) -> None:
    """Wherever it stopped, the photo is gone in the end, and everybody hears of it once."""
    for calls in count(1):
        (asset,) = await ask(pool, "select asset_id from assets")
        await throw(pool, user, asset)
        await wish(pool, asset)
        was_whole = await finishes(pool, recorder, calls)
        await purge_all(pool)

        assert everything(repository) == [], calls
        assert await ask(pool, "select 1 from assets union all select 1 from file_records") == []
        assert await told(pool) == calls
        if was_whole:
            break
        await staged(pool, repository, user)
        await place_all(pool, ingest)
    assert calls > 5


async def test_a_persons_own_file_goes_with_the_purge_and_not_before(
    pool: Pool, repository: Repository, user: User, stored: UUID, sound: None
) -> None:
    """It stays where it is in the trash; what lies beside it is the person's and stays for good."""
    await adopt(pool, repository, stored, "mine/own.jpg")
    at(repository, "mine/own.jpg.xmp").write_bytes(b"<mine/>")
    await throw(pool, user, stored)
    assert at(repository, "mine/own.jpg").read_bytes() == PHOTO
    await wish(pool, stored)

    await purge_all(pool)

    assert everything(repository) == ["mine/own.jpg.xmp"]
    assert await ask(pool, "select 1 from assets") == []


async def test_a_persons_file_that_changed_is_somebody_new(
    pool: Pool, repository: Repository, user: User, stored: UUID
) -> None:
    """Nothing is removed that was not thrown away: the file is to be read again, the rest of the photo goes."""
    record = await adopt(pool, repository, stored, "mine/own.jpg", b"edited meanwhile")
    await throw(pool, user, stored)
    await do(pool, f"update file_records set state = 'present' where file_record_id = {record}")
    await wish(pool, stored)

    await purge_all(pool)

    assert everything(repository) == ["mine/own.jpg"]
    assert at(repository, "mine/own.jpg").read_bytes() == b"edited meanwhile"
    assert await ask(pool, "select asset_id, state, content_hash, read_after is not null from file_records") == [
        (None, "found", None, True)
    ]
    assert await ask(pool, "select 1 from assets") == []


async def test_other_bytes_in_the_trash_stay_there(pool: Pool, repository: Repository, thrown: UUID) -> None:
    """What a disk or a person made of a file in the trash is for people to look at, with its note."""
    path = at(repository, f".lumilio/trash/{thrown}_p.jpg")
    path.chmod(0o600)
    path.write_bytes(b"rotten")
    await wish(pool, thrown)

    await purge_all(pool)

    assert sorted(paths(repository, layout.TRASH)) == [f"{thrown}_p.jpg", f"{thrown}_p.jpg.json"]
    assert await ask(pool, "select asset_id, state, read_after from file_records") == [(None, "other", None)]
    assert await ask(pool, "select 1 from assets") == []


@pytest.mark.parametrize("trick", ["link", "folder", "pipe", "link of a folder"])
async def test_what_is_no_file_stays(
    pool: Pool, repository: Repository, user: User, stored: UUID, tmp_path: Path, trick: str
) -> None:
    """Nothing follows a link to what was not meant, and nothing waits for a pipe."""
    await adopt(pool, repository, stored, "mine/own.jpg")
    await throw(pool, user, stored)
    await wish(pool, stored)
    outside, own = tmp_path / "outside", at(repository, "mine/own.jpg")
    outside.mkdir()
    (outside / "own.jpg").write_bytes(PHOTO)
    own.unlink()
    if trick == "link":
        own.symlink_to(outside / "own.jpg")
    elif trick == "folder":
        own.mkdir()
    elif trick == "pipe":
        os.mkfifo(own)
    else:
        own.parent.rmdir()
        own.parent.symlink_to(outside)
    before = stat.S_IFMT(own.lstat().st_mode)

    await purge_all(pool)

    assert (outside / "own.jpg").read_bytes() == PHOTO
    assert stat.S_IFMT(own.lstat().st_mode) == before
    assert await ask(pool, "select asset_id, state from file_records") == [(None, "found")]


async def test_a_file_that_was_moved_keeps_its_asset(
    pool: Pool, repository: Repository, user: User, stored: UUID
) -> None:
    """Its record tells of another path than was listed: it stays, the asset with it, and people are told."""
    record = await adopt(pool, repository, stored, "mine/own.jpg")
    await throw(pool, user, stored)
    await wish(pool, stored)
    at(repository, "mine/own.jpg").rename(at(repository, "mine/other.jpg"))
    await do(pool, f"update file_records set path = 'mine/other.jpg' where file_record_id = {record}")

    assert await work_off(pool) == [f"failed: {MOVED}"]

    assert everything(repository) == ["mine/other.jpg"]
    assert await ask(pool, "select file_record_id, asset_id from file_records") == [(record, stored)]
    await take_back(pool, user, stored)
    await throw(pool, user, stored)
    await wish(pool, stored)
    assert await work_off(pool) == ["done"]
    assert everything(repository) == []


async def test_a_disk_that_is_away_is_waited_for(pool: Pool, repository: Repository, thrown: UUID, sound: None) -> None:
    """An outage is no deletion: nothing is counted, nothing forgotten, and the purge goes on when it is back."""
    root, away = Path(os.fsdecode(repository.root)), Path(os.fsdecode(repository.root) + ".away")
    await wish(pool, thrown)
    root.rename(away)
    root.mkdir()

    (outcome,) = await work_off(pool)

    assert outcome.startswith("again in 300 s: the repository is not there")
    assert (await row(pool, thrown, Stage.PURGE))["failures"] == 0
    root.rmdir()
    away.rename(root)
    await do(pool, "update asset_stages set next_at = now() where stage = 'purge'")
    assert await work_off(pool) == ["done"]


async def test_what_is_only_read_is_not_purged(
    pool: Pool, repository: Repository, user: User, thrown: UUID, tmp_path: Path
) -> None:
    """A person is told, nothing of it goes, it can be taken back, and its time in the trash never ends."""
    await do(
        pool,
        f"""
        with other as (
            insert into repositories (name, root, private_root, state)
            values ('archive', '{tmp_path}/archive', '{tmp_path}/private', 'readonly') returning repository_id
        )
        insert into file_records (repository_id, path, display_name, asset_id, size, modified_ns, inode)
        select repository_id, 'a.jpg', 'a', '{thrown}', 1, 1, 1 from other
        """,
    )
    await wish(pool, thrown, by=user.user_id)

    assert await work_off(pool) == [f"failed: {READ_ONLY}"]

    assert len(paths(repository, layout.TRASH)) == 2
    await do(pool, "update assets set trashed_at = now() - interval '1 year'")
    await do(pool, "update asset_stages set changed_at = now() - interval '1 year'")
    await Housekeeping(pool, 1, abandoned_seconds=1).clean()
    assert (await row(pool, thrown, Stage.PURGE))["state"] == "failed"
    await take_back(pool, user, thrown)


async def test_a_folder_that_refuses_is_told(
    pool: Pool, repository: Repository, user: User, stored: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be removed stays an asset in the trash, which can be taken back."""
    await adopt(pool, repository, stored, "mine/own.jpg")
    await throw(pool, user, stored)
    await wish(pool, stored)
    unlink = os.unlink

    def refuse(path: bytes, **options: int) -> None:
        if path == b"own.jpg":
            raise PermissionError
        unlink(path, **options)

    monkeypatch.setattr(os, "unlink", refuse)

    outcomes = await work_off(pool)

    assert outcomes == [f"failed: {REFUSED}"]
    assert await ask(pool, "select path from file_records") == [b"mine/own.jpg"]
    await take_back(pool, user, stored)


async def test_what_lies_in_the_trash_for_too_long_goes(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, thrown: UUID, sound: None
) -> None:
    """By the database's clock, after as many days as are set, and never when that is zero."""
    other = await staged(pool, repository, user, PHOTO + b" of today", "q.jpg")
    await place_all(pool, ingest)
    await throw(pool, user, other.asset_id)
    await do(pool, f"update assets set trashed_at = now() - interval '31 days' where asset_id = '{thrown}'")

    await Housekeeping(pool, 1, abandoned_seconds=1, trash_days=0).clean()
    await Housekeeping(pool, 1, abandoned_seconds=1, trash_days=32).clean()
    assert await ask(pool, "select 1 from purges") == []
    for _ in range(2):
        await Housekeeping(pool, 1, abandoned_seconds=1, trash_days=30).clean()

    assert await ask(pool, "select asset_id, reason, asked_by from purges") == [(thrown, "expired", None)]
    await purge_all(pool)
    assert await ask(pool, "select asset_id from assets") == [other.asset_id]
    assert await told(pool, "lumilio.purge.requested") == 1


async def test_a_file_that_is_held_is_waited_for(pool: Pool, repository: Repository, thrown: UUID, sound: None) -> None:
    """Whoever moves it at this moment ends first."""
    await wish(pool, thrown)
    with files.held(repository.root, layout.TRASH + f"/{thrown}_p.jpg".encode()):
        (outcome,) = await work_off(pool)

    assert outcome.startswith("again in")
    await do(pool, "update asset_stages set next_at = now() where stage = 'purge'")
    assert await work_off(pool) == ["done"]


async def test_a_stale_purge_removes_nothing(pool: Pool, repository: Repository, user: User, thrown: UUID) -> None:
    """Whoever lost the lease ends without a trace, and the newer one does the work."""
    await wish(pool, thrown)
    stale = await claim(pool, Stage.PURGE)
    await expire(pool)
    newer = await claim(pool, Stage.PURGE)

    with pytest.raises(LeaseLost):
        await Purge(pool).purge(stale)
    assert len(paths(repository, layout.TRASH)) == 2
    await Purge(pool).purge(newer)

    assert everything(repository) == []


TRICKS = {
    "listed record": "update intents set file_record_id = file_record_id + 1000",
    "listed path": "update intents set path = 'mine/listed.jpg'",
    "listed bytes": "update intents set content_hash = sha256('x')",
    "listed repository": "update intents set repository_id = (select repository_id from other)",
    "path of the record": "update file_records set path = 'mine/moved.jpg'",
    "asset of the record": "update file_records set asset_id = (select asset_id from other)",
    "repository of the record": "update file_records set repository_id = (select repository_id from other)",
    "bytes of the asset": "update assets set content_hash = sha256('y') where trashed_at is not null",
    "bytes": None,
    "another file": None,
}


async def test_nothing_goes_unless_record_path_and_bytes_are_what_was_listed(
    pool: Pool, repository: Repository, user: User
) -> None:
    """Whatever is another than was listed stays, whichever of them somebody changed, and what was listed goes."""
    await do(
        pool,
        f"""
        create table other as
        with repository as (
            insert into repositories (name, root) values ('other', '{os.fsdecode(repository.root)}.other')
            returning repository_id
        ), asset as (
            insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename)
            values ({user.user_id}, sha256('z'), 1, 'photo', 'image/jpeg', 'z')
            returning asset_id
        )
        select repository_id, asset_id from repository, asset
        """,
    )
    loop, numbers = asyncio.get_running_loop(), count()

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given_values(st.sets(st.sampled_from(sorted(TRICKS)), max_size=3))
    def check(tricks: set[str]) -> None:
        asyncio.run_coroutine_threadsafe(_tricked(pool, repository, user, tricks, next(numbers)), loop).result()

    await asyncio.to_thread(check)


async def _tricked(pool: Pool, repository: Repository, user: User, tricks: set[str], number: int) -> None:
    for table in ("purges", "file_records", "uploads", "assets where asset_id not in (select asset_id from other)"):
        await do(pool, f"delete from {table}")
    content = PHOTO + b"%d" % number
    upload = await staged(pool, repository, user, content, f"{number}.jpg")
    await do(pool, "update uploads set state = 'duplicate', settled_at = now()")
    await do(pool, "update asset_stages set state = 'done', next_at = null where stage = 'place'")
    await adopt(pool, repository, upload.asset_id, "mine/own.jpg", content)
    await do(pool, f"update assets set trashed_at = now() where asset_id = '{upload.asset_id}'")
    await wish(pool, upload.asset_id)
    own = at(repository, "mine/own.jpg")
    for trick in sorted(tricks):
        if statement := TRICKS[trick]:
            await do(pool, statement)
        elif trick == "bytes":
            own.write_bytes(b"other")
        else:
            own.unlink()
            own.write_bytes(b"another")
    content = own.read_bytes()

    await work_off(pool)

    assert own.exists() == bool(tricks), tricks
    assert not tricks or own.read_bytes() == content


async def test_uploads_and_purges_of_the_same_photos_at_once_lose_nothing(
    api: Api, pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """However placing and purging meet, whoever sent a photo last has it."""
    keep(repository, strategy="flat")
    contents = [PHOTO + b"%d" % number for number in range(8)]

    async def send_all() -> None:
        for content in contents:
            await api.uploaded(content)

    await send_all()
    await place_all(pool, ingest)
    for _ in range(4):
        assets = await ask(pool, "select asset_id from assets")
        await throw(pool, user, *assets)
        await wish(pool, *assets)

        await asyncio.gather(send_all(), placing.settle(pool, ingest), work_off(pool), work_off(pool))
        await do(pool, "update asset_stages set next_at = now() where stage = 'purge' and next_at is not null")
        await work_off(pool)
        await placing.settle(pool, ingest)

        assert sorted(paths(repository).values()) == sorted(contents)
        assert await ask(pool, "select trashed_at from assets") == [None] * len(contents)


async def find(pool: Pool, repository: Repository, user: User, content: bytes, path: str) -> None:
    """A file in a person's own folders that was read and waits to be registered."""
    at(repository, path).parent.mkdir(exist_ok=True)
    at(repository, path).write_bytes(content)
    seen = files.see(repository.root, path.encode())
    assert seen is not None
    await do(pool, f"update repositories set owner_id = {user.user_id}")
    await do(
        pool,
        f"""
        insert into file_records (repository_id, path, display_name, size, modified_ns, inode, state, content_hash,
                                  mime_type)
        values ('{repository.repository_id}', '{path}', 'p', {seen.size}, {seen.modified_ns}, {seen.inode}, 'found',
                '\\x{blake3(content).hexdigest()}', 'image/jpeg')
        """,
    )


async def test_files_that_are_found_while_their_photos_are_purged_stay(
    pool: Pool, repository: Repository, user: User, ingest: Ingest
) -> None:
    """What was not listed is not removed, whenever it is registered, and belongs to a photo in the end."""
    bus = Bus(client := Client(), client.jetstream())
    registrar = Registrar(pool, bus, Relay(pool, bus, 60), 60)
    contents = [PHOTO + b"%d" % number for number in range(12)]
    assets = [(await staged(pool, repository, user, content)).asset_id for content in contents]
    await place_all(pool, ingest)
    await throw(pool, user, *assets)
    await wish(pool, *assets)

    async def find_all() -> None:
        for number, content in enumerate(contents):
            await find(pool, repository, user, content, f"mine/{number}.jpg")
            with suppress(psycopg.Error):  # which it tries again in a second
                await registrar.register()

    await asyncio.gather(find_all(), work_off(pool), work_off(pool))
    while await registrar.register():
        pass

    assert sorted(paths(repository, b"mine").values()) == sorted(contents)
    owned = "select path from file_records join assets using (asset_id) where substring(path from 1 for 5) = 'mine/'"
    assert len(await ask(pool, owned)) == 12


async def finishes(pool: Pool, recorder: Recorder, calls: int) -> bool:
    """Purge what is due, up to a crash after so many durable calls; False when there was one."""
    claimed = await claim(pool, Stage.PURGE)
    recorder.clear()
    recorder.crash_after = calls
    try:
        await Purge(pool).purge(claimed)
    except Crash:
        return False
    finally:
        recorder.crash_after = None
        await expire(pool)
    return True
