import asyncio
import errno
import os
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest
from blake3 import blake3

from common import files, folders, layout, queries, trash
from common.db import Connection, Pool
from common.stages import LeaseLost, Reject, Stage, Wait
from gateway.queries import uploads
from ingest.handlers import Ingest
from ingest.housekeeping import Housekeeping
from tests.support.given import Repository, User
from tests.support.placing import PHOTO, originals, place_all, staged, staging
from tests.support.recorder import Crash, Recorder
from tests.support.rows import ask, claim, do, expire
from tests.support.waiting import until

HOUR = 3600


async def test_a_staged_upload_gets_its_place_and_its_row(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """After placing, the original lies under its own name, staging is empty, rendering is due, and it was announced."""
    await staged(pool, repository, user, name="Ferien.jpg")

    await ingest.place(await claim(pool, Stage.PLACE))

    assert originals(repository) == {"Ferien.jpg": PHOTO}
    assert staging(repository) == []
    assert await ask(pool, "select stage, state from asset_stages order by 1") == [
        ("place", "done"),
        ("render", "pending"),
    ]
    assert await ask(pool, "select subject from outbox") == ["lumilio.asset.stored.photo"]
    assert await ask(pool, "select state from uploads") == ["stored"]


async def test_the_order_on_disk_and_in_the_database(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, recorder: Recorder
) -> None:
    """Link, then sync the folder, then the manifest line, then the commit; the staged name goes last."""
    upload = await staged(pool, repository, user)
    claimed = await claim(pool, Stage.PLACE)
    recorder.clear()

    await ingest.place(claimed)

    linked = recorder.calls.index(f"link {upload.staged_name} p.jpg")
    last_commit = len(recorder.calls) - 1 - recorder.calls[::-1].index("commit")
    between = recorder.calls[linked:last_commit]
    month = next(Path(os.fsdecode(repository.root), "inbox").rglob("p.jpg")).parent.name
    assert between[1] == f"fsync {month}"
    assert any(call.endswith(".jsonl") for call in between)
    assert recorder.calls.index(f"unlink {upload.staged_name}") > last_commit


async def test_placing_twice_has_one_effect(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """A paused worker that wakes up after another one finished changes nothing."""
    await staged(pool, repository, user)
    stale = await claim(pool, Stage.PLACE)
    await expire(pool)
    newer = await claim(pool, Stage.PLACE)

    await ingest.place(newer)
    with pytest.raises((LeaseLost, Reject)):
        await ingest.place(stale)

    assert originals(repository) == {"p.jpg": PHOTO}
    assert await ask(pool, "select count(*) from outbox") == [1]


@pytest.mark.parametrize("calls", range(1, 14))
async def test_a_crash_after_any_step_is_finished_by_the_next_claim(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None, recorder: Recorder, calls: int
) -> None:
    """Whatever was done before the crash is recognised as ours and not done a second time."""
    await staged(pool, repository, user)
    claimed = await claim(pool, Stage.PLACE)
    recorder.clear()
    recorder.crash_after = calls
    with pytest.raises(Crash):
        await ingest.place(claimed)
    recorder.crash_after = None

    await expire(pool)
    await place_all(pool, ingest)
    await Housekeeping(pool, 1, HOUR).clean()

    assert originals(repository) == {"p.jpg": PHOTO}
    assert staging(repository) == []


@pytest.mark.parametrize("calls", range(6, 12))
async def test_a_crash_where_placing_moves_is_finished_too(
    pool: Pool,
    repository: Repository,
    user: User,
    ingest: Ingest,
    sound: None,
    monkeypatch: pytest.MonkeyPatch,
    recorder: Recorder,
    calls: int,
) -> None:
    """Without hard links the bytes leave staging when they are placed; the next claim finds them at their place."""

    def no_links(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    await staged(pool, repository, user)
    claimed = await claim(pool, Stage.PLACE)
    monkeypatch.setattr(os, "link", no_links)
    recorder.clear()
    recorder.crash_after = calls
    with pytest.raises(Crash):
        await ingest.place(claimed)
    recorder.crash_after = None

    await expire(pool)
    await place_all(pool, ingest)

    assert originals(repository) == {"p.jpg": PHOTO}


async def test_two_photos_of_one_name_are_both_kept(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """A camera that starts counting again costs nobody a picture."""
    first = await staged(pool, repository, user, PHOTO + b"1", "IMG_0001.JPG")
    second = await staged(pool, repository, user, PHOTO + b"2", "IMG_0001.JPG")

    await place_all(pool, ingest)

    assert originals(repository) == {
        "IMG_0001.JPG": first.content,
        f"IMG_0001_{second.staged_name[:8]}.JPG": second.content,
    }


async def test_a_duplicate_upload_keeps_the_old_original(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """The same bytes again are checked and dropped; nothing is announced twice."""
    first = await staged(pool, repository, user)
    await place_all(pool, ingest)
    second = await staged(pool, repository, user, name="copy.jpg")

    await place_all(pool, ingest)

    assert first.asset_id == second.asset_id
    assert originals(repository) == {"p.jpg": PHOTO}
    assert staging(repository) == []
    assert await ask(pool, "select state from uploads order by upload_id") == ["stored", "duplicate"]
    assert await ask(pool, "select count(*) from outbox where subject like '%stored%'") == [1]


@pytest.mark.parametrize("damage", ["gone", "shorter", "rotten"])
async def test_a_duplicate_upload_repairs_a_lost_original(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, damage: str
) -> None:
    """When the stored bytes are missing or wrong, the new ones take their part."""
    await staged(pool, repository, user)
    await place_all(pool, ingest)
    original = next(Path(os.fsdecode(repository.root), "inbox").rglob("p.jpg"))
    if damage == "gone":
        original.unlink()
    else:
        original.chmod(0o600)
        original.write_bytes(PHOTO[:-1] if damage == "shorter" else PHOTO[:-1] + b"?")
        async with pool.connection() as conn:
            await conn.execute("update file_records set verified_at = now() - interval '2 days'")

    await staged(pool, repository, user, name="again.jpg")
    await place_all(pool, ingest)

    assert originals(repository)["again.jpg"] == PHOTO
    assert await ask(pool, "select state from file_records order by 1") == [
        "missing" if damage == "gone" else "corrupt",
        "present",
    ]
    assert await ask(pool, "select count(*) from outbox where subject = 'lumilio.file.corrupted'") == [damage != "gone"]


async def test_an_upload_during_placing_is_not_missed(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None, recorder: Recorder
) -> None:
    """Bytes that are staged between a worker's look and its settle are settled by the next claim."""
    first = await staged(pool, repository, user)
    claimed = await claim(pool, Stage.PLACE)
    second = written(repository, PHOTO)

    async with pool.connection() as conn:
        asset = await uploads.lock_known(conn, owner=user.user_id, content_hash=blake3(PHOTO).digest())
        assert asset == first.asset_id
        placing = asyncio.create_task(ingest.place(claimed))
        await until(lambda: any(call.startswith("link ") for call in recorder.calls))
        await save(conn, repository, user, asset, second)
    await placing
    await place_all(pool, ingest)

    assert staging(repository) == []
    assert await ask(pool, "select state from uploads order by upload_id") == ["stored", "duplicate"]


def written(repository: Repository, content: bytes) -> str:
    name = f"{uuid4()}.part"
    with open(files.create(repository.root, layout.staged(name)), "wb") as file:
        file.write(content)
    return name


async def save(conn: Connection, repository: Repository, user: User, asset: UUID, staged_name: str) -> None:
    """What the gateway does once it holds the stage of a known asset."""
    await uploads.save_upload(
        conn,
        owner=user.user_id,
        repository=repository.repository_id,
        asset=asset,
        staged_name=staged_name,
        file_name="meanwhile.jpg",
        size=len(PHOTO),
    )
    await queries.reopen(conn, asset, Stage.PLACE)


async def test_an_absent_repository_is_waited_for(
    pool: Pool, repository: Repository, user: User, ingest: Ingest
) -> None:
    """Without its marker a root is an outage: nothing is placed, nothing is counted, nothing is cleaned."""
    upload = await staged(pool, repository, user)
    marker = Path(os.fsdecode(repository.root), ".lumiliorepo")
    marker.rename(marker.with_name("aside"))

    with pytest.raises(Wait):
        await ingest.place(await claim(pool, Stage.PLACE))
    await Housekeeping(pool, 1, 0).clean()

    assert staging(repository) == [upload.staged_name.encode()]


async def test_the_manifest_tells_what_lies_where(
    pool: Pool, repository: Repository, user: User, ingest: Ingest
) -> None:
    """The catalogue could be rebuilt from the disk alone."""
    upload = await staged(pool, repository, user, name="Zürich.jpg")

    await ingest.place(await claim(pool, Stage.PLACE))

    (manifest,) = folders.list_names(repository.root, layout.MANIFESTS)
    with open(files.open_original(repository.root, layout.MANIFESTS + b"/" + manifest), "rb") as file:
        (line,) = [msgspec.json.decode(text) for text in file.read().splitlines() if text]
    assert line["asset"] == str(upload.asset_id)
    assert line["owner"] == user.user_id
    assert line["path"].endswith("/Z%C3%BCrich.jpg")
    assert line["size"] == len(PHOTO)


async def test_the_same_photo_of_another_owner_is_not_taken_for_ours(
    pool: Pool, repository: Repository, user: User, ingest: Ingest
) -> None:
    """Lost bytes are not found again at a path that belongs to somebody else; sending them again heals it."""
    await staged(pool, repository, user)
    await place_all(pool, ingest)
    await do(pool, "insert into users (username, email, password_hash) values ('berta', 'b@localhost', '')")
    (berta,) = await ask(pool, "select user_id from users where username = 'berta'")
    other = User(berta, "berta", "")
    lost = await staged(pool, repository, other)
    files.forget(repository.root, layout.staged(lost.staged_name))

    with pytest.raises(Reject):
        await ingest.place(await claim(pool, Stage.PLACE))
    await do(
        pool,
        "update asset_stages set state = 'failed', next_at = null, lease_until = null, error = 'lost'"
        " where state = 'running'",
    )
    again = await staged(pool, repository, other)
    await place_all(pool, ingest)

    assert originals(repository) == {"p.jpg": PHOTO, f"p_{again.staged_name[:8]}.jpg": PHOTO}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["full", "failing"])
async def test_a_disk_that_takes_nothing_is_waited_for(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """An evening with a full disk costs a photo none of its attempts."""
    await staged(pool, repository, user)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)

    with pytest.raises(Wait, match=os.strerror(number)):
        await ingest.place(await claim(pool, Stage.PLACE))


async def test_a_duplicate_upload_repairs_what_cannot_be_read(
    pool: Pool, repository: Repository, user: User, ingest: Ingest
) -> None:
    """Something else than a file under the original's name counts as a damaged original."""
    await staged(pool, repository, user)
    await place_all(pool, ingest)
    original = next(Path(os.fsdecode(repository.root), "inbox").rglob("p.jpg"))
    original.unlink()
    original.mkdir()

    again = await staged(pool, repository, user)
    await place_all(pool, ingest)

    assert originals(repository) == {f"p_{again.staged_name[:8]}.jpg": PHOTO}


async def test_a_repair_renders_again_what_had_failed(
    pool: Pool, repository: Repository, user: User, ingest: Ingest
) -> None:
    """A rendering that failed on damaged bytes gets its chance on the good ones."""
    await staged(pool, repository, user)
    await place_all(pool, ingest)
    await do(pool, "update asset_stages set state = 'failed', next_at = null, error = 'damaged' where stage = 'render'")
    next(Path(os.fsdecode(repository.root), "inbox").rglob("p.jpg")).unlink()

    await staged(pool, repository, user)
    await place_all(pool, ingest)

    assert await ask(pool, "select state from asset_stages where stage = 'render'") == ["pending"]


async def test_a_path_that_is_recorded_is_taken_even_when_nothing_lies_there(
    pool: Pool, repository: Repository, user: User, ingest: Ingest
) -> None:
    """The name of a photo that somebody removed from the inbox is not given to another photo."""
    await staged(pool, repository, user)
    await place_all(pool, ingest)
    next(Path(os.fsdecode(repository.root), "inbox").rglob("p.jpg")).unlink()

    other = await staged(pool, repository, user, PHOTO + b" of something else")
    await place_all(pool, ingest)

    assert originals(repository) == {f"p_{other.staged_name[:8]}.jpg": other.content}


async def test_a_duplicate_upload_repairs_an_original_that_was_changed_today(
    pool: Pool, repository: Repository, user: User, ingest: Ingest
) -> None:
    """A file that was touched since it was read counts as unread, however lately that was."""
    await staged(pool, repository, user)
    await place_all(pool, ingest)
    original = next(Path(os.fsdecode(repository.root), "inbox").rglob("p.jpg"))
    original.chmod(0o600)
    original.write_bytes(PHOTO[:-1] + b"?")

    again = await staged(pool, repository, user)
    await place_all(pool, ingest)

    assert originals(repository)[f"p_{again.staged_name[:8]}.jpg"] == PHOTO


async def test_a_name_that_an_interrupted_run_gave_is_kept(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """A better name that has become free since is not given as well: every original has one name."""
    first = await staged(pool, repository, user)
    await place_all(pool, ingest)
    (taken,) = await ask(pool, "select path from file_records")
    async with pool.connection() as conn:
        await trash.put(conn, first.asset_id, owner=user.user_id)
    await place_all(pool, ingest)
    second = await staged(pool, repository, user, PHOTO + b" of something else")
    given = taken.replace(b"p.jpg", b"p_%s.jpg" % second.staged_name.replace("-", "")[:8].encode())
    os.link(os.path.join(repository.root, layout.staged(second.staged_name)), os.path.join(repository.root, given))

    await place_all(pool, ingest)

    assert originals(repository) == {os.path.basename(given).decode(): second.content}
