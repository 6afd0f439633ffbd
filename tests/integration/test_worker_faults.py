"""Workers die, messages lie, repeat and get lost: every row still has its one effect, and none is stuck."""

import asyncio
import random
from contextlib import ExitStack, suppress
from functools import partial
from uuid import UUID, uuid4

import msgspec
import pytest

from common import outbox, stages, streams
from common.bus import Bus
from common.db import Pool
from common.messages import AssetProcessed, UploadStaged
from common.stages import MAX_DEATHS, MAX_FAILURES, Claim, LeaseLost, Stage
from tests.support import databases
from tests.support.given import Repository, User
from tests.support.placing import new_asset
from tests.support.rows import ask, claim, claim_next, do, expire, row
from tests.support.waiting import until
from tests.support.working import raising, recording, worker_of, working

MANY = 100


@pytest.fixture
async def many(pool: Pool, user: User) -> list[UUID]:
    """A hundred assets whose place stage is due."""
    async with pool.connection() as conn:
        await conn.execute(
            """
            with made as (
                insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename)
                select %(owner)s, sha256(n::text::bytea), 1, 'photo', 'image/jpeg', n || '.jpg'
                from generate_series(1, %(many)s) n
                returning asset_id
            )
            insert into asset_stages (asset_id, stage, owner_id, state, next_at)
            select asset_id, 'place', %(owner)s, 'pending', now() from made
            """,
            {"owner": user.user_id, "many": MANY},
        )
    return sorted(await ask(pool, "select asset_id from asset_stages"))


def ring(asset: UUID) -> bytes:
    return msgspec.json.encode(UploadStaged(owner_id=1, upload_id=1, asset_id=asset, repository_id=uuid4()))


async def test_workers_that_die_after_their_claim_cost_nothing(pool: Pool, bus: Bus, many: list[UUID]) -> None:
    """A hundred deaths between the claim and anything after it: each row is worked on once, by somebody else."""
    dead = [await claim(pool, Stage.PLACE) for _ in many]
    await expire(pool)
    done: list[UUID] = []

    async with working(pool, bus, recording(pool, done), poll=30):
        await until(lambda: len(done) == MANY)

    assert sorted(done) == many
    for claimed in dead:
        with pytest.raises(LeaseLost):
            async with claimed.settle(pool):
                pytest.fail("a dead worker's claim must not get this far")
    assert await ask(pool, "select distinct state || ' ' || deaths from asset_stages") == ["done 0"]


async def test_workers_that_die_after_their_settle_have_done_their_work(pool: Pool, bus: Bus, many: list[UUID]) -> None:
    """A hundred deaths between the commit and anything after it: nothing is done again, and each is announced once."""
    for _ in many:
        claimed = await claim(pool, Stage.PLACE)
        async with claimed.settle(pool) as conn:
            await outbox.add(conn, AssetProcessed(owner_id=claimed.owner_id, asset_id=claimed.asset_id))
    done: list[UUID] = []

    async with working(pool, bus, recording(pool, done)):
        await until(lambda: ask(pool, "select 1 where not exists (select from outbox where published_at is null)"))

    assert done == []
    assert (await bus.js.stream_info(streams.NAME)).state.messages == MANY


async def test_workers_that_are_cancelled_anywhere_leave_nothing_stuck(pool: Pool, bus: Bus, many: list[UUID]) -> None:
    """However often a worker ends in the middle, the next one finishes; no row has two effects."""
    done: list[UUID] = []
    source = random.Random(5)
    while len(done) < MANY:
        running = asyncio.create_task(worker_of(pool, bus, recording(pool, done), slots=4).run(asyncio.Event()))
        enough = len(done) + source.randint(1, 10)
        await until(lambda: len(done) >= min(enough, MANY), every=0.001)  # noqa: B023
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    await until(lambda: ask(pool, "select 1 where not exists (select from asset_stages where state <> 'done')"))
    assert sorted(done) == many


async def test_a_file_that_ends_its_workers_fails_and_hurts_nobody(pool: Pool, bus: Bus, many: list[UUID]) -> None:
    """After three dead processes the row fails without being touched again, with its reason; the others are done."""
    poison = many[7]
    await do(pool, f"update asset_stages set next_at = now() - interval '1 hour' where asset_id = '{poison}'")
    for _ in range(MAX_DEATHS):
        assert (await claim(pool, Stage.PLACE)).asset_id == poison
        await expire(pool)
    done: list[UUID] = []

    async with working(pool, bus, recording(pool, done)):
        await until(lambda: len(done) == MANY - 1)

        async def failed() -> bool:
            return bool((await row(pool, poison))["state"] == "failed")

        await until(failed)

    assert poison not in done
    found = await row(pool, poison)
    assert (found["error_class"], found["error"]) == ("poison", "the file ended every process that worked on it")


async def test_a_file_that_ends_its_workers_takes_no_other_along(pool: Pool, many: list[UUID]) -> None:
    """Whatever was in the same hands each time they died: in the end that file alone has failed."""
    poison, due, failed = many[7], set(many[:20]), set()
    await do(pool, "delete from asset_stages where asset_id not in (select asset_id from assets order by 1 limit 20)")

    while due:
        claims = await stages.claim(pool, Stage.PLACE, most=8, lease_seconds=60)
        hopeless = [one.asset_id for one in claims if one.deaths > MAX_DEATHS]
        if poison in {one.asset_id for one in claims} - set(hopeless):
            await expire(pool)
            continue
        async with stages.settle_all(pool, claims):
            failed |= set(hopeless)
            due -= {one.asset_id for one in claims}

    assert failed == {poison}


