"""What a person waits for is worked on first, whatever else is to be done."""

import asyncio
from uuid import UUID

import pytest

from common import queries, stages
from common.bus import Bus
from common.db import Pool
from common.stages import Claim, Stage
from tests.support.given import Repository, User
from tests.support.placing import new_asset
from tests.support.rows import ask, claim, do
from tests.support.waiting import until
from tests.support.working import raising, working


async def bulk(pool: Pool, user: User, number: int, state: str = "pending") -> None:
    """An import of many that began an hour ago, or the same, done."""
    async with pool.connection() as conn:
        await conn.execute(
            """
            with made as (
                insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename)
                select %(owner)s, sha256(n::text::bytea), 1, 'photo', 'image/jpeg', n || '.jpg'
                from generate_series(1, %(number)s) n
                returning asset_id
            )
            insert into asset_stages (asset_id, stage, owner_id, lane, state, next_at)
            select asset_id, 'place', %(owner)s, 1, %(state)s,
                   case when %(state)s = 'pending' then now() - interval '1 hour' end
            from made
            """,
            {"owner": user.user_id, "number": number, "state": state},
        )


async def test_a_fresh_photo_is_claimed_before_two_thousand_of_an_import(
    pool: Pool, repository: Repository, user: User
) -> None:
    """The import's age does not matter."""
    await bulk(pool, user, 2000)
    fresh = await new_asset(pool, repository, user, 0)

    assert (await claim(pool, Stage.PLACE)).asset_id == fresh
    assert (await claim(pool, Stage.PLACE)).lane == 1


@pytest.mark.parametrize("outcome", [RuntimeError("bug"), stages.Died("crashed")], ids=["failure", "death"])
async def test_a_fresh_photo_is_claimed_before_retries(
    pool: Pool, bus: Bus, repository: Repository, user: User, outcome: Exception
) -> None:
    """What failed once has had its turn, though it is due for longer."""
    tried = await new_asset(pool, repository, user, 0)
    async with working(pool, bus, raising(outcome)):
        await until(lambda: ask(pool, "select 1 from asset_stages where error is not null"))
    await do(pool, "update asset_stages set next_at = now() - interval '1 hour' where next_at is not null")
    fresh = await new_asset(pool, repository, user, 1)

    assert [(await claim(pool, Stage.PLACE)).asset_id for _ in range(2)] == [fresh, tried]


async def test_doing_everything_again_delays_a_fresh_photo_by_one_job(
    pool: Pool, bus: Bus, repository: Repository, user: User
) -> None:
    """Only what runs already is finished first; the rest of the thousands waits for the photo."""
    await bulk(pool, user, 2000, "done")
    await do(pool, "update asset_stages set state = 'pending', next_at = now(), lane = 1")
    started: list[UUID] = []
    turn = asyncio.Semaphore(0)

    async def slow(claimed: Claim) -> None:
        started.append(claimed.asset_id)
        await turn.acquire()
        async with claimed.settle(pool):
            pass

    async with working(pool, bus, slow, poll=30):
        await until(lambda: len(started) == 2)
        fresh = await new_asset(pool, repository, user, 0)
        turn.release()
        await until(lambda: len(started) == 3)

    assert started[2] == fresh


async def test_claiming_and_renewing_touch_no_index(pool: Pool, user: User) -> None:
    """However deep the queue, a claim changes its row in place, so nothing piles up that a vacuum must clear."""
    await bulk(pool, user, 30)

    async with pool.connection() as conn:
        for _ in range(5):
            (found,) = await queries.claim(conn, Stage.PLACE, most=1, lease_seconds=60, suspicious=2, may_suspect=True)
            await queries.renew(conn, Stage.PLACE, [(found.asset_id, found.lease_epoch)], lease_seconds=60)
        cursor = await conn.execute(
            "select n_tup_upd, n_tup_hot_upd from pg_stat_xact_user_tables where relname = 'asset_stages'"
        )
        updated, in_place = (await cursor.fetchall())[0]

    assert (updated, in_place) == (10, 10)
