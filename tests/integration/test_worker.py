import asyncio
import errno
import threading
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
import structlog
from psycopg.errors import DeadlockDetected, TransactionTimeout

from common import outbox, stages, streams, tasks
from common.bus import Bus
from common.db import Pool
from common.messages import UploadStaged
from common.stages import Claim, Died, Reject, Superseded, Wait
from tests.support.given import Repository, User
from tests.support.placing import new_asset
from tests.support.rows import END_WHO_WAITS, WHO_WAITS, ask, do, row
from tests.support.waiting import until
from tests.support.working import listens, raising, recording, worker_of, working


async def ring(bus: Bus, repository: Repository, user: User) -> None:
    """Say that there is something to be placed."""
    event = UploadStaged(owner_id=user.user_id, upload_id=1, asset_id=uuid4(), repository_id=repository.repository_id)
    await bus.js.publish(event.subject_of(), msgspec.json.encode(event))


async def is_heard(bus: Bus) -> bool:
    """Whether every ring was answered."""
    info = await bus.js.consumer_info(streams.NAME, streams.PLACE.name)
    return not info.num_pending and not info.num_ack_pending


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Wait("the disk is away", after=60), {"state": "pending", "later": True, "deaths": 0, "failures": 0}),
        (Reject("no pixels"), {"state": "failed", "later": None, "error_class": "permanent", "error": "no pixels"}),
        (Died("crashed (SIGSEGV)"), {"state": "pending", "later": True, "deaths": 1, "failures": 0}),
        (OSError(errno.EMFILE, "too many"), {"state": "pending", "failures": 0, "error_class": "waiting"}),
        (TransactionTimeout("40 s"), {"state": "pending", "failures": 0, "error_class": "waiting"}),
        (DeadlockDetected("another went on"), {"state": "pending", "failures": 0, "error_class": "waiting"}),
        (RuntimeError("bug"), {"state": "pending", "later": True, "deaths": 0, "failures": 1, "error": "bug"}),
    ],
    ids=["wait", "reject", "died", "limits", "slow", "deadlock", "bug"],
)
async def test_each_outcome_leaves_its_row(
    pool: Pool, bus: Bus, asset: UUID, outcome: Exception, expected: dict[str, object]
) -> None:
    """What work raises decides what its row says, with the reason kept where a person sees it."""

    async def settled() -> dict[str, Any] | None:
        found = await row(pool, asset)
        return found if found["error"] else None

    async with working(pool, bus, raising(outcome)):
        found = await until(settled)

    assert expected.items() <= (found or {}).items()
    assert found is not None
    assert found["error"] == str(outcome)


async def test_what_was_called_off_is_not_told_as_done(pool: Pool, bus: Bus, asset: UUID) -> None:
    """A unit of work that ended because it is wanted another way says so in its line, and its row is settled."""

    async def settled() -> bool:
        return bool((await row(pool, asset))["state"] == "done")

    with structlog.testing.capture_logs() as lines:
        async with working(pool, bus, raising(Superseded())):
            await until(settled)

    assert [line["outcome"] for line in lines if line["event"] == "work done"] == [
        "called off: it is wanted another way"
    ]


async def test_giving_up_is_announced(pool: Pool, bus: Bus, asset: UUID) -> None:
    """A failed stage is an event that other systems hear."""

    async def failed() -> bool:
        return bool((await row(pool, asset))["state"] == "failed")

    async with working(pool, bus, raising(Reject("no pixels"))):
        await until(failed)

    assert await ask(pool, "select subject from outbox") == ["lumilio.stage.failed"]


