"""Whoever holds several rows took them in one order, stages before their asset, so that nobody waits in a circle."""

import asyncio
from uuid import UUID

import pytest

from common import queries, trash
from common.db import Pool
from common.stages import Stage
from gateway import reprocess, transcode
from ingest.handlers import Ingest
from ingest.purge import Purge
from tests.support import playing
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.placing import PHOTO, new_asset, place_all, placed
from tests.support.purging import throw, wish
from tests.support.rows import ask, claim, do
from tests.support.waiting import until

WAITING = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"


async def test_a_duplicate_brings_back_what_is_just_being_rendered(api: Api, pool: Pool, ingest: Ingest) -> None:
    """The upload waits for the rendering to settle, which goes on to write to the asset."""
    await api.upload()
    await place_all(pool, ingest)
    await do(pool, "update assets set trashed_at = now()")
    await do(pool, "update asset_stages set lane = 1 where stage = 'render'")
    rendering = await claim(pool, Stage.RENDER)

    async with rendering.settle(pool) as conn:
        upload = asyncio.create_task(api.upload())
        await until(lambda: ask(pool, WAITING))
        await conn.execute("update assets set width = 1")

    assert (await upload).status_code == 200
    assert await ask(pool, "select width, trashed_at from assets") == [(1, None)]


async def test_a_wish_to_render_waits_for_the_place(pool: Pool, repository: Repository, user: User) -> None:
    """Many wishes hold the place of an asset before its rendering, and so does a single one."""
    asset = await new_asset(pool, repository, user, 1)

    async def wish() -> None:
        async with pool.connection() as conn:
            await reprocess.reopen(conn, asset, owner=user.user_id)

    async with pool.connection() as conn:
        await conn.execute("select from asset_stages where stage = 'place' for update")
        task = asyncio.create_task(wish())
        await until(lambda: ask(pool, WAITING))
        await conn.execute("select from asset_stages where stage = 'render' for update nowait")

    await task


async def test_a_wish_for_a_web_version_waits_for_the_place_and_the_rendering(
    pool: Pool, repository: Repository, user: User
) -> None:
    """As everything does that holds several stages of an asset: place, then render, then transcode, then the asset."""
    asset = await playing.stored(pool, repository, user, "video/mp4")
    await playing.rendered(pool, asset)

    async def wish() -> None:
        async with pool.connection() as conn:
            await transcode.wish(conn, asset, "always", owner=user.user_id)

    for held, free in [("place", "render"), ("render", "transcode")]:
        async with pool.connection() as conn:
            await conn.execute("select from asset_stages where stage = %s for update", (held,))
            task = asyncio.create_task(wish())
            await until(lambda: ask(pool, WAITING))
            await conn.execute("select from asset_stages where stage = %s for update nowait", (free,))
            await conn.execute("select from assets for update nowait")
        await task


@pytest.fixture
async def two(pool: Pool, user: User) -> list[UUID]:
    """Two assets whose render stage runs, in the order of their ids, in a table that is worth an index."""
    await do(
        pool,
        f"""
        with made as (
            insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename)
            select {user.user_id}, sha256(n::text::bytea), 1, 'photo', 'image/jpeg', n || '.jpg'
            from generate_series(1, 3000) n
            returning asset_id
        )
        insert into asset_stages (asset_id, stage, owner_id, state)
        select asset_id, 'render', {user.user_id}, 'blocked' from made
        """,
    )
    due = "(select asset_id from asset_stages order by asset_id limit 2)"
    await do(pool, f"update asset_stages set state = 'pending', next_at = now() where asset_id in {due}")
    await do(pool, "analyze asset_stages")
    return sorted([(await claim(pool, Stage.RENDER)).asset_id for _ in range(2)])


async def test_many_leases_are_given_back_in_the_order_of_their_assets(pool: Pool, two: list[UUID]) -> None:
    """As those do who have many processed again, however a worker came by its claims."""

    async def write() -> None:
        async with pool.connection() as conn:
            await queries.give_back(conn, Stage.RENDER, two[::-1], [1, 1])

    async with pool.connection() as conn:
        await conn.execute("select from asset_stages where asset_id = %s for update", (two[0],))
        task = asyncio.create_task(write())
        await until(lambda: ask(pool, WAITING))
        await conn.execute("select from asset_stages where asset_id = %s for update nowait", (two[1],))

    await task


async def test_a_purge_waits_for_the_place_before_it_holds_anything(
    pool: Pool, repository: Repository, user: User, ingest: Ingest
) -> None:
    """It settles its own stage last, as all others lock the place of an asset before its purge."""
    asset = await placed(pool, repository, user, PHOTO)
    await throw(pool, user, asset)
    await wish(pool, asset)
    claimed = await claim(pool, Stage.PURGE)

    async with pool.connection() as conn:
        await conn.execute("select from asset_stages where stage = 'place' for update")
        task = asyncio.create_task(Purge(pool).purge(claimed))
        await until(lambda: ask(pool, WAITING))
        await conn.execute("select from asset_stages where stage = 'purge' for update nowait")
        await conn.execute("select from assets for update nowait")
        await conn.execute("select from file_records for update nowait")

    await task
    assert await ask(pool, "select 1 from assets") == []


async def test_restoring_and_purging_many_lock_in_one_order(pool: Pool, repository: Repository, user: User) -> None:
    """By their assets, whatever order somebody names them in."""
    assets = sorted([await placed(pool, repository, user, PHOTO + b"%d" % number) for number in range(2)])
    await throw(pool, user, *assets)

    async def restore() -> None:
        async with pool.connection() as conn:
            await trash.take_back_many(conn, assets[::-1], owner=user.user_id)

    async def purge() -> None:
        async with pool.connection() as conn:
            await trash.purge(conn, assets[::-1], asked_by=None, why="asked")

    for write in (purge, restore):
        async with pool.connection() as conn:
            await conn.execute("select from asset_stages where asset_id = %s for update", (assets[0],))
            task = asyncio.create_task(write())
            await until(lambda: ask(pool, WAITING))
            await conn.execute("select from asset_stages where asset_id = %s for update nowait", (assets[1],))
            await conn.execute("select from assets for update nowait")
        await task
