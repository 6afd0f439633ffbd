"""Albums are put in order, left and filled while what is in them comes and goes: nobody waits in a circle."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

from common import trash
from common.db import Connection, Pool
from gateway import albums
from gateway.queries import album_assets
from tests.support.albums import ALBUMS, assets_of, data, filled
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.rows import ask

COUNT, ROUNDS = 300, 20
UNTRUE = """
    select 1
    from album_assets x
    join assets a using (asset_id)
    where x.is_there <> (a.trashed_at is null) or x.sort_at <> a.sort_at
"""

Deed = Callable[[Connection], Awaitable[object]]


async def again_and_again(pool: Pool, *deeds: Deed) -> None:
    """Do each in a transaction of its own, in turns."""
    for _ in range(ROUNDS):
        for deed in deeds:
            async with pool.connection() as conn:
                await deed(conn)


async def test_albums_change_while_their_assets_come_and_go(
    api: Api, pool: Pool, repository: Repository, user: User
) -> None:
    """Trashed and restored, put in order, taken out and put back: all of it is done, and what is shown is true."""
    mine = sorted(UUID(asset) for asset in await assets_of(pool, repository, user, COUNT))
    album = await filled(api, reversed(mine))
    owner = user.user_id

    async def spread(conn: Connection) -> None:
        await albums.hold(conn, album, user=owner)
        await album_assets.spread(conn, album)

    await asyncio.gather(
        again_and_again(
            pool,
            lambda conn: trash.put_many(conn, mine, owner=owner, lane=1),
            lambda conn: trash.take_back_many(conn, mine, owner=owner, lane=1),
        ),
        again_and_again(pool, *[spread] * 8),
        again_and_again(
            pool,
            lambda conn: albums.remove_many(conn, album, mine[::2], user=owner),
            lambda conn: albums.add(conn, album, mine[::-2], user=owner),
            lambda conn: albums.add(conn, album, mine, user=owner),
        ),
    )

    assert await ask(pool, UNTRUE) == []
    assert data(await api.client.get(f"{ALBUMS}/{album}"))["asset_count"] == COUNT
