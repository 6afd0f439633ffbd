"""The order of an album is that of a plain list, whatever is done to it and by however many at once."""

import asyncio
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import product
from uuid import UUID

import pytest
from psycopg.sql import SQL

from common.db import Connection, Pool
from gateway import albums
from gateway.album_order import Positions, positions
from gateway.queries import album_assets
from gateway.queries import albums as queries
from gateway.queries.album_assets import ROOM, Bounds, Cursor, Sort
from tests.support.albums import assets_of, fill
from tests.support.given import Repository, User
from tests.support.rows import ask, do

INDEXES: dict[Sort, str] = {
    "position": "album_assets_shown",
    "taken": "album_assets_taken",
    "added": "album_assets_added",
}


@pytest.fixture
async def album(pool: Pool, user: User) -> int:
    """An empty album of anna's."""
    async with pool.connection() as conn:
        return await queries.save_new(conn, owner=user.user_id, name="Summer", description=None, cover=None)


@pytest.fixture
async def assets(pool: Pool, repository: Repository, user: User) -> list[UUID]:
    """Twelve assets of anna's."""
    return [UUID(asset) for asset in await assets_of(pool, repository, user, 12)]


@pytest.mark.parametrize("seed", range(4))
async def test_an_album_is_a_list(pool: Pool, user: User, album: int, assets: list[UUID], seed: int) -> None:
    """Adding, moving and taking out in any order leave what a list would have."""
    choice, anna = random.Random(seed), user.user_id
    wanted: list[UUID] = []
    for _ in range(120):
        asset, place = choice.choice(assets), choice.randrange(14)
        async with pool.connection() as conn:
            if asset not in wanted:
                await albums.add(conn, album, [asset], user=anna, place=place)
                wanted.insert(place, asset)
            elif choice.random() < 0.2:
                await albums.remove(conn, album, asset, user=anna)
                wanted.remove(asset)
            else:
                await albums.move(conn, album, asset, user=anna, place=place)
                wanted.remove(asset)
                wanted.insert(place, asset)

    assert await order(pool, album) == wanted


async def test_a_place_between_two_holds_more_than_one_may_think(
    pool: Pool, user: User, album: int, assets: list[UUID]
) -> None:
    """When there is no room left between the same two, all get room again, and none its neighbour's place."""
    wanted = assets[:]
    async with pool.connection() as conn:
        await albums.add(conn, album, assets, user=user.user_id)
        for turn in range(150):
            moved = wanted[2 + turn % 10]
            await albums.move(conn, album, moved, user=user.user_id, place=1)
            wanted.remove(moved)
            wanted.insert(1, moved)

    assert await order(pool, album) == wanted


async def test_many_at_once_move_in_turn(pool: Pool, user: User, album: int, assets: list[UUID]) -> None:
    """Each asset has one place in the end, and no two the same."""
    async with pool.connection() as conn:
        await albums.add(conn, album, assets, user=user.user_id)

    async def move(asset: UUID, place: int) -> None:
        async with pool.connection() as conn:
            await albums.move(conn, album, asset, user=user.user_id, place=place)

    await asyncio.gather(*(move(asset, place % 3) for place, asset in enumerate(assets * 4)))

    assert sorted(await order(pool, album)) == sorted(assets)
    assert await ask(pool, "select count(distinct position) from album_assets") == [len(assets)]


async def test_who_is_trashed_while_being_added_is_not_shown(
    pool: Pool, user: User, album: int, assets: list[UUID]
) -> None:
    """Adding waits for the word about the asset, and believes it."""
    async with pool.connection() as trashing:
        await trashing.execute("update assets set trashed_at = now() where asset_id = %s", (assets[0],))
        adding = asyncio.create_task(_add(pool, album, assets, user))
        await asyncio.wait({adding}, timeout=0.2)
        is_waiting = not adding.done()
    await adding

    assert is_waiting
    assert await order(pool, album) == assets[1:]


@pytest.mark.parametrize(
    ("bounds", "count", "found"),
    [
        (Bounds(lower=None, upper=None), 3, Positions(ROOM, ROOM)),
        (Bounds(lower=7, upper=None), 3, Positions(7 + ROOM, ROOM)),
        (Bounds(lower=None, upper=7), 3, Positions(7 - 3 * ROOM, ROOM)),
        (Bounds(lower=0, upper=8), 3, Positions(2, 2)),
        (Bounds(lower=0, upper=4), 3, Positions(1, 1)),
        (Bounds(lower=0, upper=3), 3, None),
    ],
)
def test_positions_lie_between_the_bounds(bounds: Bounds, count: int, found: Positions | None) -> None:
    """None of them is a bound, and none is beyond one."""
    assert positions(bounds, count) == found


async def test_moving_one_of_fifty_thousand_writes_one_row(pool: Pool, user: User, album: int) -> None:
    """Whether it goes to the front, to the end or in between."""
    await fill(pool)
    (asset,) = await ask(pool, "select asset_id from album_assets order by position offset 30000 limit 1")

    for place in (0, 25_000, 60_000):
        async with written(pool) as rows, pool.connection() as conn:
            await albums.move(conn, album, asset, user=user.user_id, place=place)
        assert rows == [1]

    (last,) = await ask(pool, "select asset_id from album_assets order by position desc limit 1")
    assert last == asset


async def test_a_page_is_a_walk_along_an_index(pool: Pool, album: int) -> None:
    """However deep it is and however sorted, it reads as many rows as it has."""
    await fill(pool)
    await do(pool, "analyze album_assets")

    for (sort, index), is_descending in product(INDEXES.items(), (False, True)):
        async with pool.connection() as conn:
            deep = await album_assets.list_page(
                conn, album, sort=sort, is_descending=is_descending, after=None, limit=1, offset=40_000
            )
            end = Cursor(key=deep[0].key, asset_id=deep[0].asset_id, place=40_000)
            plan = await explained(conn, album, end, sort=sort, is_descending=is_descending)
        walk = next(line for line in plan.splitlines() if "on album_assets" in line)
        assert index in walk
        assert re.search(r"actual rows=100\b", walk), walk


async def explained(conn: Connection, album: int, after: Cursor, *, sort: Sort, is_descending: bool) -> str:
    statement = album_assets.page_statement(sort=sort, is_descending=is_descending, follows=True)
    cursor = await conn.execute(
        SQL("explain (analyze, timing off) ") + statement,
        {"album": album, "limit": 100, "offset": 0, "key": after.key, "asset": after.asset_id},
    )
    return "\n".join(line for (line,) in await cursor.fetchall())


@asynccontextmanager
async def written(pool: Pool) -> AsyncIterator[list[int]]:
    """How many rows of albums were written, by the versions that they have."""
    before = await ask(pool, "select asset_id, xmin::text from album_assets")
    rows: list[int] = []
    yield rows
    rows.append(len(set(await ask(pool, "select asset_id, xmin::text from album_assets")) - set(before)))


async def order(pool: Pool, album: int) -> list[UUID]:
    """What an album shows, in its order."""
    async with pool.connection() as conn:
        found = await album_assets.list_page(
            conn, album, sort="position", is_descending=False, after=None, limit=100, offset=0
        )
    return [entry.asset_id for entry in found]


async def _add(pool: Pool, album: int, assets: list[UUID], user: User) -> None:
    async with pool.connection() as conn:
        await albums.add(conn, album, assets, user=user.user_id)
