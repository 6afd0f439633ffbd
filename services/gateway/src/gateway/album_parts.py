"""What people do about who has part in an album: they invite by exact names, change what one may do, part and leave."""

from common.db import Connection
from gateway import albums
from gateway.errors import Conflict, Forbidden, NotFound
from gateway.queries import album_assets
from gateway.queries import album_members as queries
from gateway.queries.album_members import Member, Part


async def show(conn: Connection, album_id: int, user_id: int) -> Member:
    """One of those who have part in an album that the caller was found to have part in."""
    for member in await queries.list_members(conn, album_id):
        if member.user_id == user_id:
            return member
    raise NotFound(f"nobody with the id {user_id} has part in this album")


async def invite(conn: Connection, album_id: int, username: str, *, role: Part, user: int) -> int:
    """Share an album of the user's with somebody; returns who that is."""
    held = await albums.hold_own(conn, album_id, user=user)
    invited = await queries.find_user_id(conn, username)
    if invited is None:
        raise NotFound("nobody here is called exactly so")
    if invited == held.owner_id:
        raise Conflict("the album is your own")
    await queries.save_member(conn, album_id, user=invited, role=role)
    return invited


async def change(conn: Connection, album_id: int, user_id: int, *, role: Part, user: int) -> None:
    """Let a member do more or less; nobody becomes one by their id, for ids can be guessed, and names read then."""
    held = await albums.hold_own(conn, album_id, user=user)
    if user_id == held.owner_id:
        raise Conflict("the owner of an album stays its owner")
    await show(conn, album_id, user_id)
    await queries.save_member(conn, album_id, user=user_id, role=role)


async def part_with(conn: Connection, album_id: int, user_id: int, *, user: int) -> None:
    """Let a member go, or leave; their own assets go out of the album with them."""
    await albums.part(conn, album_id, user=user)
    await album_assets.lock_assets(conn, album_id, owner=user_id)  # assets are locked before albums
    held = await albums.hold(conn, album_id, user=user)
    if user not in {user_id, held.owner_id}:
        raise Forbidden("only the owner of the album may part with somebody else")
    if user_id == held.owner_id:
        raise Conflict("the owner cannot leave an album: delete it")
    await show(conn, album_id, user_id)
    await album_assets.forget_assets_of(conn, album_id, owner=user_id)
    await queries.forget_member(conn, album_id, user=user_id)
