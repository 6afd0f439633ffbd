"""The same picture that is there twice: found, made one, or said to be none."""

from collections import defaultdict
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody
from msgspec import UNSET

from common.db import Connection
from common.process import Core
from gateway import duplicates, likeness, policies, views
from gateway.declared import may
from gateway.duplicate_schemas import (
    Alike,
    DismissRequest,
    DuplicatesDTO,
    DuplicatesList,
    MergedDTO,
    MergeRequest,
    PathDTO,
)
from gateway.errors import Conflict, Forbidden, Invalid, NotFound
from gateway.paging import Limit
from gateway.policies import DELETE, EDIT, READ, Caller
from gateway.queries import assets, organising
from gateway.queries import duplicates as queries
from gateway.queries.users import User
from gateway.schemas import Envelope, Message


@get("/duplicates", opt=READ)
async def list_duplicates(
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    kind: FromQuery[Alike] = "near",
    limit: Limit = 20,
    after: FromQuery[UUID | None] = None,
) -> Envelope[DuplicatesList]:
    """The caller's assets that look alike, in groups; or, as `exact`, those that lie at several paths.

    Nothing is found while no ml-dispatcher runs; it needs no model for this.
    """
    found = await (_exact if kind == "exact" else _near)(conn, owner=user.user_id, limit=limit, after=after)
    return Envelope(data=found)


@post("/duplicates/merge", status_code=200, opt=EDIT | may(NotFound, Conflict, Forbidden))
async def merge_duplicates(
    core: NamedDependency[Core], caller: NamedDependency[Caller], data: JSONBody[MergeRequest]
) -> Envelope[MergedDTO]:
    """Have one of the caller's assets stand for others, which go into the trash and can be taken back; all or nothing.

    It gets their albums, tags and hearts, and title, description, stars and place where it has none. A key needs the
    scope `delete` as well.
    """
    policies.of(DELETE).check(caller)
    async with core.pool.connection() as conn:
        trashed = await duplicates.merge(conn, data.keep, data.others, owner=caller.user.user_id)
    core.relay.wake()
    message = f"{trashed} assets are in the trash, and the one that is kept has what they had"
    return Envelope(data=MergedDTO(asset_id=data.keep, trashed=trashed, message=message))


@post("/duplicates/dismiss", status_code=200, opt=EDIT | may(NotFound))
async def dismiss_duplicates(
    core: NamedDependency[Core], user: NamedDependency[User], data: JSONBody[DismissRequest]
) -> Envelope[Message]:
    """Say that some of the caller's assets only look alike: no two of them are in a group for that, now or later."""
    async with core.pool.connection() as conn:
        await queries.dismiss(conn, await _several(conn, data, owner=user.user_id), owner=user.user_id)
    return Envelope(data=Message(message="they are no duplicates of each other from now on"))


@post("/duplicates/restore", status_code=200, opt=EDIT | may(NotFound))
async def restore_duplicates(
    core: NamedDependency[Core], user: NamedDependency[User], data: JSONBody[DismissRequest]
) -> Envelope[Message]:
    """Take back that some of the caller's assets only look alike: those that do are in a group again."""
    async with core.pool.connection() as conn:
        restored = await queries.restore(conn, await _several(conn, data, owner=user.user_id), owner=user.user_id)
    told = "they may be duplicates of each other again" if restored else "nobody said that they are no duplicates"
    return Envelope(data=Message(message=told))


async def _several(conn: Connection, data: DismissRequest, *, owner: int) -> list[UUID]:
    """The assets that are meant, which are two at least and all the owner's."""
    meant = sorted(set(data.asset_ids))
    if len(meant) < 2:
        raise Invalid("say two different assets at least")
    foreign = await organising.find_foreign(conn, meant, owner=owner)
    if foreign is not None:
        raise NotFound(f"no asset {foreign}; nothing was done")
    return meant


async def _near(conn: Connection, *, owner: int, limit: int, after: UUID | None) -> DuplicatesList:
    page = await likeness.list_groups(conn, owner=owner, after=after, limit=limit)
    members = [one for group in page.groups for one in group.asset_ids]
    found = {one.asset_id: one for one in await assets.list_assets(conn, members, owner=owner)}
    groups = []
    for group in page.groups:
        copies = likeness.ranked(found[one] for one in group.asset_ids if one in found)
        if len(copies) > 1:  # else they went for good in between
            cards = [views.card(one) for one in copies]
            groups.append(
                DuplicatesDTO(kind="near", best_asset_id=cards[0].asset_id, assets=cards, has_more=group.has_more)
            )
    return DuplicatesList(groups=groups, limit=limit, next=page.end or UNSET)


async def _exact(conn: Connection, *, owner: int, limit: int, after: UUID | None) -> DuplicatesList:
    found = await queries.list_repeated(conn, owner=owner, after=after, limit=limit)
    files: dict[UUID, list[PathDTO]] = defaultdict(list)
    for file in await queries.list_files(conn, found):
        path = file.path.decode(errors="replace")
        files[file.asset_id].append(PathDTO(repository_id=file.repository_id, path=path))
    groups = [
        DuplicatesDTO(kind="exact", best_asset_id=one.asset_id, assets=[views.card(one)], files=files[one.asset_id])
        for one in await assets.list_assets(conn, found, owner=owner)
    ]
    return DuplicatesList(groups=groups, limit=limit, next=found[-1] if len(found) == limit else UNSET)


HANDLERS = [list_duplicates, merge_duplicates, dismiss_duplicates, restore_duplicates]
