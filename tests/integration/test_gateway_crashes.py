import asyncio
from itertools import count

import pytest

from common import files
from common.db import Pool
from ingest.housekeeping import Housekeeping
from tests.support.given import Repository, User
from tests.support.intake import send
from tests.support.placing import PHOTO, staging
from tests.support.recorder import Crash, Recorder
from tests.support.rows import ask
from tests.support.waiting import until

COUNTS = "select (select count(*) from assets), (select count(*) from uploads), (select count(*) from outbox)"


async def test_a_crash_after_any_step_of_an_upload_leaves_all_of_it_or_nothing(
    pool: Pool, repository: Repository, user: User, sound: None, recorder: Recorder
) -> None:
    """Wherever the gateway dies, an asset has its upload and its event, or there is none; the rest is cleared away."""
    crashed = 0
    for step in count(1):
        recorder.clear()
        recorder.crash_after = step
        try:
            await send(pool, repository, user, PHOTO + b"%d" % step)
        except Crash:
            crashed += 1
        else:
            break
        finally:
            recorder.crash_after = None

        assert len(set((await ask(pool, COUNTS))[0])) == 1
    await Housekeeping(pool, 1, abandoned_seconds=0).clean()

    (assets, *_) = (await ask(pool, COUNTS))[0]
    assert crashed >= 4
    assert len(staging(repository)) == assets


async def test_cleaning_looks_at_a_file_before_it_asks_for_its_row(
    pool: Pool, repository: Repository, user: User, sound: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upload that commits and lets go of its file at the very moment of the look is not taken for rubbish."""
    loop, look = asyncio.get_running_loop(), files.is_being_written
    async with pool.connection() as conn:
        await conn.execute("lock table assets in share mode")
        sending = asyncio.create_task(send(pool, repository, user, PHOTO))
        await until(lambda: ask(pool, "select 1 from pg_locks where not granted"), what="the upload is about to commit")

        async def finish() -> None:
            await conn.rollback()
            await sending

        def look_late(root: bytes, path: bytes) -> bool:
            asyncio.run_coroutine_threadsafe(finish(), loop).result()
            return look(root, path)

        monkeypatch.setattr(files, "is_being_written", look_late)
        await Housekeeping(pool, 1, abandoned_seconds=0).clean()

    assert sending.done()
    assert len(staging(repository)) == 1
