"""The SQL of statistics: from counts that are kept where there are such, and along an index elsewhere."""

from msgspec import Struct

from common.db import Connection, struct_row
from common.messages import Kind


class Total(Struct, frozen=True, kw_only=True):
    """What an owner has of a kind in a year."""

    year: int
    kind: Kind
    shown: int
    files: int
    bytes: int


class YearTotals(Struct, frozen=True, kw_only=True):
    year: int
    shown: int
    files: int
    bytes: int


class Named(Struct, frozen=True, kw_only=True):
    """How many of the shown pictures are by this camera or lens."""

    name: str
    count: int


class Places(Struct, frozen=True, kw_only=True):
    """How many of what is shown have a place on the map."""

    located: int
    unlocated: int


class Put(Struct, frozen=True, kw_only=True):
    """What lists leave out: thrown away, archived, or without a file at the moment."""

    trashed: int
    archived: int
    missing: int


class Duplicates(Struct, frozen=True, kw_only=True):
    """Uploads of content that was there already."""

    count: int
    bytes: int


class Quota(Struct, frozen=True, kw_only=True):
    quota_bytes: int | None
    quota_files: int | None


class UserTotals(Struct, frozen=True, kw_only=True):
    """What a user has, and may have."""

    user_id: int
    username: str
    is_active: bool
    shown: int
    files: int
    bytes: int
    quota_bytes: int | None
    quota_files: int | None


async def list_totals(conn: Connection, *, owner: int) -> list[Total]:
    """What the owner has by year and kind, newest first."""
    async with conn.cursor(row_factory=struct_row(Total)) as cursor:
        await cursor.execute(
            """
            select extract(year from month)::int as year, kind, sum(shown)::int as shown, sum(files)::int as files,
                   sum(bytes)::bigint as bytes
            from (
                select month, kind, shown, files, bytes
                from month_counts
                where owner_id = %(owner)s
                union all
                select day, kind, shown, files, bytes
                from day_count_changes
                where owner_id = %(owner)s
            ) counted
            group by 1, 2
            having sum(files) > 0
            order by 1 desc, 2
            """,
            {"owner": owner},
        )
        return await cursor.fetchall()


async def list_cameras(conn: Connection, *, owner: int, limit: int) -> list[Named]:
    """The cameras of the most shown pictures."""
    async with conn.cursor(row_factory=struct_row(Named)) as cursor:
        await cursor.execute(
            """
            select camera as name, count(*)::int as count
            from assets
            where owner_id = %(owner)s and is_shown and camera is not null
            group by camera
            order by count(*) desc, camera
            limit %(limit)s
            """,
            {"owner": owner, "limit": limit},
        )
        return await cursor.fetchall()


async def list_lenses(conn: Connection, *, owner: int, limit: int) -> list[Named]:
    """The lenses of the most shown pictures."""
    async with conn.cursor(row_factory=struct_row(Named)) as cursor:
        await cursor.execute(
            """
            select lens as name, count(*)::int as count
            from assets
            where owner_id = %(owner)s and is_shown and lens is not null
            group by lens
            order by count(*) desc, lens
            limit %(limit)s
            """,
            {"owner": owner, "limit": limit},
        )
        return await cursor.fetchall()


async def count_located(conn: Connection, *, owner: int) -> int:
    """How many shown assets have a place on the map."""
    cursor = await conn.execute(
        """
        select count(*)
        from assets
        where owner_id = %s and is_shown and latitude is not null and longitude is not null
        """,
        (owner,),
    )
    return int((await cursor.fetchall())[0][0])


async def find_put(conn: Connection, *, owner: int) -> Put:
    """What the owner's lists leave out; each counts once."""
    async with conn.cursor(row_factory=struct_row(Put)) as cursor:
        await cursor.execute(
            """
            select count(*) filter (where trashed_at is not null)::int as trashed,
                   count(*) filter (where trashed_at is null and missing_since is null)::int as archived,
                   count(*) filter (where trashed_at is null and missing_since is not null)::int as missing
            from assets
            where owner_id = %s and not is_shown
            """,
            (owner,),
        )
        return (await cursor.fetchall())[0]


async def find_duplicates(conn: Connection, *, owner: int) -> Duplicates:
    """What the owner's uploads would have taken more."""
    async with conn.cursor(row_factory=struct_row(Duplicates)) as cursor:
        await cursor.execute(
            """
            select count(*)::int as count, coalesce(sum(size), 0)::bigint as bytes
            from uploads
            where owner_id = %s and state = 'duplicate'
            """,
            (owner,),
        )
        return (await cursor.fetchall())[0]


async def find_quota(conn: Connection, *, owner: int) -> Quota:
    """What the owner may have."""
    async with conn.cursor(row_factory=struct_row(Quota)) as cursor:
        await cursor.execute("select quota_bytes, quota_files from users where user_id = %s", (owner,))
        return (await cursor.fetchall())[0]


async def list_users(conn: Connection, *, after: int, limit: int) -> list[UserTotals]:
    """What each user has, by id."""
    async with conn.cursor(row_factory=struct_row(UserTotals)) as cursor:
        await cursor.execute(
            """
            select u.user_id, u.username, u.is_active, held.shown, held.files, held.bytes, u.quota_bytes, u.quota_files
            from users u
            cross join lateral (
                select coalesce(sum(shown), 0)::int as shown, coalesce(sum(files), 0)::int as files,
                       coalesce(sum(bytes), 0)::bigint as bytes
                from (
                    select shown, files, bytes from month_counts where owner_id = u.user_id
                    union all
                    select shown, files, bytes from day_count_changes where owner_id = u.user_id
                ) counted
            ) held
            where u.user_id > %(after)s
            order by u.user_id
            limit %(limit)s
            """,
            {"after": after, "limit": limit},
        )
        return await cursor.fetchall()
