"""The SQL of counted tries: how often somebody guessed, and until when they are to stop."""

from common.db import Connection


async def take_try(conn: Connection, subject: bytes, *, most: int, seconds: int) -> bool:
    """Count a try; False when there were as many as are allowed, the last of which began the time to wait."""
    cursor = await conn.execute(
        """
        insert into tries (subject, count, ends_at)
        values (%(subject)s, 1, now() + make_interval(secs => %(seconds)s))
        on conflict (subject) do update
        set count = case when tries.ends_at <= now() then 1 else tries.count + 1 end,
            ends_at = case when tries.ends_at <= now() or tries.count + 1 = %(most)s then excluded.ends_at
                           else tries.ends_at end
        where tries.count < %(most)s or tries.ends_at <= now()
        returning true
        """,
        {"subject": subject, "most": most, "seconds": seconds},
    )
    return await cursor.fetchone() is not None


async def find_wait(conn: Connection, subject: bytes) -> int:
    """How many seconds are left until tries count anew, at least one."""
    cursor = await conn.execute(
        "select ceil(extract(epoch from ends_at - now()))::int from tries where subject = %s", (subject,)
    )
    row = await cursor.fetchone()
    return max(row[0], 1) if row else 1


async def give_back(conn: Connection, subject: bytes) -> None:
    """A try was none: it succeeded."""
    await conn.execute("update tries set count = count - 1 where subject = %s and count > 0", (subject,))


async def forget_old(conn: Connection, *, limit: int) -> None:
    """Remove some of those that count no longer."""
    await conn.execute(
        """
        delete from tries
        where subject in (
            select subject from tries where ends_at < now() order by ends_at limit %s for update skip locked
        )
        """,
        (limit,),
    )
