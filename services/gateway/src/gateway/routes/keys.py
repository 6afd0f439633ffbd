"""Keys for programs, which do what their user may and no more than they were given."""

from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Struct

from common.db import Connection
from gateway import audit, cursors, tokens
from gateway.account_schemas import KeyList, KeyRequest, MadeKey
from gateway.declared import may
from gateway.errors import Conflict, Forbidden, Invalid, NotFound
from gateway.paging import Limit
from gateway.policies import ACCOUNT, Caller
from gateway.queries import keys
from gateway.schemas import Envelope, Message

MOST_KEYS = 100


class Cursor(Struct, frozen=True, kw_only=True, array_like=True):
    """Where a page ended."""

    key_id: int


@post("/auth/keys", status_code=200, opt=ACCOUNT | may(Conflict))
async def make_key(
    conn: NamedDependency[Connection], caller: NamedDependency[Caller], data: JSONBody[KeyRequest]
) -> Envelope[MadeKey]:
    """Make a key, to be sent as `Authorization: Bearer lum_...`; it is told this once."""
    user = caller.user
    if "admin" in data.scopes and not user.is_admin:
        raise Forbidden("only an administrator has keys with the scope `admin`")
    if await keys.count_keys(conn, user=user.user_id) >= MOST_KEYS:
        raise Conflict(f"there are {MOST_KEYS} keys: remove one that is not used")
    secret, scopes = tokens.KEY_PREFIX + tokens.new(), sorted(set(data.scopes))
    made = await keys.save_key(
        conn, tokens.digest(secret), user=user.user_id, name=data.name, scopes=scopes, expires_at=data.expires_at
    )
    if made is None:
        raise Invalid("`expires_at` is over: name a time to come, or none")
    await audit.note(conn, "key made", caller, about=f"key {made.key_id}", name=data.name, scopes=scopes)
    return Envelope(data=MadeKey(key=made, secret=secret))


@get("/auth/keys", opt=ACCOUNT)
async def list_keys(
    conn: NamedDependency[Connection],
    caller: NamedDependency[Caller],
    limit: Limit = 20,
    after: FromQuery[str | None] = None,
) -> Envelope[KeyList]:
    """The caller's keys, the newest first, without what opens; `after` takes the `next` before."""
    start = None if after is None else cursors.read(after, Cursor).key_id
    found = await keys.list_keys(conn, user=caller.user.user_id, before=start, limit=limit)
    end = Cursor(key_id=found[-1].key_id) if len(found) == limit else None
    return Envelope(data=KeyList(keys=found, limit=limit, next=cursors.write(end)))


@delete("/auth/keys/{key_id:int}", status_code=200, opt=ACCOUNT)
async def remove_key(
    conn: NamedDependency[Connection], caller: NamedDependency[Caller], key_id: FromPath[int]
) -> Envelope[Message]:
    """Remove one of the caller's keys: it opens nothing from now on."""
    name = await keys.forget_key(conn, key_id, user=caller.user.user_id)
    if name is None:
        raise NotFound(f"no key {key_id}")
    await audit.note(conn, "key removed", caller, about=f"key {key_id}", name=name)
    return Envelope(data=Message(message="the key opens nothing any more"))


HANDLERS = [make_key, list_keys, remove_key]
