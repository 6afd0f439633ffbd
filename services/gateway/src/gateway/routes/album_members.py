"""Whom an album is shared with, among those who sign in here."""

from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from common.db import Connection
from gateway import album_parts, albums, audit
from gateway.album_schemas import AddMember, ChangeMember, MemberList
from gateway.declared import may
from gateway.errors import Conflict
from gateway.policies import READ, SHARE, Caller
from gateway.queries import album_members as queries
from gateway.queries.album_members import Member
from gateway.queries.users import User
from gateway.schemas import Envelope, Message


@get("/albums/{album_id:int}/members", opt=READ)
async def list_members(
    conn: NamedDependency[Connection], user: NamedDependency[User], album_id: FromPath[int]
) -> Envelope[MemberList]:
    """Everybody who has part in an album, its owner first."""
    await albums.part(conn, album_id, user=user.user_id)
    return Envelope(data=MemberList(members=await queries.list_members(conn, album_id)))


@post("/albums/{album_id:int}/members", status_code=200, opt=SHARE | may(Conflict))
async def add_member(
    conn: NamedDependency[Connection],
    caller: NamedDependency[Caller],
    album_id: FromPath[int],
    data: JSONBody[AddMember],
) -> Envelope[Member]:
    """Share one of the caller's albums with somebody, by the exact user name."""
    added = await album_parts.invite(conn, album_id, data.username, role=data.role, user=caller.user.user_id)
    await audit.note(conn, "album shared", caller, about=f"album {album_id}", to=added, role=data.role)
    return Envelope(data=await album_parts.show(conn, album_id, added))


@get("/albums/{album_id:int}/members/{user_id:int}", opt=READ)
async def get_member(
    conn: NamedDependency[Connection], user: NamedDependency[User], album_id: FromPath[int], user_id: FromPath[int]
) -> Envelope[Member]:
    """One of those who have part in an album."""
    await albums.part(conn, album_id, user=user.user_id)
    return Envelope(data=await album_parts.show(conn, album_id, user_id))


@put("/albums/{album_id:int}/members/{user_id:int}", opt=SHARE | may(Conflict))
async def change_member(
    conn: NamedDependency[Connection],
    caller: NamedDependency[Caller],
    album_id: FromPath[int],
    user_id: FromPath[int],
    data: JSONBody[ChangeMember],
) -> Envelope[Member]:
    """Let a member of one of the caller's albums do more there, or less."""
    await album_parts.change(conn, album_id, user_id, role=data.role, user=caller.user.user_id)
    await audit.note(conn, "album member changed", caller, about=f"album {album_id}", who=user_id, role=data.role)
    return Envelope(data=await album_parts.show(conn, album_id, user_id))


@delete("/albums/{album_id:int}/members/{user_id:int}", status_code=200, opt=SHARE | may(Conflict))
async def remove_member(
    conn: NamedDependency[Connection], caller: NamedDependency[Caller], album_id: FromPath[int], user_id: FromPath[int]
) -> Envelope[Message]:
    """Share an album with somebody no longer, or leave it oneself; what they added goes with them."""
    await album_parts.part_with(conn, album_id, user_id, user=caller.user.user_id)
    await audit.note(conn, "album shared no longer", caller, about=f"album {album_id}", who=user_id)
    return Envelope(data=Message(message="they have no part in the album any more"))


HANDLERS = [list_members, add_member, get_member, change_member, remove_member]