async def test_three_deaths_are_enough(pool: Pool, bus: Bus, asset: UUID) -> None:
    """A file that ends every process that reads it is tried three times and then explained."""
    attempts = 0

    async def deadly(_: Claim) -> None:
        nonlocal attempts
        attempts += 1
        raise Died("crashed (SIGSEGV)")

    async def failed() -> bool:
        async with pool.connection() as conn:
            await conn.execute("update asset_stages set next_at = now() where next_at is not null")
        return bool((await row(pool, asset))["state"] == "failed")

    async with working(pool, bus, deadly, poll=0.1):
        await until(failed)

    assert attempts == stages.MAX_DEATHS
    found = await row(pool, asset)
    assert (found["error_class"], found["error"]) == ("poison", "crashed (SIGSEGV)")


async def test_a_ring_starts_work_at_once(pool: Pool, bus: Bus, repository: Repository, user: User) -> None:
    """With the bus there, nobody waits for the next poll."""
    done: list[UUID] = []

    async with working(pool, bus, recording(pool, done), poll=30):
        asset = await new_asset(pool, repository, user, 0)
        async with pool.connection() as conn:
            event = UploadStaged(
                owner_id=user.user_id, upload_id=1, asset_id=asset, repository_id=repository.repository_id
            )
            await outbox.add(conn, event)
        await until(lambda: done == [asset])


async def test_a_ring_that_was_answered_by_another_row_is_not_lost(
    pool: Pool, bus: Bus, repository: Repository, user: User
) -> None:
    """A retry that is due takes the ring of a new photo; the photo does not wait for the next poll because of that."""
    done: list[UUID] = []

    async with working(pool, bus, recording(pool, done), poll=30, slots=1):
        await until(partial(listens, bus))
        retry = await new_asset(pool, repository, user, 0)
        photo = await new_asset(pool, repository, user, 1)
        event = UploadStaged(owner_id=user.user_id, upload_id=1, asset_id=photo, repository_id=repository.repository_id)
        await bus.js.publish(event.subject_of(), msgspec.json.encode(event))
        await until(lambda: sorted(done) == sorted([retry, photo]))


async def test_a_ring_whose_claim_failed_is_not_lost(pool: Pool, bus: Bus, repository: Repository, user: User) -> None:
    """When the session of a claim ends in the middle, the worker claims again and does not wait for the next poll."""
    done: list[UUID] = []

    async def ended() -> bool:
        return bool(await ask(pool, END_WHO_WAITS))

    async with working(pool, bus, recording(pool, done), poll=30):
        await until(partial(listens, bus))
        async with pool.connection() as conn:
            await conn.execute("lock table asset_stages in access exclusive mode")
            await ring(bus, repository, user)
            await until(ended)
        asset = await new_asset(pool, repository, user, 0)
        await until(lambda: done == [asset])


async def test_a_row_that_is_left_due_once_more_needs_no_second_ring(
    pool: Pool, bus: Bus, repository: Repository, user: User, asset: UUID
) -> None:
    """An upload that came while its asset was being placed is seen to soon, though its ring found nothing to claim."""
    attempts = 0

    async def reopening(claimed: Claim) -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            await ring(bus, repository, user)
            await until(partial(is_heard, bus))
        async with claimed.settle(pool) as conn:
            if attempts == 1:
                await conn.execute("update asset_stages set state = 'pending', next_at = now()")

    async with working(pool, bus, reopening, poll=30):
        await until(lambda: attempts == 2)

    assert (await row(pool, asset))["state"] == "done"


async def test_a_short_wait_is_over_before_the_next_poll(pool: Pool, bus: Bus, asset: UUID) -> None:
    """Work that says when it goes on is tried again then, and nobody has to ring."""
    attempts = 0

    async def waiting(claimed: Claim) -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise Wait("the file is just being moved", after=0.2)
        async with claimed.settle(pool):
            pass

    async def is_done() -> bool:
        return bool((await row(pool, asset))["state"] == "done")

    async with working(pool, bus, waiting, poll=30):
        await until(is_done)


