import asyncio
import os
import time
from uuid import uuid4

import pytest

from common import files, layout
from common.db import Pool
from gateway.queries import uploads
from ingest import queries
from ingest.handlers import Ingest
from ingest.housekeeping import Housekeeping
from tests.support.given import Repository, User
from tests.support.placing import PHOTO, originals, place_all, staged, staging
from tests.support.rows import END_WHO_WAITS, ask, do
from tests.support.waiting import until

HOUR = 3600
CANCEL_WHO_WAITS = END_WHO_WAITS.replace("terminate", "cancel")
YEAR_2009 = 1_230_768_000


async def test_housekeeping_removes_only_what_belongs_to_nobody(
    pool: Pool, repository: Repository, user: User, ingest: Ingest
) -> None:
    """Open uploads and files that are being written stay; settled and abandoned ones go."""
    waiting = await staged(pool, repository, user)
    os.close(files.create(repository.root, layout.staged("abandoned.part")))
    busy = files.create(repository.root, layout.staged("busy.part"))

    await Housekeeping(pool, 1, abandoned_seconds=0).clean()

    assert sorted(staging(repository)) == sorted([waiting.staged_name.encode(), b"busy.part"])
    os.close(busy)


async def test_a_young_file_without_a_row_stays(pool: Pool, repository: Repository) -> None:
    """Between its last byte and its row an upload belongs to nobody, and must not be taken for rubbish."""
    os.close(files.create(repository.root, layout.staged("young.part")))

    await Housekeeping(pool, 1, abandoned_seconds=HOUR).clean()

    assert staging(repository) == [b"young.part"]


async def test_bytes_from_before_a_restore_are_never_rubbish(pool: Pool, repository: Repository) -> None:
    """An upload acknowledged after the backup has no row any more, and its bytes are all that is left of it."""
    os.close(files.create(repository.root, layout.staged("acknowledged.part")))
    await do(pool, "update server set restored_at = now()")

    await Housekeeping(pool, 1, abandoned_seconds=0).clean()

    assert staging(repository) == [b"acknowledged.part"]


async def test_what_is_left_long_after_a_restore_goes(pool: Pool, repository: Repository) -> None:
    """A restore of last week protects what lay there, and nothing that came later."""
    os.close(files.create(repository.root, layout.staged("abandoned.part")))
    await do(pool, "update server set restored_at = now() - interval '7 days'")

    await Housekeeping(pool, 1, abandoned_seconds=0).clean()

    assert staging(repository) == []


async def test_cleaning_never_takes_an_upload_that_is_being_committed(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """Staging, placing and two that clean at once, as after a lease that ran out, lose none of a hundred files."""

    async def clean() -> None:
        for _ in range(20):
            await Housekeeping(pool, 1, abandoned_seconds=HOUR).clean()

    async def send() -> None:
        for number in range(100):
            await staged(pool, repository, user, PHOTO + b"%d" % number, f"{number}.jpg")
            if number % 10 == 9:
                await place_all(pool, ingest)

    await asyncio.gather(send(), clean(), clean())

    assert sorted(originals(repository).values()) == sorted(PHOTO + b"%d" % number for number in range(100))


async def test_a_wrong_clock_takes_nothing(
    pool: Pool, repository: Repository, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is abandoned is told by the database's clock: an ingest that is a day ahead removes no young file."""
    os.close(files.create(repository.root, layout.staged("young.part")))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 24 * HOUR)

    await Housekeeping(pool, 1, abandoned_seconds=HOUR).clean()

    assert staging(repository) == [b"young.part"]


async def test_what_cannot_be_done_keeps_nothing_else_from_being_done(pool: Pool, repository: Repository) -> None:
    """Counts that take too long to be corrected cost nobody the notes of the day, and are corrected before the next."""
    async with pool.connection() as conn:
        await conn.execute("lock table month_counts in share mode")
        cleaning = asyncio.create_task(Housekeeping(pool, 1, HOUR).clean())
        await until(lambda: cleaning.done() or ask(pool, CANCEL_WHO_WAITS))
        await cleaning

    assert os.path.exists(os.path.join(repository.root, layout.PEOPLE))
    soon = f"select name from leases where lease_until < now() + interval '{12 * HOUR} s'"
    assert await ask(pool, soon) == ["daily count"]


async def test_the_lead_is_given_back_at_a_stop(pool: Pool) -> None:
    """Another ingest cleans up at once when the first one is told to stop, and only the holder can give it back."""
    first, second = Housekeeping(pool, 60, HOUR), Housekeeping(pool, 60, HOUR, holder=uuid4())
    assert await first._is_leader()
    stopped = asyncio.Event()
    stopped.set()

    await second.run(stopped)
    assert not await second._is_leader()
    await first.run(stopped)
    assert await second._is_leader()


async def test_a_thousand_uploads_that_commit_while_they_are_cleaned_away_are_all_kept(
    pool: Pool, repository: Repository, user: User
) -> None:
    """Not even a clean-up that takes every file for abandoned takes one whose row is just being written."""
    first = await staged(pool, repository, user)
    hasty, later = Housekeeping(pool, 1, abandoned_seconds=0), time.time() + HOUR
    home = queries.Repository(repository_id=repository.repository_id, root=repository.root)

    async def commit(name: str, descriptor: int) -> None:
        async with pool.connection() as conn:
            await uploads.save_upload(
                conn,
                owner=user.user_id,
                repository=repository.repository_id,
                asset=first.asset_id,
                staged_name=name,
                file_name="p.jpg",
                size=len(PHOTO),
            )
        os.close(descriptor)

    async def race(number: int) -> None:
        descriptor = files.create(repository.root, layout.staged(f"{number}.part"))
        racers = [commit(f"{number}.part", descriptor), hasty._clean_staged(home, b"%d.part" % number, later)]
        await asyncio.gather(*(racers if number % 2 else reversed(racers)))

    for start in range(0, 1000, 8):
        await asyncio.gather(*(race(number) for number in range(start, start + 8)))

    assert len(staging(repository)) == 1 + 1000


async def test_one_of_many_cleans(pool: Pool) -> None:
    """The lease belongs to one holder until it ends by the database's clock."""
    first, second = Housekeeping(pool, 60, HOUR), Housekeeping(pool, 60, HOUR, holder=uuid4())

    assert await first._is_leader()
    assert not await second._is_leader()
    assert await first._is_leader()
    await do(pool, "update leases set lease_until = now()")
    assert await second._is_leader()


async def test_the_date_of_an_upload_is_not_its_age(pool: Pool, repository: Repository) -> None:
    """A photo of 2009 that has just arrived and has no row yet is young, where a disk knows no locks as well."""
    descriptor = files.create(repository.root, layout.staged("young.part"))
    os.utime(descriptor, (YEAR_2009, YEAR_2009))
    os.close(descriptor)

    await Housekeeping(pool, 1, abandoned_seconds=HOUR).clean()

    assert staging(repository) == [b"young.part"]
