"""The trash is a wish that the place stage makes true on the disk, whatever crashes in between."""

import asyncio
import fcntl
import os
import stat
import threading
from itertools import count
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from common import layout, trash
from common.db import Pool
from common.stages import LeaseLost, Stage
from ingest.handlers import Ingest
from ingest.housekeeping import Housekeeping
from tests.support.given import Repository, User
from tests.support.placing import PHOTO, keep, originals, paths, place_all, staged, staging
from tests.support.recorder import Crash, Recorder
from tests.support.rows import ask, claim, do, expire, row
from tests.support.waiting import until


@pytest.fixture
async def stored(pool: Pool, repository: Repository, user: User, ingest: Ingest) -> UUID:
    """A photo of anna's in the inbox."""
    keep(repository, strategy="flat")
    upload = await staged(pool, repository, user)
    await place_all(pool, ingest)
    return upload.asset_id


async def throw(pool: Pool, user: User, asset: UUID) -> None:
    async with pool.connection() as conn:
        await trash.put(conn, asset, owner=user.user_id)


async def take_back(pool: Pool, user: User, asset: UUID) -> None:
    async with pool.connection() as conn:
        await trash.take_back(conn, asset, owner=user.user_id)


def trashed(repository: Repository) -> dict[str, bytes]:
    """What lies in the trash, without the notes."""
    return {path: content for path, content in paths(repository, layout.TRASH).items() if not path.endswith(".json")}


async def test_a_trashed_original_lies_in_the_trash_with_a_note(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, stored: UUID, sound: None
) -> None:
    """The inbox is free of it, its record knows both paths, and the note says to people what it is."""
    await throw(pool, user, stored)

    await place_all(pool, ingest)

    assert originals(repository) == {}
    assert trashed(repository) == {f"{stored}_p.jpg": PHOTO}
    note = msgspec.json.decode(paths(repository, layout.TRASH)[f"{stored}_p.jpg.json"])
    assert note | {"deleted_at": ""} == {
        "deleted_at": "",
        "reason": "trashed by its owner",
        "original_path": "inbox/p.jpg",
        "asset_id": str(stored),
        "user_id": user.user_id,
    }
    assert await ask(pool, "select path, trashed_from, state from file_records") == [
        (layout.TRASH + f"/{stored}_p.jpg".encode(), b"inbox/p.jpg", "present")
    ]


async def test_what_is_taken_back_lies_where_it_was(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, stored: UUID, sound: None
) -> None:
    """The same name, the same bytes, the same file: nothing was written, and no note is left."""
    before = inode(repository, "inbox/p.jpg")
    await throw(pool, user, stored)
    await place_all(pool, ingest)
    await take_back(pool, user, stored)

    await place_all(pool, ingest)

    assert paths(repository) == {"p.jpg": PHOTO}
    assert paths(repository, layout.TRASH) == {}
    assert inode(repository, "inbox/p.jpg") == before
    assert await ask(pool, "select path, trashed_from from file_records") == [(b"inbox/p.jpg", None)]


async def test_a_name_that_was_given_away_is_not_taken_back(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, stored: UUID, sound: None
) -> None:
    """Another photo has it meanwhile; both are kept."""
    await throw(pool, user, stored)
    await place_all(pool, ingest)
    other = await staged(pool, repository, user, PHOTO + b" of something else")
    await place_all(pool, ingest)
    await take_back(pool, user, stored)

    await place_all(pool, ingest)

    assert paths(repository) == {"p.jpg": other.content, f"p_{stored.hex[:8]}.jpg": PHOTO}
    assert paths(repository, layout.TRASH) == {}


async def test_a_crash_after_any_durable_step_is_finished_by_the_next_claim(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, stored: UUID, recorder: Recorder, sound: None
) -> None:
    """Wherever it stopped, the next look at the disk ends with one copy where the asset belongs, and no other trace."""
    for calls in count(1):
        await throw(pool, user, stored)
        went_in = await finishes(pool, ingest, recorder, calls)
        await place_all(pool, ingest)
        assert is_in_trash(repository, stored), calls

        await take_back(pool, user, stored)
        came_out = await finishes(pool, ingest, recorder, calls)
        await place_all(pool, ingest)
        assert is_in_inbox(repository), calls

        if went_in and came_out:
            break
    assert calls > 10
    await Housekeeping(pool, 1, abandoned_seconds=0).clean()  # notes that were begun and never finished


