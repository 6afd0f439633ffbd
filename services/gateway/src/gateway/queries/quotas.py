"""The SQL of how much a user has stored, and how much they may."""

import msgspec

from common.db import Connection, struct_row


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What a user's assets come to, in the trash or not, and what they may come to; null where there is no limit."""

    files: int
    bytes: int
    quota_files: int | None
    quota_bytes: int | None


async def find_usage(conn: Connection, user: int) -> Usage:
    """A user's usage and quota, as of this statement."""
    async with conn.cursor(row_factory=struct_row(Usage)) as cursor:
        await cursor.execute(
            """
            select coalesce(sum(c.files), 0)::bigint as files, coalesce(sum(c.bytes), 0)::bigint as bytes,
                   u.quota_files, u.quota_bytes
            from users u
            left join (
                select owner_id, files, bytes from day_counts where owner_id = %(user)s
                union all
                select owner_id, files, bytes from day_count_changes where owner_id = %(user)s
            ) c on c.owner_id = u.user_id
            where u.user_id = %(user)s
            group by u.user_id
            """,
            {"user": user},
        )
        return (await cursor.fetchall())[0]


async def lock_limited(conn: Connection, user: int) -> bool:
    """Whether a user has a quota; then nobody else adds to their usage until the transaction ends."""
    cursor = await conn.execute(
        """
        select user_id
        from users
        where user_id = %s
          and (quota_bytes is not null or quota_files is not null)
        for no key update
        """,
        (user,),
    )
    return await cursor.fetchone() is not None