async def test_a_backlog_without_any_message_is_worked_off_at_full_speed(
    pool: Pool, bus: Bus, repository: Repository, user: User
) -> None:
    """After the store was lost, one look is enough to start and hunger does the rest: no poll between rows."""
    assets = [await new_asset(pool, repository, user, number) for number in range(20)]
    done: list[UUID] = []

    async with working(pool, bus, recording(pool, done), poll=30):
        await until(lambda: len(done) == len(assets))

    assert sorted(done) == sorted(assets)


async def test_a_long_work_keeps_its_lease(pool: Pool, bus: Bus, asset: UUID) -> None:
    """Renewal lasts as long as the work lives, so nobody else starts it."""
    starts = 0
    enough = asyncio.Event()

    async def slow(claimed: Claim) -> None:
        nonlocal starts
        starts += 1
        await enough.wait()
        async with claimed.settle(pool):
            pass

    async def renewed_twice() -> bool:
        async with pool.connection() as conn:
            cursor = await conn.execute("select lease_until from asset_stages where stage = 'place'")
            leases.add((await cursor.fetchall())[0][0])
        return len(leases) > 4

    leases: set[object] = set()
    async with working(pool, bus, slow):
        await until(renewed_twice)
        enough.set()

        async def finished() -> bool:
            return bool((await row(pool, asset))["state"] == "done")

        await until(finished)

    assert starts == 1


async def test_work_whose_lease_went_to_another_is_cancelled(pool: Pool, bus: Bus, asset: UUID) -> None:
    """A worker that was asleep too long stops what it does."""
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def slow(_: Claim) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with working(pool, bus, slow, slots=1):
        await started.wait()
        await do(pool, "update asset_stages set lease_epoch = lease_epoch + 1")
        await asyncio.wait_for(cancelled.wait(), 60)


async def test_stopping_gives_unfinished_work_back(pool: Pool, bus: Bus, asset: UUID) -> None:
    """SIGTERM leaves no lease to run out and counts no death: the next worker starts at once."""
    started = asyncio.Event()

    async def endless(_: Claim) -> None:
        started.set()
        await asyncio.Event().wait()

    async with working(pool, bus, endless) as stop:
        await started.wait()
        stop.set()

    found = await row(pool, asset)
    assert (found["state"], found["later"], found["deaths"]) == ("pending", False, 0)


async def test_a_database_that_stands_still_keeps_no_worker_from_its_end(pool: Pool, bus: Bus, asset: UUID) -> None:
    """Whoever is told to stop amid a claim that has no answer stops; the row is claimed by the next one."""
    done: list[UUID] = []
    async with pool.connection() as conn:
        await conn.execute("lock table asset_stages in access exclusive mode")
        stop = asyncio.Event()
        running = asyncio.create_task(worker_of(pool, bus, recording(pool, done)).run(stop))
        await until(lambda: ask(pool, WHO_WAITS))
        stop.set()
        await asyncio.wait({running}, timeout=5)
        assert running.done()

    async with working(pool, bus, recording(pool, done)):
        await until(lambda: done == [asset])


async def test_work_that_hangs_on_its_disk_keeps_no_other_from_being_given_back(
    pool: Pool, bus: Bus, repository: Repository, user: User
) -> None:
    """Whoever tells a service to stop ends it at last: what could be given back is nobody's death then."""
    hanging, other = [await new_asset(pool, repository, user, number) for number in range(2)]
    started: list[UUID] = []
    disk = threading.Event()

    async def work(claimed: Claim) -> None:
        started.append(claimed.asset_id)
        if claimed.asset_id == hanging:
            await tasks.to_the_end(disk.wait)
        await asyncio.Event().wait()

    async def is_given_back(asset: UUID) -> bool:
        found = await row(pool, asset)
        return (found["state"], found["deaths"]) == ("pending", 0)

    async with working(pool, bus, work) as stop:
        try:
            await until(lambda: len(started) == 2)
            stop.set()
            await until(lambda: is_given_back(other))
            assert not await is_given_back(hanging)
        finally:
            disk.set()
    assert await is_given_back(hanging)