async def test_a_change_of_mind_after_any_durable_step_is_honoured(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, stored: UUID, recorder: Recorder, sound: None
) -> None:
    """A crash on the way into the trash and a wish to have it back, or the other way round, cost nothing."""
    for calls in count(1):
        await throw(pool, user, stored)
        went_in = await finishes(pool, ingest, recorder, calls)
        await take_back(pool, user, stored)
        await place_all(pool, ingest)
        assert is_in_inbox(repository), calls

        await throw(pool, user, stored)
        await place_all(pool, ingest)
        await take_back(pool, user, stored)
        came_out = await finishes(pool, ingest, recorder, calls)
        await throw(pool, user, stored)
        await place_all(pool, ingest)
        assert is_in_trash(repository, stored), calls

        await take_back(pool, user, stored)
        await place_all(pool, ingest)
        if went_in and came_out:
            break
    assert calls > 10
    await Housekeeping(pool, 1, abandoned_seconds=0).clean()  # notes that were begun and never finished


async def test_a_change_of_mind_during_the_move_is_seen_before_it_settles(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, stored: UUID, recorder: Recorder, sound: None
) -> None:
    """A worker that throws the file away while its owner takes it back is followed by one that brings it back."""
    await throw(pool, user, stored)
    moving = asyncio.create_task(ingest.place(await claim(pool, Stage.PLACE)))
    await until(lambda: f"link p.jpg {stored}_p.jpg" in recorder.calls)
    await take_back(pool, user, stored)

    await moving
    await place_all(pool, ingest)

    assert is_in_inbox(repository)


