import asyncio
from dataclasses import replace
from uuid import UUID

import psycopg
import pytest

from common import queries, stages
from common.db import Pool
from common.stages import LeaseLost, Stage
from tests.support.given import Repository, User
from tests.support.placing import new_asset
from tests.support.rows import ask, claim, claim_next, expire, row


async def test_of_two_claims_the_newer_writes(pool: Pool, asset: UUID) -> None:
    """A worker that was paused beyond its lease finds a newer epoch and writes nothing."""
    stale = await claim(pool, Stage.PLACE)
    await expire(pool)
    newer = await claim(pool, Stage.PLACE)

    with pytest.raises(LeaseLost):
        async with stale.settle(pool):
            pytest.fail("a stale claim must not get this far")

    assert (await row(pool, asset))["state"] == "running"
    async with newer.settle(pool):
        pass
    assert (await row(pool, asset))["state"] == "done"


async def test_settling_twice_has_one_effect(pool: Pool, asset: UUID) -> None:
    """Whoever repeats a finished work is fenced off."""
    claimed = await claim(pool, Stage.PLACE)
    async with claimed.settle(pool):
        pass

    with pytest.raises(LeaseLost):
        async with claimed.settle(pool):
            pass

    assert (await row(pool, asset))["deaths"] == 0


async def test_a_failing_settle_leaves_the_claim_as_it_was(pool: Pool, asset: UUID) -> None:
    """The result and the end of the stage are one transaction."""
    claimed = await claim(pool, Stage.PLACE)

    with pytest.raises(RuntimeError):
        async with claimed.settle(pool):
            raise RuntimeError

    assert (await row(pool, asset))["state"] == "running"


async def test_a_statement_that_fails_takes_the_whole_result_with_it(pool: Pool, asset: UUID) -> None:
    """Statements and commit go out together, and still none of them has an effect without the others."""
    claimed = await claim(pool, Stage.PLACE)

    async def work() -> None:
        async with claimed.settle(pool) as conn:
            await conn.execute("update assets set original_filename = 'changed'")
            await conn.execute("select 1 / 0")

    with pytest.raises(psycopg.errors.DivisionByZero):
        await work()

    assert (await row(pool, asset))["state"] == "running"
    assert await ask(pool, "select original_filename from assets") == ["p.jpg"]


async def test_a_row_is_claimed_once(pool: Pool, repository: Repository, user: User) -> None:
    """Many workers that ask at once get different rows."""
    assets = [await new_asset(pool, repository, user, number) for number in range(6)]

    claims = await asyncio.gather(*(claim_next(pool, Stage.PLACE, seconds=9) for _ in range(8)))

    assert sorted(found.asset_id for found in claims if found) == sorted(assets)


async def test_rows_are_claimed_in_groups(pool: Pool, repository: Repository, user: User) -> None:
    """As many as are wanted and due, and the last of them say that there is nothing left."""
    assets = [await new_asset(pool, repository, user, number) for number in range(5)]

    first = await stages.claim(pool, Stage.PLACE, most=3, lease_seconds=9)
    rest = await stages.claim(pool, Stage.PLACE, most=3, lease_seconds=9)

    assert [len(first), len(rest)] == [3, 2]
    assert {claim.has_more for claim in first} == {True}
    assert {claim.has_more for claim in rest} == {False}
    assert {claim.asset_id for claim in [*first, *rest]} == set(assets)


async def test_what_many_came_to_is_saved_at_once(pool: Pool, repository: Repository, user: User) -> None:
    """All but what somebody newer holds, whose result nobody saves."""
    assets = [await new_asset(pool, repository, user, number) for number in range(3)]
    held = [await claim(pool, Stage.PLACE) for _ in assets]
    lost = replace(held[1], epoch=held[1].epoch - 1)

    async with stages.settle_all(pool, [held[0], lost, held[2]]) as (_, ours):
        assert ours == [True, False, True]

    states = [(await row(pool, claim.asset_id))["state"] for claim in held]
    assert states == ["done", "running", "done"]


async def test_of_two_claims_of_one_group_the_newer_counts(pool: Pool, asset: UUID) -> None:
    """A worker that was asleep beyond its lease may hold both: only one of them is renewed, and saved."""
    stale = await claim(pool, Stage.PLACE)
    await expire(pool)
    newer = await claim(pool, Stage.PLACE)
    both = [(asset, stale.epoch), (asset, newer.epoch)]

    async with pool.connection() as conn:
        missed = await queries.renew(conn, Stage.PLACE, both, lease_seconds=60)
    assert missed == {(asset, stale.epoch): False}
    async with stages.settle_all(pool, [stale, newer]) as (_, ours):
        assert ours == [False, True]


async def test_a_dead_workers_row_comes_first(pool: Pool, repository: Repository, user: User) -> None:
    """An expired lease does not go to the end of the queue."""
    first = await new_asset(pool, repository, user, 0)
    await new_asset(pool, repository, user, 1)
    await claim(pool, Stage.PLACE)
    await expire(pool)

    assert (await claim(pool, Stage.PLACE)).asset_id == first


async def test_a_person_comes_before_a_bulk_import(pool: Pool, repository: Repository, user: User) -> None:
    """Lane 0 is served first, however old lane 1 is."""
    bulk = await new_asset(pool, repository, user, 0)
    async with pool.connection() as conn:
        await conn.execute("update asset_stages set lane = 1 where asset_id = %s", (bulk,))
    person = await new_asset(pool, repository, user, 1)

    assert (await claim(pool, Stage.PLACE)).asset_id == person


def test_retries_back_off_to_an_hour() -> None:
    """Five seconds, doubling, never more than an hour."""
    waits = [stages.backoff(failures) for failures in range(12)]

    assert waits[:3] == [5, 10, 20]
    assert waits[-1] == 3600
    assert waits == sorted(waits)
