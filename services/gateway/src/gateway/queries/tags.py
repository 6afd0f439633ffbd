"""The SQL of tags: what keywords are there, how many assets have them, and which stay without any."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from common.db import Connection, struct_row


class Tag(msgspec.Struct, frozen=True, kw_only=True):
    """A tag of an owner; `is_kept` says that somebody made it, so that it stays without assets."""

    tag_id: int
    path: str
    is_kept: bool


class CountedTag(msgspec.Struct, frozen=True, kw_only=True):
    """A tag as lists have it, with how many shown assets have just this, and this or one below it."""

    tag_id: int
    path: str
    is_kept: bool
    has_children: bool
    own_assets: int
    assets: int


async def add(conn: Connection, paths: Sequence[str], *, owner: int, is_kept: bool = False) -> None:
    """Have tags, with all that they lie below; those that are kept stay when no asset has them."""
    await conn.execute(
        """
        insert into tags (owner_id, path, is_kept)
        select distinct %(owner)s::int, array_to_string(steps[1:depth], '/'), %(kept)s::boolean
        from unnest(%(paths)s::text[]) path,
             string_to_array(path, '/') steps,
             generate_series(1, cardinality(steps)) depth
        order by 2
        on conflict (owner_id, path) do update
        set is_kept = true
        where excluded.is_kept and not tags.is_kept
        """,
        {"owner": owner, "paths": list(paths), "kept": is_kept},
    )


async def find(conn: Connection, tag_id: int, *, owner: int) -> Tag | None:
    """One of the owner's tags."""
    async with conn.cursor(row_factory=struct_row(Tag)) as cursor:
        await cursor.execute(
            "select tag_id, path, is_kept from tags where tag_id = %s and owner_id = %s", (tag_id, owner)
        )
        return await cursor.fetchone()


async def find_id(conn: Connection, path: str, *, owner: int) -> int | None:
    """Which of the owner's tags has this path."""
    cursor = await conn.execute("select tag_id from tags where owner_id = %s and path = %s", (owner, path))
    row = await cursor.fetchone()
    return row[0] if row else None


async def list_page(
    conn: Connection,
    *,
    owner: int,
    tag_id: int | None = None,
    parent: str | None = None,
    prefix: str | None = None,
    after: str | None = None,
    limit: int = 1,
) -> list[CountedTag]:
    """The owner's tags in the order of the tree: all, those right below one (`` for the top), or what begins so."""
    async with conn.cursor(row_factory=struct_row(CountedTag)) as cursor:
        await cursor.execute(
            """
            select t.tag_id, t.path, t.is_kept, counts.own_assets, counts.assets, exists (
                       select
                       from tags child
                       where child.owner_id = t.owner_id
                         and starts_with(child.path, t.path || '/')
                         and (child.is_kept or exists (select from asset_tags x where x.tag_id = child.tag_id))
                   ) as has_children
            from (
                select tag_id, owner_id, path, is_kept
                from tags
                where owner_id = %(owner)s
                  and (is_kept or exists (select from asset_tags x where x.tag_id = tags.tag_id))
                  and (%(tag)s::int is null or tag_id = %(tag)s)
                  and (%(parent)s::text is null
                       or (%(parent)s = '' and strpos(path, '/') = 0)
                       or (starts_with(path, %(parent)s || '/')
                           and strpos(substr(path, length(%(parent)s) + 2), '/') = 0))
                  and (%(prefix)s::text is null or starts_with(lower(path), lower(%(prefix)s))
                       or strpos(lower(path), '/' || lower(%(prefix)s)) > 0)
                  and (%(after)s::text is null
                       or string_to_array(path, '/') collate "C" > string_to_array(%(after)s, '/') collate "C")
                order by string_to_array(path, '/') collate "C"
                limit %(limit)s
            ) t,
            lateral (
                select count(*) filter (where x.is_own) as own_assets, count(*) as assets
                from asset_tags x
                join assets a on a.asset_id = x.asset_id
                where x.tag_id = t.tag_id and a.is_shown
            ) counts
            order by string_to_array(t.path, '/') collate "C"
            """,
            {"owner": owner, "tag": tag_id, "parent": parent, "prefix": prefix, "after": after, "limit": limit},
        )
        return await cursor.fetchall()


async def rename_kept(conn: Connection, old: str, new: str, *, owner: int) -> None:
    """What somebody made below a tag is below another one from now on."""
    await conn.execute(
        """
        insert into tags (owner_id, path, is_kept)
        select owner_id, %(new)s || substr(path, length(%(old)s) + 1), true
        from tags
        where owner_id = %(owner)s
          and is_kept
          and (path = %(old)s or starts_with(path, %(old)s || '/'))
        order by path
        on conflict (owner_id, path) do update
        set is_kept = true
        """,
        {"owner": owner, "old": old, "new": new},
    )


async def let_go(conn: Connection, path: str, *, owner: int) -> None:
    """A tag and all below it go when no asset has them."""
    await conn.execute(
        """
        update tags
        set is_kept = false
        where owner_id = %(owner)s
          and is_kept
          and (path = %(path)s or starts_with(path, %(path)s || '/'))
        """,
        {"owner": owner, "path": path},
    )


async def forget_empty(conn: Connection, *, owner: int) -> None:
    """Forget the owner's tags that no asset has and nobody made; who is just giving one to an asset holds it."""
    cursor = await conn.execute(
        """
        select tag_id
        from tags t
        where owner_id = %s
          and not is_kept
          and not exists (select from asset_tags x where x.tag_id = t.tag_id)
        order by tag_id
        for update skip locked
        """,
        (owner,),
    )
    held = [row[0] for row in await cursor.fetchall()]
    await conn.execute(
        """
        delete from tags t
        where tag_id = any(%s)
          and not is_kept
          and not exists (select from asset_tags x where x.tag_id = t.tag_id)
        """,
        (held,),
    )


async def list_own(conn: Connection, asset_id: UUID) -> list[Tag]:
    """The tags of an asset, without those that they lie below."""
    async with conn.cursor(row_factory=struct_row(Tag)) as cursor:
        await cursor.execute(
            """
            select t.tag_id, t.path, t.is_kept
            from asset_tags x
            join tags t on t.tag_id = x.tag_id
            where x.asset_id = %s and x.is_own
            order by t.path
            """,
            (asset_id,),
        )
        return await cursor.fetchall()
