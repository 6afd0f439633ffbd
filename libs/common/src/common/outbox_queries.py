"""The SQL of events that wait to be published, and of those that were."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from common.db import Connection, struct_row


class OutboxRow(msgspec.Struct, frozen=True, kw_only=True):
    """An event, and for how many seconds it waits."""

    outbox_id: int
    subject: str
    body: dict[str, object]
    age: float
    trace: str | None


async def add_events(conn: Connection, rows: Sequence[tuple[str, int, bytes]], *, trace: str | None) -> None:
    """Events, each a subject, an owner and a JSON body; and the trace that they belong to, if any."""
    await conn.execute(
        """
        insert into outbox (subject, owner_id, body, trace)
        select subject, owner_id, body, %s
        from unnest(%s::text[], %s::int[], %s::text[]::jsonb[]) told (subject, owner_id, body)
        """,
        (trace, [row[0] for row in rows], [row[1] for row in rows], [row[2].decode() for row in rows]),
    )


async def lock_unpublished(conn: Connection, limit: int) -> list[OutboxRow]:
    """Events that nobody has published and nobody is publishing, oldest first, locked for the caller."""
    async with conn.cursor(row_factory=struct_row(OutboxRow)) as cursor:
        await cursor.execute(
            """
            select outbox_id, subject, body, trace,
                   extract(epoch from clock_timestamp() - created_at)::float8 as age
            from outbox
            where published_at is null
            order by outbox_id
            limit %s
            for update skip locked
            """,
            (limit,),
        )
        return await cursor.fetchall()


async def count_unpublished(conn: Connection, *, limit: int) -> int:
    """How many events wait to be published, or so many at least."""
    cursor = await conn.execute(
        "select count(*) from (select from outbox where published_at is null limit %s) waiting", (limit,)
    )
    return int((await cursor.fetchall())[0][0])


async def mark_published(conn: Connection, outbox_ids: Sequence[int]) -> None:
    """A mark that a crash forgets costs one repeated event, so it need not wait for the disk."""
    await conn.execute("set local synchronous_commit = off")
    await conn.execute("update outbox set published_at = now() where outbox_id = any(%s)", (list(outbox_ids),))


async def forget_published(conn: Connection, *, limit: int) -> int:
    """Delete a batch of events that were published more than a day ago; returns how many."""
    cursor = await conn.execute(
        """
        delete from outbox
        where outbox_id in (
            select outbox_id from outbox where published_at < now() - interval '1 day' order by published_at limit %s
        )
        """,
        (limit,),
    )
    return cursor.rowcount


async def find_epoch(conn: Connection) -> UUID:
    """What this history of the database is called."""
    cursor = await conn.execute("select epoch from server")
    row = await cursor.fetchone()
    if row is None:
        raise RuntimeError("the database has no server row: restore it or start with a fresh one")
    epoch: UUID = row[0]
    return epoch
