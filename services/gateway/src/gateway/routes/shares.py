"""Links that show an album to people without an account, as the owner of the album makes them."""

from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET

from common.db import Connection, Pool
from gateway import shares
from gateway.declared import may
from gateway.errors import Conflict, Crowded
from gateway.policies import SHARE, Caller
from gateway.queries.shares import Share
from gateway.queries.users import User
from gateway.schemas import Envelope, Message
from gateway.share_schemas import ChangeShare, CreateShare, NewShare, ShareList
from gateway.share_visits import Visits


@post("/albums/{album_id:int}/shares", status_code=200, opt=SHARE | may(Conflict, Crowded))
async def create_share(
    pool: NamedDependency[Pool],
    visits: NamedDependency[Visits],
    caller: NamedDependency[Caller],
    album_id: FromPath[int],
    data: JSONBody[CreateShare | None] = None,
) -> Envelope[NewShare]:
    """A new link to one of the caller's albums; only this answer says what it is. The body may be left out."""
    wanted = data or CreateShare()
    hashed = await visits.hashing.hashed(wanted.password) if wanted.password else None
    async with pool.connection() as conn:
        return Envelope(data=await shares.create(conn, album_id, wanted, hashed, by=caller))


@get("/albums/{album_id:int}/shares", opt=SHARE)
async def list_shares(
    conn: NamedDependency[Connection], user: NamedDependency[User], album_id: FromPath[int]
) -> Envelope[ShareList]:
    """The links to an album that the caller has part in, a hundred at most."""
    return Envelope(data=ShareList(shares=await shares.list_all(conn, album_id, user=user.user_id)))


@put("/albums/{album_id:int}/shares/{share_id:int}", opt=SHARE | may(Crowded))
async def change_share(
    pool: NamedDependency[Pool],
    visits: NamedDependency[Visits],
    caller: NamedDependency[Caller],
    album_id: FromPath[int],
    share_id: FromPath[int],
    data: JSONBody[ChangeShare],
) -> Envelope[Share]:
    """Let a link allow something else, end earlier or later, or have another password."""
    hashed = await visits.hashing.hashed(data.password) if data.password not in {UNSET, None} else None
    async with pool.connection() as conn:
        return Envelope(data=await shares.change(conn, album_id, share_id, data, hashed, by=caller))


@delete("/albums/{album_id:int}/shares/{share_id:int}", status_code=200, opt=SHARE)
async def revoke_share(
    conn: NamedDependency[Connection], caller: NamedDependency[Caller], album_id: FromPath[int], share_id: FromPath[int]
) -> Envelope[Message]:
    """Take a link back: it leads nowhere from now on."""
    await shares.revoke(conn, album_id, share_id, by=caller)
    return Envelope(data=Message(message="the link leads nowhere any more"))


HANDLERS = [create_share, list_shares, change_share, revoke_share]