class Paused:
    """The first who is about to move a file stops there until told to go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.go = threading.Event(), threading.Event()
        original = fcntl.flock

        def flock(descriptor: int, operation: int) -> None:
            if not self.reached.is_set():
                self.reached.set()
                self.go.wait(10)
            original(descriptor, operation)

        monkeypatch.setattr(fcntl, "flock", flock)


@pytest.mark.parametrize("is_cancelled", [False, True], ids=["fenced", "cancelled"])
async def test_a_paused_worker_with_an_old_wish_costs_no_bytes(
    pool: Pool,
    repository: Repository,
    user: User,
    ingest: Ingest,
    stored: UUID,
    monkeypatch: pytest.MonkeyPatch,
    sound: None,
    is_cancelled: bool,
) -> None:
    """Whoever lost the lease may move the file once more, and then has it looked at again by somebody who has it."""
    await throw(pool, user, stored)
    paused = Paused(monkeypatch)
    stale = asyncio.create_task(ingest.place(await claim(pool, Stage.PLACE)))
    await until(paused.reached.is_set)
    await take_back(pool, user, stored)
    await expire(pool)
    await place_all(pool, ingest)

    if is_cancelled:
        stale.cancel()
    paused.go.set()
    with pytest.raises(asyncio.CancelledError if is_cancelled else LeaseLost):
        await stale
    assert is_in_trash(repository, stored)
    await place_all(pool, ingest)

    assert is_in_inbox(repository)


async def test_workers_that_want_the_same_do_not_evict_each_other(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, stored: UUID, sound: None
) -> None:
    """Whoever lost the lease leaves the work to its successor when both would have done the same."""
    await throw(pool, user, stored)
    stale = await claim(pool, Stage.PLACE)
    await expire(pool)
    newer = await claim(pool, Stage.PLACE)

    with pytest.raises(LeaseLost):
        await ingest.place(stale)
    await ingest.place(newer)

    assert is_in_trash(repository, stored)
    assert (await row(pool, stored))["state"] == "done"


async def test_a_photo_without_its_file_can_still_be_thrown_away(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, stored: UUID
) -> None:
    """There is nothing to move, and that is no failure."""
    Path(os.fsdecode(repository.root), "inbox/p.jpg").unlink()
    await throw(pool, user, stored)

    await place_all(pool, ingest)

    assert await ask(pool, "select state from file_records") == ["missing"]
    assert (await row(pool, stored))["state"] == "done"


async def test_a_persons_own_folders_are_left_alone(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, stored: UUID, sound: None
) -> None:
    """What the server did not place it does not move, and an upload of the same bytes gets its place all the same."""
    root = Path(os.fsdecode(repository.root))
    (root / "mine").mkdir()
    (root / "inbox/p.jpg").rename(root / "mine/p.jpg")
    await do(pool, "update file_records set path = 'mine/p.jpg'")

    await throw(pool, user, stored)
    await place_all(pool, ingest)
    await take_back(pool, user, stored)
    await staged(pool, repository, user, name="again.jpg")
    await place_all(pool, ingest)

    assert (root / "mine/p.jpg").read_bytes() == PHOTO
    assert paths(repository) == {"again.jpg": PHOTO}
    assert paths(repository, layout.TRASH) == {}


async def test_an_upload_that_waits_is_placed_before_it_is_thrown_away(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """A photo that is thrown away before it had a place gets one, and then the trash."""
    keep(repository, strategy="flat")
    upload = await staged(pool, repository, user)
    await throw(pool, user, upload.asset_id)

    await place_all(pool, ingest)

    assert is_in_trash(repository, upload.asset_id)
    assert staging(repository) == []


async def test_an_original_stays_read_only_and_the_same_through_all_of_it(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, stored: UUID, sound: None
) -> None:
    """In the inbox, in the trash and back: the mode, the times and the bytes do not change."""
    inbox = Path(os.fsdecode(repository.root), "inbox/p.jpg")
    before = inbox.stat()
    await throw(pool, user, stored)
    await place_all(pool, ingest)
    (in_trash,) = (os.stat(os.path.join(repository.root, layout.TRASH, path.encode())) for path in trashed(repository))
    await take_back(pool, user, stored)
    await place_all(pool, ingest)

    for seen in (in_trash, inbox.stat()):
        assert stat.S_IMODE(seen.st_mode) == 0o440
        assert (seen.st_ino, seen.st_mtime_ns, seen.st_size) == (before.st_ino, before.st_mtime_ns, before.st_size)


async def test_what_was_lost_from_the_trash_is_repaired_by_sending_it_again(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, stored: UUID, sound: None
) -> None:
    """The asset comes back with the new bytes; nothing of the trash is left."""
    await throw(pool, user, stored)
    await place_all(pool, ingest)
    os.unlink(os.path.join(repository.root, layout.TRASH, f"{stored}_p.jpg".encode()))

    await take_back(pool, user, stored)
    await staged(pool, repository, user)
    await place_all(pool, ingest)

    assert is_in_inbox(repository)
    assert await ask(pool, "select state from file_records order by state") == ["missing", "present"]


async def test_a_purged_photo_can_be_sent_again(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, stored: UUID
) -> None:
    """The row of an asset that is gone for good stands in nobody's way."""
    await do(pool, "delete from assets")

    again = await staged(pool, repository, user)
    await place_all(pool, ingest)

    assert again.asset_id != stored
    assert paths(repository)[f"p_{again.staged_name[:8]}.jpg"] == PHOTO


async def finishes(pool: Pool, ingest: Ingest, recorder: Recorder, calls: int) -> bool:
    """Place what is due, up to a crash after so many durable calls; False when there was one."""
    claimed = await claim(pool, Stage.PLACE)
    recorder.clear()
    recorder.crash_after = calls
    try:
        await ingest.place(claimed)
    except Crash:
        return False
    finally:
        recorder.crash_after = None
        await expire(pool)
    return True


def is_in_trash(repository: Repository, asset: UUID) -> bool:
    names = set(paths(repository, layout.TRASH))
    is_noted = names == {f"{asset}_p.jpg", f"{asset}_p.jpg.json"}
    return is_noted and not paths(repository) and trashed(repository) == {f"{asset}_p.jpg": PHOTO}


def is_in_inbox(repository: Repository) -> bool:
    return (paths(repository), paths(repository, layout.TRASH)) == ({"p.jpg": PHOTO}, {})


def inode(repository: Repository, path: str) -> int:
    return Path(os.fsdecode(repository.root), path).stat().st_ino
