"""Owners of many vectors have an index of their own, whatever became of the builds before, and nobody waits for one."""

import asyncio
from uuid import UUID, uuid4

import pytest
from psycopg import AsyncConnection

from common import db
from common import lease_queries as leases
from common.db import Pool, glance
from ml_dispatcher import index_queries, indexes
from tests.support import given
from tests.support.rows import ask, do
from tests.support.vectors import clustered, embed, new_assets, new_space
from tests.support.waiting import until

DIMENSION, LEAST = 8, 100
THERE = """
    select c.relname || case when i.indisvalid then '' else ' (broken)' end
    from pg_index i
    join pg_class c on c.oid = i.indexrelid
    where c.relname like 'embeddings_hnsw%'
    order by 1
"""


@pytest.fixture
async def owners(pool: Pool) -> list[int]:
    """Two people."""
    return [(await given.new_user(pool, name, "x", password_hash="x")).user_id for name in ("anna", "bert")]


async def add(url: str, space: int, owner: int, count: int) -> list[UUID]:
    """So many more pictures with vectors."""
    async with db.alone(url) as conn:
        assets = await new_assets(conn, [owner] * count)
        await embed(conn, space, assets, [owner] * count, clustered(count, dimension=DIMENSION, seed=count))
        return assets


async def space_of(pool: Pool, model: str = "test", state: str = "current") -> int:
    async with pool.connection() as conn:
        return await new_space(conn, model=model, dimension=DIMENSION, state=state)


async def there(pool: Pool) -> list[str]:
    """The indexes that there are."""
    return await ask(pool, THERE)