async def test_a_malformed_message_is_kept_and_hurts_nobody(pool: Pool, bus: Bus, asset: UUID) -> None:
    """What nobody can read is a dead letter with its reason, and the work goes on."""
    await bus.js.publish("lumilio.upload.staged", b"\xff not json")
    done = asyncio.Event()

    async def work(claimed: Claim) -> None:
        async with claimed.settle(pool):
            done.set()

    async def letters() -> list[Any]:
        async with pool.connection() as conn:
            cursor = await conn.execute("select subject, body, reason from dead_letters")
            return await cursor.fetchall()

    async with working(pool, bus, work):
        await done.wait()
        found = await until(letters)

    assert [(letter[0], letter[1]) for letter in found] == [("lumilio.upload.staged", b"\xff not json")]
    assert "UploadStaged" in found[0][2]


async def test_the_stream_and_its_readers_come_back_by_themselves(
    pool: Pool, bus: Bus, repository: Repository, user: User
) -> None:
    """Deleting stream and durable under a running service costs a moment of delay, not a restart."""
    done: list[UUID] = []

    async with working(pool, bus, recording(pool, done), poll=0.5):
        await bus.js.delete_stream(streams.NAME)
        asset = await new_asset(pool, repository, user, 0)
        async with pool.connection() as conn:
            event = UploadStaged(
                owner_id=user.user_id, upload_id=1, asset_id=asset, repository_id=repository.repository_id
            )
            await outbox.add(conn, event)
        await until(lambda: done == [asset])

        async def published() -> bool:
            async with pool.connection() as conn:
                cursor = await conn.execute("select count(*) from outbox where published_at is null")
                return bool((await cursor.fetchall())[0][0] == 0)

        await until(published)
    assert (await bus.js.stream_info(streams.NAME)).state.messages == 1


async def test_a_cancelled_worker_gives_its_work_back(pool: Pool, bus: Bus, asset: UUID) -> None:
    """When the service ends because something else in it failed, the next worker still starts at once."""
    started = asyncio.Event()

    async def endless(_: Claim) -> None:
        started.set()
        await asyncio.Event().wait()

    running = asyncio.create_task(worker_of(pool, bus, endless).run(asyncio.Event()))
    await started.wait()
    running.cancel()
    await asyncio.wait({running})

    found = await row(pool, asset)
    assert (found["state"], found["later"], found["deaths"]) == ("pending", False, 0)


async def test_junk_that_is_nested_deeply_is_a_dead_letter(pool: Pool, bus: Bus) -> None:
    """No message can end a worker."""
    await bus.js.publish("lumilio.upload.staged", b'{"unknown":' + b"[" * 100_000)

    async with working(pool, bus, raising(Reject("not called"))):
        await until(lambda: ask(pool, "select subject from dead_letters"))


async def test_a_dead_letter_that_cannot_be_kept_costs_no_claim(
    pool: Pool, bus: Bus, repository: Repository, user: User
) -> None:
    """What was claimed is worked on, whatever becomes of the message that rang, and the worker goes on."""
    await do(pool, "alter table dead_letters rename to elsewhere")
    done: list[UUID] = []

    async with working(pool, bus, recording(pool, done), poll=30):
        for number in range(2):
            await until(partial(listens, bus))
            asset = await new_asset(pool, repository, user, number)
            await bus.js.publish("lumilio.upload.staged", b"junk")
            await until(partial(done.__contains__, asset))


async def test_a_reason_of_strange_bytes_can_be_kept(pool: Pool, bus: Bus, asset: UUID) -> None:
    """Paths need not be UTF-8, and what is told about them still fits into the record."""

    async def told() -> Any:
        return (await row(pool, asset))["error"]

    async with working(pool, bus, raising(Wait("no disk at /caf\udce9", after=60))):
        reason = await until(told)

    assert reason == "no disk at /caf\\udce9"
