"""One change to many assets: asked for with one request, watched, and stopped."""

from typing import Any

from litestar import Request, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from common.db import Connection
from gateway import announced, operation_views
from gateway import operations as asking
from gateway.declared import may, takes
from gateway.errors import Conflict, Forbidden, NotFound
from gateway.operation_schemas import OperationDTO, OperationList, OperationRequest
from gateway.operations import FEW, Operations
from gateway.paging import Limit
from gateway.policies import EDIT, READ, Caller
from gateway.queries import operations as queries
from gateway.queries.users import User
from gateway.schemas import Envelope


@post("/operations", status_code=202, opt=EDIT | takes(None, announced.KEY) | may(NotFound, Conflict, Forbidden))
async def start_operation(
    request: Request[User, Caller, Any],
    caller: NamedDependency[Caller],
    operations: NamedDependency[Operations],
    data: JSONBody[OperationRequest],
) -> Envelope[OperationDTO]:
    """Do one thing with many of the caller's assets: with those that are named, or all that a filter chooses now.

    One that is not the caller's stops all before anything is done. The answer says how far it is: two hundred or fewer
    are done with it, unless something that was asked for before is not; ask `GET /operations/{operation_id}` for more.
    What is done stays done if it is stopped. A request that is repeated with its `Idempotency-Key` is the same
    operation. The trash asks for the scope `delete` of a key.
    """
    owner, key = caller.user.user_id, announced.idempotency_key(request)
    async with operations.choosing, operations.core.pool.connection() as conn:
        operation_id = await asking.ask(conn, data, caller=caller, key=key)
    return Envelope(data=await follow(operations, operation_id, owner=owner))


@get("/operations", opt=READ)
async def list_operations(
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    limit: Limit = 20,
    after: FromQuery[int | None] = None,
) -> Envelope[OperationList]:
    """What the caller had done with many assets in the last month, the newest first."""
    found = await queries.list_page(conn, owner=user.user_id, operation_id=None, after=after, limit=limit)
    failures = await queries.list_failures(conn, [one.operation_id for one in found])
    return Envelope(data=operation_views.page(found, failures, limit=limit))


@get("/operations/{operation_id:int}", opt=READ)
async def get_operation(
    conn: NamedDependency[Connection], user: NamedDependency[User], operation_id: FromPath[int]
) -> Envelope[OperationDTO]:
    """How far an operation of the caller is, and with which assets it could not be done."""
    return Envelope(data=await show(conn, operation_id, owner=user.user_id))


@delete("/operations/{operation_id:int}", status_code=200, opt=EDIT)
async def stop_operation(
    conn: NamedDependency[Connection], user: NamedDependency[User], operation_id: FromPath[int]
) -> Envelope[OperationDTO]:
    """Stop an operation of the caller after what is being done of it just now; one that has ended stays as it is."""
    await queries.stop(conn, operation_id, owner=user.user_id)
    return Envelope(data=await show(conn, operation_id, owner=user.user_id))


async def follow(operations: Operations, operation_id: int, *, owner: int) -> OperationDTO:
    """How far an operation is that was just taken in: done, where that takes no longer than a person waits."""
    async with operations.core.pool.connection() as conn:
        operation = await show(conn, operation_id, owner=owner)
    if operation.state != "waiting":
        return operation
    if operation.total > FEW:
        operations.wake()
        return operation
    await operations.try_at_once(operation_id)
    async with operations.core.pool.connection() as conn:
        return await show(conn, operation_id, owner=owner)


async def show(conn: Connection, operation_id: int, *, owner: int) -> OperationDTO:
    """An operation of the owner."""
    found = await queries.list_page(conn, owner=owner, operation_id=operation_id, after=None, limit=1)
    if not found:
        raise NotFound(f"no operation {operation_id}")
    return operation_views.show(found[0], await queries.list_failures(conn, [operation_id]))


HANDLERS = [start_operation, list_operations, get_operation, stop_operation]
