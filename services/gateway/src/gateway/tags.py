"""What people do with tags: make them, give them to one asset, and rename or delete one with all that lies below it."""

from uuid import UUID

from common.db import Connection
from common.trash_queries import is_known
from gateway import changes, editing, operations
from gateway.actions import DropTag, MoveTag
from gateway.changes import LONGEST_TAG
from gateway.errors import Conflict, Invalid, NotFound
from gateway.queries import operations as operation_queries
from gateway.queries import tags as queries
from gateway.queries.tags import CountedTag, Tag


def checked(path: str) -> str:
    """One tag as it is kept; Invalid for a path in which nothing can be seen, or that is too long."""
    tidy = editing.checked_tags([path])[0]
    if len(tidy) > LONGEST_TAG:
        raise Invalid(f"a tag has at most {LONGEST_TAG} characters with all that it lies below")
    return tidy


async def make(conn: Connection, path: str, *, owner: int) -> CountedTag:
    """A tag that stays without assets; one that is there already stays from now on."""
    tidy = checked(path)
    await queries.add(conn, [tidy], owner=owner, is_kept=True)
    tag_id = await queries.find_id(conn, tidy, owner=owner)
    return (await queries.list_page(conn, owner=owner, tag_id=tag_id))[0]


async def rename(conn: Connection, tag_id: int, path: str, *, owner: int) -> int:
    """Have a tag and all below it called otherwise, at each asset; returns the operation that does it."""
    tag, new = await find(conn, tag_id, owner=owner), checked(path)
    if changes.is_in(new, tag.path):
        raise Conflict("a tag moves neither to itself nor below itself: choose another path")
    await queries.rename_kept(conn, tag.path, new, owner=owner)
    await queries.let_go(conn, tag.path, owner=owner)
    operation_id = await operations.begin(conn, MoveTag(old=tag.path, new=new), owner=owner)
    return await _choose(conn, operation_id, tag, owner=owner)


async def delete(conn: Connection, tag_id: int, *, owner: int) -> int:
    """Take a tag and all below it from each asset that has it; returns the operation that does it."""
    tag = await find(conn, tag_id, owner=owner)
    await queries.let_go(conn, tag.path, owner=owner)
    operation_id = await operations.begin(conn, DropTag(path=tag.path), owner=owner)
    return await _choose(conn, operation_id, tag, owner=owner)


async def _choose(conn: Connection, operation_id: int, tag: Tag, *, owner: int) -> int:
    await operation_queries.choose_tagged(conn, operation_id, tag.tag_id, size=operations.BATCH)
    if not await operation_queries.save_total(conn, operation_id):
        await queries.forget_empty(conn, owner=owner)
    return operation_id


async def find(conn: Connection, tag_id: int, *, owner: int) -> Tag:
    """One of the owner's tags."""
    tag = await queries.find(conn, tag_id, owner=owner)
    if tag is None:
        raise NotFound(f"no tag {tag_id}")
    return tag


async def retag(conn: Connection, asset_id: UUID, *, add: list[str], remove: list[str], owner: int) -> list[str]:
    """Give one of the owner's assets tags, or take them away; returns those that it has then."""
    if not await is_known(conn, asset_id, owner=owner):
        raise NotFound(f"no asset {asset_id}")
    outcome = await editing.change(conn, [asset_id], changes.tagged(add, remove), owner=owner, lane=0)
    for reason in outcome.failures.values():
        raise Conflict(f"the tag cannot be given: {reason}")
    return [tag.path for tag in await queries.list_own(conn, asset_id)]