async def test_who_has_many_gets_an_index_and_keeps_it(pool: Pool, database_url: str, owners: list[int]) -> None:
    """As long as they have half as many, and the space is in use; another round changes nothing."""
    (anna, bert), space = owners, await space_of(pool)
    assets = await add(database_url, space, anna, LEAST)
    await add(database_url, space, bert, LEAST - 1)
    for _ in range(2):
        await indexes.tend(pool, database_url, least=LEAST)
        assert await there(pool) == [f"embeddings_hnsw_{space}_{anna}"]

    for kept in (LEAST // 2, LEAST // 2 - 1):
        gone = "', '".join(map(str, assets[kept:]))
        await do(pool, f"delete from embeddings where asset_id in ('{gone}')")
        await indexes.tend(pool, database_url, least=LEAST)
        assert await there(pool) == [f"embeddings_hnsw_{space}_{anna}"] * (kept == LEAST // 2)

    await add(database_url, space, bert, 1)
    await indexes.tend(pool, database_url, least=LEAST)
    await do(pool, "update embedding_spaces set state = 'retired'")
    await indexes.tend(pool, database_url, least=LEAST)
    assert await there(pool) == []


async def test_a_new_space_is_filled_before_it_is_indexed(pool: Pool, database_url: str, owners: list[int]) -> None:
    """Each vector would cost some milliseconds more; the space in which is searched has its index at once."""
    (anna, _), spaces = owners, [await space_of(pool), await space_of(pool, "new", "filling")]
    for space in spaces:
        (asset, *_) = await add(database_url, space, anna, LEAST)
        row = f"('{asset}', 'embed:{space}', {anna}, 'pending', now())"
        await do(pool, f"insert into asset_stages (asset_id, stage, owner_id, state, next_at) values {row}")

    await indexes.tend(pool, database_url, least=LEAST)
    assert await there(pool) == [f"embeddings_hnsw_{spaces[0]}_{anna}"]

    await do(pool, "update asset_stages set state = 'done', next_at = null")
    await indexes.tend(pool, database_url, least=LEAST)
    assert await there(pool) == [f"embeddings_hnsw_{space}_{anna}" for space in spaces]


async def test_a_build_that_died_is_made_anew(pool: Pool, database_url: str, owners: list[int]) -> None:
    """What it left is no use to anybody and would be kept up to date; while it lives nobody takes it away or waits."""
    (anna, _), space = owners, await space_of(pool)
    (asset, *_) = await add(database_url, space, anna, LEAST)
    name = f"embeddings_hnsw_{space}_{anna}"
    async with await AsyncConnection.connect(database_url) as writer:
        await writer.execute("update embeddings set at_ms = 1 where asset_id = %s", (asset,))
        building = asyncio.create_task(indexes.tend(pool, database_url, least=LEAST))
        await until(lambda: is_listed(pool, f"{name} (broken)"), what="a build that waits for the writer")

        await writer.execute("update embeddings set at_ms = 2 where asset_id = %s", (asset,))
        async with glance(pool) as conn:
            assert (await index_queries.find_progress(conn)) is not None
            assert [index.is_building for index in await index_queries.list_indexes(conn)] == [True]
        await indexes.tend(pool, database_url, least=LEAST)  # somebody else is at it
        assert await there(pool) == [f"{name} (broken)"]

        building.cancel()
        await asyncio.wait([building])
    assert await there(pool) == [f"{name} (broken)"]

    await indexes.tend(pool, database_url, least=LEAST)
    assert await there(pool) == [name]


async def test_a_build_of_a_dispatcher_that_is_gone_is_left_alone(
    pool: Pool, database_url: str, owners: list[int]
) -> None:
    """The database may go on for a while when nobody waits any more: whoever has the lease then takes nothing away."""
    (anna, _), space = owners, await space_of(pool)
    (asset, *_) = await add(database_url, space, anna, LEAST)
    name = f"embeddings_hnsw_{space}_{anna}"
    async with await AsyncConnection.connect(database_url) as writer, db.alone(database_url) as conn:
        await writer.execute("update embeddings set at_ms = 1 where asset_id = %s", (asset,))
        (wanted,) = await index_queries.list_many(conn, least=LEAST)
        building = asyncio.create_task(index_queries.build(conn, wanted))
        await until(lambda: is_listed(pool, f"{name} (broken)"), what="a build that waits for the writer")

        await indexes.tend(pool, database_url, least=LEAST)

        await writer.rollback()
        await building
    assert await there(pool) == [name]


async def test_one_dispatcher_at_a_time(pool: Pool, database_url: str, owners: list[int]) -> None:
    """Who comes while somebody else holds the lease goes again."""
    space = await space_of(pool)
    await add(database_url, space, owners[0], LEAST)
    somebody = uuid4()
    async with glance(pool) as conn:
        await leases.take(conn, indexes.LEASE, somebody, seconds=60)

    await indexes.tend(pool, database_url, least=LEAST)
    assert await there(pool) == []

    async with glance(pool) as conn:
        await leases.give(conn, indexes.LEASE, somebody)
    await indexes.tend(pool, database_url, least=LEAST)
    assert await ask(pool, "select count(*) from leases where name = 'vector indexes'") == [0]
    assert len(await there(pool)) == 1


async def test_indexes_are_tended_until_the_end(
    pool: Pool, database_url: str, owners: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dispatcher that is told to stop does not wait for a build that waits for somebody."""
    (anna, _), space = owners, await space_of(pool)
    (asset, *_) = await add(database_url, space, anna, LEAST)
    monkeypatch.setattr(indexes, "LEAST", LEAST)
    stop = asyncio.Event()
    running = asyncio.create_task(indexes.run(pool, database_url, stop, idle_seconds=0.02))
    await until(lambda: is_listed(pool, f"embeddings_hnsw_{space}_{anna}"), what="an index")

    async with await AsyncConnection.connect(database_url) as writer:
        await writer.execute("update embeddings set at_ms = 1 where asset_id = %s", (asset,))
        await add(database_url, space, owners[1], LEAST)
        await until(lambda: is_listed(pool, f"embeddings_hnsw_{space}_{owners[1]} (broken)"), what="a build that waits")
        stop.set()
        await asyncio.wait_for(running, 60)


async def is_listed(pool: Pool, name: str) -> bool:
    return name in await there(pool)
