"""Keywords in a tree: what there is, and which asset has which."""

from typing import Annotated
from uuid import UUID

from litestar import delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import UNSET

from common.db import Connection
from common.process import Core
from gateway import tags as asking
from gateway.declared import may
from gateway.errors import Conflict, Invalid
from gateway.operations import Operations
from gateway.policies import EDIT, READ
from gateway.queries import tags as queries
from gateway.queries.tags import CountedTag
from gateway.queries.users import User
from gateway.routes.operations import follow
from gateway.schemas import Envelope
from gateway.tag_schemas import AssetTags, TagChanged, TagDTO, TagList, TagRequest

MOST = 100
Path = Annotated[str | None, QueryParameter(max_length=200)]


@get("/tags", opt=READ)
async def list_tags(
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    parent: Path = None,
    prefix: Path = None,
    limit: Annotated[int, QueryParameter(ge=1, le=MOST)] = 100,
    after: Path = None,
) -> Envelope[TagList]:
    """The caller's tags in the order of the tree, each with how many assets have it.

    `parent` asks for those right below one, empty for the top; `prefix` for those of which a level begins so, upper and
    lower case being the same. `after` takes the `next` of the page before.
    """
    found = await queries.list_page(conn, owner=user.user_id, parent=parent, prefix=prefix, after=after, limit=limit)
    end = found[-1].path if len(found) == limit else UNSET
    return Envelope(data=TagList(tags=[_tag(one) for one in found], limit=limit, next=end))


@post("/tags", status_code=200, opt=EDIT)
async def make_tag(
    conn: NamedDependency[Connection], user: NamedDependency[User], data: JSONBody[TagRequest]
) -> Envelope[TagDTO]:
    """Make a tag, and those that it lies below; it stays until it is deleted, also while no asset has it."""
    return Envelope(data=_tag(await asking.make(conn, data.path, owner=user.user_id)))


@patch("/tags/{tag_id:int}", status_code=202, opt=EDIT | may(Conflict))
async def rename_tag(
    user: NamedDependency[User],
    operations: NamedDependency[Operations],
    tag_id: FromPath[int],
    data: JSONBody[TagRequest],
) -> Envelope[TagChanged]:
    """Give a tag another path, and with it all that lies below; one that is there already has both then.

    Every asset that has it is changed, as an operation that can be watched.
    """
    async with operations.choosing, operations.core.pool.connection() as conn:
        operation_id = await asking.rename(conn, tag_id, data.path, owner=user.user_id)
    operation = await follow(operations, operation_id, owner=user.user_id)
    return Envelope(data=TagChanged(path=asking.checked(data.path), operation=operation))


@delete("/tags/{tag_id:int}", status_code=202, opt=EDIT | may(Conflict))
async def delete_tag(
    user: NamedDependency[User], operations: NamedDependency[Operations], tag_id: FromPath[int]
) -> Envelope[TagChanged]:
    """Delete a tag and all that lies below it, at every asset that has it, as an operation that can be watched."""
    async with operations.choosing, operations.core.pool.connection() as conn:
        operation_id = await asking.delete(conn, tag_id, owner=user.user_id)
    return Envelope(data=TagChanged(path=None, operation=await follow(operations, operation_id, owner=user.user_id)))


@put("/assets/{asset_id:uuid}/tags", opt=EDIT | may(Conflict))
async def tag_asset(
    core: NamedDependency[Core], user: NamedDependency[User], asset_id: FromPath[UUID], data: JSONBody[TagRequest]
) -> Envelope[AssetTags]:
    """Give one of the caller's assets a tag, which is made if there is none; the answer is all that it has then."""
    return await _retag(core, user, asset_id, add=asking.checked(data.path))


@delete("/assets/{asset_id:uuid}/tags", status_code=200, opt=EDIT | may(Conflict))
async def untag_asset(
    core: NamedDependency[Core],
    user: NamedDependency[User],
    asset_id: FromPath[UUID],
    path: FromQuery[str],
) -> Envelope[AssetTags]:
    """Take a tag away from one of the caller's assets; those below it stay."""
    if len(path) > 200:
        raise Invalid("`path` is too long for a tag")
    return await _retag(core, user, asset_id, remove=asking.checked(path))


@put("/assets/{asset_id:uuid}/tags/{tag_id:int}", opt=EDIT | may(Conflict))
async def put_asset_tag(
    core: NamedDependency[Core], user: NamedDependency[User], asset_id: FromPath[UUID], tag_id: FromPath[int]
) -> Envelope[AssetTags]:
    """Give one of the caller's assets one of their tags; the answer is all that it has then."""
    async with core.pool.connection() as conn:
        tag = await asking.find(conn, tag_id, owner=user.user_id)
    return await _retag(core, user, asset_id, add=tag.path)


@delete("/assets/{asset_id:uuid}/tags/{tag_id:int}", status_code=200, opt=EDIT | may(Conflict))
async def delete_asset_tag(
    core: NamedDependency[Core], user: NamedDependency[User], asset_id: FromPath[UUID], tag_id: FromPath[int]
) -> Envelope[AssetTags]:
    """Take one of the caller's tags away from one of their assets; those below it stay."""
    async with core.pool.connection() as conn:
        tag = await asking.find(conn, tag_id, owner=user.user_id)
    return await _retag(core, user, asset_id, remove=tag.path)


async def _retag(
    core: Core, user: User, asset_id: UUID, *, add: str | None = None, remove: str | None = None
) -> Envelope[AssetTags]:
    add_these, remove_these = [add] if add else [], [remove] if remove else []
    async with core.pool.connection() as conn:
        tags = await asking.retag(conn, asset_id, add=add_these, remove=remove_these, owner=user.user_id)
    if remove:
        async with core.pool.connection() as conn:
            await queries.forget_empty(conn, owner=user.user_id)
    core.relay.wake()
    return Envelope(data=AssetTags(tags=tags))


def _tag(one: CountedTag) -> TagDTO:
    return TagDTO(
        tag_id=one.tag_id,
        path=one.path,
        name=one.path.rpartition("/")[2],
        is_kept=one.is_kept,
        has_children=one.has_children,
        own_assets=one.own_assets,
        assets=one.assets,
    )


HANDLERS = [list_tags, make_tag, rename_tag, delete_tag, tag_asset, untag_asset, put_asset_tag, delete_asset_tag]
