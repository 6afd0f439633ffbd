"""What people do with albums: each deed looks first whether the person may, and is one transaction of the caller's."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from msgspec import structs

from common.db import Connection
from gateway import album_order
from gateway.errors import Forbidden, NotFound
from gateway.queries import album_assets, reach
from gateway.queries import albums as queries
from gateway.queries.albums import Album, Held, Role

WRITERS: frozenset[Role] = frozenset({"owner", "editor"})


async def show(conn: Connection, album_id: int, *, user: int) -> Album:
    """An album that the user has part in."""
    found = await queries.list_albums(conn, [album_id], user=user)
    if not found:
        raise _unknown(album_id)
    return found[0]


async def part(conn: Connection, album_id: int, *, user: int) -> Role:
    """What part the user has in an album."""
    role = await queries.find_role(conn, album_id, user=user)
    if role is None:
        raise _unknown(album_id)
    return role


async def hold(conn: Connection, album_id: int, *, user: int) -> Held:
    """An album that the user has part in, which nobody else changes until the transaction ends."""
    held = await queries.lock_album(conn, album_id, user=user)
    if held is None:
        raise _unknown(album_id)
    return held


async def hold_own(conn: Connection, album_id: int, *, user: int) -> Held:
    """The same of an album of the user's own; whoever else has part in it is told that it is not."""
    held = await hold(conn, album_id, user=user)
    if held.role != "owner":
        raise Forbidden("only the owner of the album may do this")
    return held


async def check_cover(conn: Connection, asset_id: UUID, *, user: int) -> None:
    """NotFound for a cover that the user may not see."""
    if await reach.find_owner(conn, asset_id, user) is None:
        raise NotFound(f"no asset {asset_id}")


async def add(
    conn: Connection, album_id: int, asset_ids: Iterable[UUID], *, user: int, place: int | None = None
) -> None:
    """Put assets of the user's own into an album, all or none of them; those that are in it stay where they are."""
    wanted = list(dict.fromkeys(asset_ids))
    own = await album_assets.lock_own(conn, wanted, owner=user)  # assets are locked before albums
    held = await hold(conn, album_id, user=user)
    if held.role not in WRITERS:
        raise Forbidden("only the owner of the album and its editors may add to it")
    if unknown := next((asset for asset in wanted if asset not in own), None):
        raise NotFound(f"no asset {unknown}")
    found = await album_order.make_room(conn, album_id, place, count=len(wanted))
    await album_assets.save_assets(conn, album_id, wanted, start=found.start, step=found.step, added_by=user)
    await queries.save_album(conn, held)


async def move(conn: Connection, album_id: int, asset_id: UUID, *, user: int, place: int) -> None:
    """Let an asset stand at this place of what the album shows, the first being 0; beyond its end means at its end."""
    held = await hold_own(conn, album_id, user=user)
    if await album_assets.find_asset_owner(conn, album_id, asset_id) is None:
        raise NotFound(f"no asset {asset_id} in this album")
    found = await album_order.make_room(conn, album_id, place, count=1, without=asset_id)
    await album_assets.save_position(conn, album_id, asset_id, found.start)
    await queries.save_album(conn, held)


async def remove(conn: Connection, album_id: int, asset_id: UUID, *, user: int) -> None:
    """Take an asset out: its owner may, and the owner of the album; what is not in it is nothing to be done."""
    held = await hold(conn, album_id, user=user)
    owner = await album_assets.find_asset_owner(conn, album_id, asset_id)
    if owner is None:
        return
    if user not in {owner, held.owner_id}:
        raise Forbidden("only the owner of the album may take out what others added")
    await album_assets.forget_asset(conn, album_id, asset_id)
    is_cover = held.cover_asset_id == asset_id
    await queries.save_album(conn, structs.replace(held, cover_asset_id=None) if is_cover else held)


async def require_writer(conn: Connection, album_id: int, *, user: int) -> None:
    """Forbidden for somebody who may not add to an album that they have part in."""
    if await part(conn, album_id, user=user) not in WRITERS:
        raise Forbidden("only the owner of the album and its editors may add to it")


async def remove_many(conn: Connection, album_id: int, asset_ids: Sequence[UUID], *, user: int) -> Sequence[UUID]:
    """Take assets of the user's own out of an album; returns those that were in it."""
    await album_assets.lock_own(conn, list(asset_ids), owner=user)  # assets are locked before albums
    held = await hold(conn, album_id, user=user)
    gone = await album_assets.forget_own(conn, album_id, asset_ids, owner=user)
    if gone:
        cover = None if held.cover_asset_id in gone else held.cover_asset_id
        await queries.save_album(conn, structs.replace(held, cover_asset_id=cover))
    return gone


def _unknown(album_id: int) -> NotFound:
    return NotFound(f"no album {album_id}")
