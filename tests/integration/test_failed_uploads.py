"""Staged bytes that are not what was acknowledged are kept apart, with their reason, for a month."""

import os
from pathlib import Path

import msgspec
import pytest

from common import files, layout
from common import queries as core
from common.db import Pool
from common.stages import Reject, Stage
from ingest import handlers, leftovers
from ingest.handlers import Ingest
from ingest.housekeeping import Housekeeping
from tests.support.given import Repository, User
from tests.support.placing import PHOTO, originals, paths, settle, staged, staging
from tests.support.recorder import Crash, Recorder
from tests.support.rows import ask, claim, expire, row
from tests.support.staging import Staged

HOUR = 3600
MONTH = 30 * 24 * HOUR


async def test_bytes_that_changed_in_staging_are_set_aside_with_their_reason(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """What was acknowledged is what is placed, or a person is told, and what is there is kept for them."""
    upload = await staged(pool, repository, user, name="Ferien.jpg")
    damage(repository, upload)

    await settle(pool, ingest)

    assert (originals(repository), staging(repository)) == ({}, [])
    kept = paths(repository, layout.FAILED)
    note = msgspec.json.decode(kept.pop(f"{upload.staged_name}.json"))
    assert kept == {upload.staged_name: PHOTO + b"!"}
    assert note | {"failed_at": ""} == {
        "reason": handlers.LOST,
        "file_name": "Ferien.jpg",
        "owner": user.user_id,
        "asset": str(upload.asset_id),
        "upload": upload.upload_id,
        "failed_at": "",
    }
    assert await ask(pool, "select state, error from uploads") == [("failed", handlers.LOST)]
    assert (await row(pool, upload.asset_id))["error"] == handlers.LOST
    assert await ask(pool, "select subject from outbox") == ["lumilio.stage.failed"]


async def test_a_failed_upload_can_be_sent_again(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """Good bytes get their place; the bad ones stay set aside."""
    failed = await staged(pool, repository, user)
    damage(repository, failed)
    await settle(pool, ingest)

    await staged(pool, repository, user)
    await settle(pool, ingest)

    assert originals(repository) == {"p.jpg": PHOTO}
    assert await ask(pool, "select state from uploads order by upload_id") == ["failed", "stored"]
    assert await ask(pool, "select state from asset_stages order by stage") == ["done", "pending"]


async def test_one_good_upload_of_several_is_enough(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """Each upload of a content has its own end: set aside, stored, dropped."""
    damage(repository, await staged(pool, repository, user))
    for _ in range(2):
        await staged(pool, repository, user)

    await settle(pool, ingest)

    assert originals(repository) == {"p.jpg": PHOTO}
    assert await ask(pool, "select state from uploads order by upload_id") == ["failed", "stored", "duplicate"]
    assert await ask(pool, "select state from asset_stages where stage = 'place'") == ["done"]


async def test_a_crash_while_bytes_are_set_aside_is_finished_by_the_next_claim(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, recorder: Recorder, sound: None
) -> None:
    """After any durable step the bytes and their note lie where they belong, once."""
    for calls in range(1, 12):
        upload = await staged(pool, repository, user, PHOTO + b"%d" % calls)
        damage(repository, upload)
        claimed = await claim(pool, Stage.PLACE)
        recorder.clear()
        recorder.crash_after = calls
        with pytest.raises((Crash, Reject)):
            await ingest.place(claimed)
        recorder.crash_after = None
        await expire(pool)

        await settle(pool, ingest)

        assert {upload.staged_name, f"{upload.staged_name}.json"} <= paths(repository, layout.FAILED).keys()
    await Housekeeping(pool, 1, 0).clean()
    assert staging(repository) == []


async def test_bytes_that_were_set_aside_by_mistake_are_placed(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """A disk that told nonsense once costs nothing, as long as nobody said that the upload failed."""
    upload = await staged(pool, repository, user)
    files.move(repository.root, layout.staged(upload.staged_name), layout.failed(upload.staged_name))

    await settle(pool, ingest)
    await Housekeeping(pool, 1, HOUR).clean()

    assert originals(repository) == {"p.jpg": PHOTO}
    assert paths(repository, layout.FAILED) == {}


async def test_an_upload_that_arrives_while_another_fails_is_placed(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, recorder: Recorder, sound: None
) -> None:
    """A failure is not the last word for bytes that came after the look."""
    bad = await staged(pool, repository, user)
    damage(repository, bad)
    claimed = await claim(pool, Stage.PLACE)
    with pytest.raises(Reject) as failed:
        await ingest.place(claimed)
    await staged(pool, repository, user)
    async with pool.connection() as conn:
        assert await core.settle_failed(
            conn, bad.asset_id, Stage.PLACE, epoch=claimed.epoch, error_class="permanent", error="lost"
        )
        assert failed.value.save is not None
        await failed.value.save(conn)

    await settle(pool, ingest)

    assert originals(repository) == {"p.jpg": PHOTO}


def damage(repository: Repository, upload: Staged) -> None:
    path = Path(os.fsdecode(repository.root), ".lumilio/staging/incoming", upload.staged_name)
    path.write_bytes(upload.content + b"!")


@pytest.mark.parametrize(("seconds", "is_kept"), [(MONTH, True), (0, False)], ids=["a month", "no time"])
async def test_what_failed_is_kept_for_a_while(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, seconds: float, is_kept: bool, sound: None
) -> None:
    """Since the failure, however old the bytes are; then bytes and note go together."""
    upload = await staged(pool, repository, user)
    damage(repository, upload)
    await settle(pool, ingest)
    os.utime(os.path.join(repository.root, layout.failed(upload.staged_name)), (0, 0))

    await leftovers.clean(pool, failed_seconds=seconds)

    assert bool(paths(repository, layout.FAILED)) == is_kept


async def test_what_may_still_be_placed_is_not_cleaned_away(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """Until its row says that it failed, an upload that was set aside is an upload that waits."""
    upload = await staged(pool, repository, user)
    files.move(repository.root, layout.staged(upload.staged_name), layout.failed(upload.staged_name))

    await leftovers.clean(pool, failed_seconds=0)
    await settle(pool, ingest)

    assert originals(repository) == {"p.jpg": PHOTO}
