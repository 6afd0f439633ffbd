"""Assets that people put together, of which one stands for all."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from litestar import delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import UNSET

from common.db import Connection
from common.process import Core
from gateway import editing
from gateway.declared import may
from gateway.errors import Conflict, Invalid, NotFound
from gateway.policies import EDIT, READ
from gateway.queries import hand_stacks as queries
from gateway.queries import organising
from gateway.queries.hand_stacks import Stack
from gateway.queries.users import User
from gateway.schemas import Envelope, Message
from gateway.stack_schemas import CoverRequest, PutTogetherDTO, StackList, StackRequest

MOST = 100


@post("/stacks", status_code=200, opt=EDIT | may(NotFound, Conflict))
async def make_stack(
    core: NamedDependency[Core], user: NamedDependency[User], data: JSONBody[StackRequest]
) -> Envelope[PutTogetherDTO]:
    """Put some of the caller's assets together, each of which is in no other such stack.

    What is derived from files, as Live Photos are, stays beside it; and this stays however often files are read again.
    """
    async with core.pool.connection() as conn:
        stack_id = await _make(conn, data, owner=user.user_id)
        answer = await _show(conn, stack_id, owner=user.user_id)
    core.relay.wake()
    return Envelope(data=answer)


@get("/stacks", opt=READ)
async def list_stacks(
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    limit: Annotated[int, QueryParameter(ge=1, le=MOST)] = 20,
    after: FromQuery[int | None] = None,
) -> Envelope[StackList]:
    """What the caller put together, the newest first; where fewer than two are shown it is no stack."""
    found = await queries.list_page(conn, owner=user.user_id, after=after, limit=limit)
    end = found[-1].stack_id if len(found) == limit else UNSET
    return Envelope(data=StackList(stacks=[_stack(one) for one in found], limit=limit, next=end))


@patch("/stacks/{stack_id:int}", status_code=200, opt=EDIT | may(Conflict))
async def change_stack(
    core: NamedDependency[Core], user: NamedDependency[User], stack_id: FromPath[int], data: JSONBody[CoverRequest]
) -> Envelope[PutTogetherDTO]:
    """Have another asset stand for a stack of the caller's."""
    async with core.pool.connection() as conn:
        members = await _members(conn, stack_id, owner=user.user_id)
        if data.cover_asset_id not in members:
            raise Conflict(f"asset {data.cover_asset_id} is not in this stack")
        await queries.save_cover(conn, stack_id, data.cover_asset_id)
        await editing.tell(conn, members, owner=user.user_id)
        answer = await _show(conn, stack_id, owner=user.user_id)
    core.relay.wake()
    return Envelope(data=answer)


@delete("/stacks/{stack_id:int}", status_code=200, opt=EDIT)
async def delete_stack(
    core: NamedDependency[Core], user: NamedDependency[User], stack_id: FromPath[int]
) -> Envelope[Message]:
    """Take a stack of the caller's apart; its assets stay."""
    async with core.pool.connection() as conn:
        members = await _members(conn, stack_id, owner=user.user_id)
        await queries.forget(conn, stack_id)
        await editing.tell(conn, members, owner=user.user_id)
    core.relay.wake()
    return Envelope(data=Message(message="the stack is taken apart"))


async def _make(conn: Connection, asked: StackRequest, *, owner: int) -> int:
    """The same assets once more are the same stack."""
    members = list(dict.fromkeys(asked.asset_ids))
    cover = asked.cover_asset_id or members[0]
    if len(members) < 2 or cover not in members:
        raise Invalid("a stack has two different assets at least, and its cover is one of them")
    foreign = await organising.find_foreign(conn, members, owner=owner)
    if foreign is not None:
        raise NotFound(f"no asset {foreign}; nothing was done")
    if (held := await queries.find_held(conn, members)) is not None:
        if set(await queries.list_assets(conn, held[1], owner=owner)) == set(members):
            return held[1]
        raise Conflict(f"asset {held[0]} is in the stack {held[1]} already: take that apart first")
    stack_id = await queries.add(conn, owner=owner, cover=cover)
    if await queries.put(conn, stack_id, members) < len(members):
        raise Conflict("one of these assets has just been put into another stack")
    await editing.tell(conn, members, owner=owner)
    return stack_id


async def _members(conn: Connection, stack_id: int, *, owner: int) -> Sequence[UUID]:
    members = await queries.list_assets(conn, stack_id, owner=owner)
    if not members:
        raise NotFound(f"no stack {stack_id}")
    return members


async def _show(conn: Connection, stack_id: int, *, owner: int) -> PutTogetherDTO:
    found = await queries.list_page(conn, owner=owner, stack_id=stack_id)
    if not found:
        raise Conflict("fewer than two of these assets are shown: take them back from the trash first")
    return _stack(found[0])


def _stack(one: Stack) -> PutTogetherDTO:
    return PutTogetherDTO(
        stack_id=one.stack_id, cover_asset_id=one.asset_ids[0], asset_ids=one.asset_ids, created_at=one.created_at
    )


HANDLERS = [make_stack, list_stacks, change_stack, delete_stack]
