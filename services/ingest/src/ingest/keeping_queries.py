"""The SQL of what people made of their photos, some rows at a time in the order of their keys."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote_from_bytes
from uuid import UUID

from common.db import Connection, struct_row
from common.people import (
    Album,
    Catalogue,
    Edited,
    Entry,
    Marked,
    Member,
    Person,
    Place,
    Stack,
    Stacked,
    Tag,
    Thing,
)

FIRST = UUID(int=0)
One = TypeVar("One", bound=Thing)


class Page(NamedTuple):
    """Some things, and the key behind which the next ones are."""

    things: Sequence[Thing]
    last: Any


async def begin(conn: Connection, repository_id: UUID) -> Catalogue:
    """Which history of the database this is, and the time by its clock."""
    async with conn.cursor(row_factory=struct_row(Catalogue)) as cursor:
        await cursor.execute("select epoch, %s::uuid as repository, now() as written_at from server", (repository_id,))
        return (await cursor.fetchall())[0]


async def list_people(conn: Connection, after: int | None, *, limit: int) -> Page:
    """Who uses the server, by number; also who is leaving, for whom originals lie here until they are gone."""
    async with conn.cursor(row_factory=struct_row(Person)) as cursor:
        await cursor.execute(
            """
            select user_id as id, username, email, is_admin, is_active, quota_bytes, quota_files
            from users
            where user_id > %s
            order by user_id
            limit %s
            """,
            (after or 0, limit),
        )
        people = await cursor.fetchall()
    return Page(people, people[-1].id if people else None)


async def list_places(conn: Connection, after: UUID | None, *, limit: int) -> Page:
    """The repositories."""
    cursor = await conn.execute(
        """
        select repository_id, name, root, private_root, is_default, owner_id
        from repositories
        where repository_id > %s
        order by repository_id
        limit %s
        """,
        (after or FIRST, limit),
    )
    places = [
        Place(
            id=row[0],
            name=row[1],
            root=quote_from_bytes(row[2]),
            private_root=quote_from_bytes(row[3]) if row[3] else None,
            is_default=row[4],
            owner=row[5],
        )
        for row in await cursor.fetchall()
    ]
    return Page(places, places[-1].id if places else None)


async def list_marked(conn: Connection, after: UUID | None, *, limit: int) -> Page:
    """What somebody thinks of assets."""
    cursor = await conn.execute(
        """
        select asset_id, owner_id as owner, encode(content_hash, 'hex') as hash, liked, archived_at, web_policy,
               trashed_at, trash_reason
        from assets
        where (liked or archived_at is not null or web_policy is not null or trashed_at is not null)
          and asset_id > %s
        order by asset_id
        limit %s
        """,
        (after or FIRST, limit),
    )
    return await _page(cursor, Marked, keys=1)


async def list_edited(conn: Connection, after: UUID | None, *, limit: int) -> Page:
    """What somebody says of assets."""
    cursor = await conn.execute(
        """
        select asset_id, a.owner_id as owner, encode(a.content_hash, 'hex') as hash, m.edits
        from (
            select asset_id, edits
            from asset_metadata
            where edits <> '{}' and asset_id > %s
            order by asset_id
            limit %s
        ) m
        join assets a using (asset_id)
        order by asset_id
        """,
        (after or FIRST, limit),
    )
    return await _page(cursor, Edited, keys=1)


async def list_tags(conn: Connection, after: int | None, *, limit: int) -> Page:
    """The tags that somebody made; all others come from assets."""
    cursor = await conn.execute(
        """
        select tag_id, owner_id as owner, path
        from tags
        where is_kept and tag_id > %s
        order by tag_id
        limit %s
        """,
        (after or 0, limit),
    )
    return await _page(cursor, Tag, keys=1)


async def list_albums(conn: Connection, after: int | None, *, limit: int) -> Page:
    """The albums."""
    async with conn.cursor(row_factory=struct_row(Album)) as cursor:
        await cursor.execute(
            """
            select album_id as id, b.owner_id as owner, album_name as name, description, a.owner_id as cover_owner,
                   encode(a.content_hash, 'hex') as cover, created_at, updated_at
            from albums b
            left join assets a on a.asset_id = b.cover_asset_id
            where album_id > %s
            order by album_id
            limit %s
            """,
            (after or 0, limit),
        )
        albums = await cursor.fetchall()
    return Page(albums, albums[-1].id if albums else None)


async def list_members(conn: Connection, after: tuple[int, int] | None, *, limit: int) -> Page:
    """Whom albums are shown to."""
    cursor = await conn.execute(
        """
        select album_id, user_id, album_id as album, user_id as "user", role, added_at
        from album_members
        where (album_id, user_id) > (%s, %s)
        order by album_id, user_id
        limit %s
        """,
        (*(after or (0, 0)), limit),
    )
    return await _page(cursor, Member, keys=2)


async def list_entries(conn: Connection, after: tuple[int, UUID] | None, *, limit: int) -> Page:
    """What is in albums."""
    cursor = await conn.execute(
        """
        select x.album_id, x.asset_id, x.album_id as album, a.owner_id as owner,
               encode(a.content_hash, 'hex') as hash, x.position, x.added_by, x.added_at
        from album_assets x
        join assets a on a.asset_id = x.asset_id
        where (x.album_id, x.asset_id) > (%s, %s)
        order by x.album_id, x.asset_id
        limit %s
        """,
        (*(after or (0, FIRST)), limit),
    )
    return await _page(cursor, Entry, keys=2)


async def list_stacks(conn: Connection, after: int | None, *, limit: int) -> Page:
    """What somebody put together."""
    async with conn.cursor(row_factory=struct_row(Stack)) as cursor:
        await cursor.execute(
            """
            select stack_id as id, s.owner_id as owner, encode(a.content_hash, 'hex') as cover, created_at
            from stacks s
            left join assets a on a.asset_id = s.cover_asset_id
            where stack_id > %s
            order by stack_id
            limit %s
            """,
            (after or 0, limit),
        )
        stacks = await cursor.fetchall()
    return Page(stacks, stacks[-1].id if stacks else None)


async def list_stacked(conn: Connection, after: UUID | None, *, limit: int) -> Page:
    """What is in stacks."""
    cursor = await conn.execute(
        """
        select x.asset_id, x.stack_id as stack, a.owner_id as owner, encode(a.content_hash, 'hex') as hash, x.position
        from stack_assets x
        join assets a on a.asset_id = x.asset_id
        where x.asset_id > %s
        order by x.asset_id
        limit %s
        """,
        (after or FIRST, limit),
    )
    return await _page(cursor, Stacked, keys=1)


PAGES: tuple[Callable[..., Awaitable[Page]], ...] = (
    list_people,
    list_places,
    list_tags,
    list_marked,
    list_edited,
    list_albums,
    list_members,
    list_entries,
    list_stacks,
    list_stacked,
)
"""In the order in which they can be read again: nothing names what comes later."""


async def _page(cursor: Any, kind: type[One], *, keys: int) -> Page:
    """Rows whose first columns are their key, and the others a thing."""
    names = [column.name for column in cursor.description][keys:]
    rows = await cursor.fetchall()
    things = [kind(**dict(zip(names, row[keys:], strict=True))) for row in rows]
    last = (rows[-1][0] if keys == 1 else rows[-1][:keys]) if rows else None
    return Page(things, last)
