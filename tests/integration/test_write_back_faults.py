"""A power cut, a full disk, or a worker that slept: a sidecar is whole, and says the newest in the end."""

import os
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest

from common.db import Connection, Pool
from common.edits import Edits
from common.stages import LeaseLost, Stage, Wait
from ingest.handlers import Ingest
from processor import sidecar_queries
from processor.metadata import xmp
from processor.sandbox import Sandbox
from processor.sidecar_queries import Edited
from processor.write_back import WriteBack
from tests.support import photos, volumes
from tests.support.given import Repository, User, new_repository
from tests.support.placing import keep, paths, place_all, staged
from tests.support.recorder import Recorder
from tests.support.rows import claim, expire, row
from tests.support.saying import edit

MEGABYTES = 4


@pytest.fixture
def writer(pool: Pool, box: Sandbox) -> WriteBack:
    return WriteBack(pool, box)


async def photo_of(pool: Pool, repository: Repository, user: User) -> UUID:
    """A photo that has its place, `p.jpg`."""
    keep(repository, strategy="flat")
    upload = await staged(pool, repository, user, photos.jpeg(80, 60))
    await place_all(pool, Ingest(pool))
    return upload.asset_id


def rating(repository: Repository) -> int | None:
    """What the sidecar says, which is the only file beside the photo."""
    found = paths(repository)
    assert sorted(found) == ["p.jpg", "p.jpg.xmp"]
    return xmp.read(found["p.jpg.xmp"])[0].rating


@pytest.mark.parametrize("is_new", [True, False])
async def test_the_order_of_writing(
    pool: Pool, repository: Repository, user: User, writer: WriteBack, recorder: Recorder, is_new: bool
) -> None:
    """The bytes are synced, then they get their name, then the folder is synced, and then it is settled."""
    photo = await photo_of(pool, repository, user)
    if not is_new:
        await edit(pool, user, photo, Edits(rating=1))
        await writer.write(await claim(pool, Stage.SIDECAR))
    await edit(pool, user, photo, Edits(rating=2))
    claimed = await claim(pool, Stage.SIDECAR)
    recorder.clear()

    await writer.write(claimed)

    (synced,) = (call for call in recorder.calls if call.startswith("fsync ."))
    hidden = synced.removeprefix("fsync ")
    named = f"link {hidden} p.jpg.xmp" if is_new else f"rename {hidden} p.jpg.xmp"
    at = [recorder.calls.index(call) for call in (synced, named, "fsync inbox")]
    assert at == sorted(at)
    assert "commit" in recorder.calls[at[-1] :]
    assert rating(repository) == 2


@pytest.mark.parametrize("asked", [1, 2])
async def test_a_worker_that_slept_cannot_write_what_is_no_longer_said(
    pool: Pool, repository: Repository, user: User, writer: WriteBack, monkeypatch: pytest.MonkeyPatch, asked: int
) -> None:
    """It knew the older edit, and wakes when the newer one is written: the newer one stays."""
    photo = await photo_of(pool, repository, user)
    await edit(pool, user, photo, Edits(rating=1))
    stale = await claim(pool, Stage.SIDECAR)
    sleepy(pool, user, photo, writer, monkeypatch, asked)

    with pytest.raises((LeaseLost, Wait)):
        await writer.write(stale)

    assert rating(repository) == 2


async def test_a_worker_that_slept_has_others_look_again(
    pool: Pool, repository: Repository, user: User, writer: WriteBack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing was to be written meanwhile, nothing kept it from writing: somebody puts it right."""
    photo = await photo_of(pool, repository, user)
    await edit(pool, user, photo, Edits(rating=2))
    await writer.write(await claim(pool, Stage.SIDECAR))
    await edit(pool, user, photo, Edits(rating=1))
    stale = await claim(pool, Stage.SIDECAR)
    sleepy(pool, user, photo, writer, monkeypatch, 2)

    with pytest.raises(LeaseLost):
        await writer.write(stale)
    await writer.write(await claim(pool, Stage.SIDECAR))

    assert rating(repository) == 2


def sleepy(pool: Pool, user: User, photo: UUID, writer: WriteBack, monkeypatch: pytest.MonkeyPatch, asked: int) -> None:
    """The next worker sleeps once it has asked so often what is said; meanwhile two stars are said, and written."""
    find, turns = sidecar_queries.find_edited, count(1)

    async def find_and_sleep(conn: Connection, asset_id: UUID) -> Edited | None:
        found = await find(conn, asset_id)
        if next(turns) == asked:
            await expire(pool)
            await edit(pool, user, photo, Edits(rating=2))
            await writer.write(await claim(pool, Stage.SIDECAR))
        return found

    monkeypatch.setattr(sidecar_queries, "find_edited", find_and_sleep)


async def test_a_full_disk_is_waited_for(pool: Pool, user: User, writer: WriteBack, tmp_path: Path) -> None:
    """The old sidecar stays as it was, nothing is left lying about, nothing is counted; with room it is written."""
    with volumes.mounted(tmp_path / "disk", megabytes=MEGABYTES) as disk:
        repository = await new_repository(pool, bytes(disk.path / "repository"))
        photo = await photo_of(pool, repository, user)
        await edit(pool, user, photo, Edits(rating=1))
        await writer.write(await claim(pool, Stage.SIDECAR))
        disk.fill()
        await edit(pool, user, photo, Edits(rating=2))

        with pytest.raises(Wait, match="No space left"):
            await writer.write(await claim(pool, Stage.SIDECAR))
        assert rating(repository) == 1

        disk.clear()
        await expire(pool)
        await writer.write(await claim(pool, Stage.SIDECAR))
        assert rating(repository) == 2
        assert not [name for name in os.listdir(disk.path / "repository/inbox") if name.endswith(".tmp")]
        assert (await row(pool, photo, "sidecar"))["failures"] == 0