async def test_of_those_whose_workers_died_twice_one_is_in_hand(pool: Pool, bus: Bus, many: list[UUID]) -> None:
    """What comes after it is begun as soon as it is done, and others go on beside it."""
    suspects = many[:3]
    await do(
        pool,
        "update asset_stages set state = 'running', deaths = 2, lease_until = now() - interval '1 s' "
        f"where asset_id in (select asset_id from assets order by asset_id limit {len(suspects)})",
    )
    in_hand: set[UUID] = set()
    most = 0

    async def work(claimed: Claim) -> None:
        nonlocal most
        in_hand.add(claimed.asset_id)
        most = max(most, len(in_hand.intersection(suspects)))
        await asyncio.sleep(0)
        async with claimed.settle(pool):
            in_hand.remove(claimed.asset_id)

    async with working(pool, bus, work, poll=30, slots=4):
        await until(lambda: ask(pool, "select 1 where not exists (select from asset_stages where state <> 'done')"))

    assert most == 1


async def test_a_bug_is_tried_ten_times(pool: Pool, bus: Bus, asset: UUID) -> None:
    """What fails again and again is given up, with how often it was tried and why."""
    await do(pool, f"update asset_stages set failures = {MAX_FAILURES - 2}")

    async with working(pool, bus, raising(RuntimeError("bug"))):
        await until(lambda: ask(pool, f"select 1 from asset_stages where failures = {MAX_FAILURES - 1}"))
        assert (await row(pool, asset))["state"] == "pending"
        await do(pool, "update asset_stages set next_at = now() where next_at is not null")
        await until(lambda: ask(pool, "select 1 from asset_stages where state = 'failed'"))

    found = await row(pool, asset)
    assert (found["failures"], found["error_class"], found["error"]) == (MAX_FAILURES - 1, "transient", "bug")


async def test_a_database_that_takes_no_writes_costs_nothing(
    pool: Pool, bus: Bus, asset: UUID, database_url: str
) -> None:
    """As after a failover to one that still follows: work waits for another, and nothing counts as its failure."""
    told: list[str] = []

    async def work(claimed: Claim) -> None:
        if not told:
            await asyncio.to_thread(held.enter_context, databases.read_only(database_url))
        try:
            async with claimed.settle(pool):
                told.append("settled")
        except Exception as error:
            told.append(type(error).__name__)
            raise

    with ExitStack() as held:
        async with working(pool, bus, work, lease=60):
            await until(lambda: "ReadOnlySqlTransaction" in told)
            await asyncio.to_thread(held.close)
            await until(lambda: told[-1] == "settled")

    found = await row(pool, asset)
    assert (found["state"], found["deaths"], found["failures"]) == ("done", 0, 0)


async def test_messages_that_repeat_lie_or_come_late_do_nothing(
    pool: Pool, bus: Bus, repository: Repository, user: User
) -> None:
    """The same message a hundred times, in any order, of another history or about what is gone: one effect, no harm."""
    gone, asset = uuid4(), await new_asset(pool, repository, user, 0)
    late = [ring(asset), ring(gone)] * (MANY // 2)
    random.Random(3).shuffle(late)
    for number, body in enumerate(late):
        await bus.js.publish(UploadStaged.subject, body, headers={"Nats-Msg-Id": f"{uuid4()}.{number}"})
    done: list[UUID] = []

    async with working(pool, bus, recording(pool, done)):
        await until(partial(all_taken, bus), seconds=60)

    assert done == [asset]
    assert await ask(pool, "select 1 from dead_letters") == []


async def test_forged_messages_are_kept_and_the_work_goes_on(
    pool: Pool, bus: Bus, repository: Repository, user: User
) -> None:
    """Whatever somebody puts on the bus, a worker reads on, and people find it with its reason."""
    forged = [
        b"",
        b"\x00" * 1000,
        b"[" * 200_000,
        b'{"owner_id": "' + b"x" * 200_000,
        msgspec.json.encode({"owner_id": 1, "upload_id": 1, "asset_id": "../../etc", "repository_id": str(uuid4())}),
    ]
    for body in forged:
        await bus.js.publish(UploadStaged.subject, body)
    done: list[UUID] = []

    async with working(pool, bus, recording(pool, done), poll=30):
        await until(lambda: ask(pool, f"select 1 from dead_letters having count(*) = {len(forged)}"))
        await until(partial(all_taken, bus))
        asset = await new_asset(pool, repository, user, 0)
        await bus.js.publish(UploadStaged.subject, ring(asset))
        await until(lambda: done == [asset])

    assert await ask(pool, "select 1 from dead_letters where reason not like '%UploadStaged%'") == []


async def test_a_pause_holds_until_its_end(pool: Pool, asset: UUID, user: User) -> None:
    """No row is claimed while its stage is paused, running work is settled, and the end comes by itself."""
    running: Claim = await claim(pool, Stage.PLACE)
    other = "insert into stage_pauses values ('render', 1, 'a reason', now(), now() + interval '1 hour')"
    await do(pool, other)
    await do(pool, other.replace("render", "place"))

    async with running.settle(pool):
        pass
    await do(pool, "update asset_stages set state = 'pending', next_at = now() where stage = 'place'")
    assert await claim_next(pool, Stage.PLACE, seconds=9) is None

    await do(pool, "update stage_pauses set until = now() where stage = 'place'")
    assert (await claim(pool, Stage.PLACE)).asset_id == asset


async def all_taken(bus: Bus) -> bool:
    """Whether every message was delivered and acknowledged."""
    state = await bus.js.consumer_info(streams.NAME, streams.PLACE.name)
    return bool(state.num_pending == 0 and state.num_ack_pending == 0)
