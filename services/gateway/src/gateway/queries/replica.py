"""The SQL of how far a replica of the database has come."""

from msgspec import Struct

from common.db import Connection, struct_row


class Position(Struct, frozen=True, kw_only=True):
    """A place in what a database has written, which only servers of one kind compare: those with the same system."""

    system: int
    at: int


async def find_written(conn: Connection) -> Position:
    """Up to where the primary has everything on its disk that it told anybody was done."""
    async with conn.cursor(row_factory=struct_row(Position)) as cursor:
        await cursor.execute(
            """
            select (pg_control_system()).system_identifier as system,
                   (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::int8 as at
            """
        )
        return (await cursor.fetchall())[0]


async def find_replayed(conn: Connection) -> Position | None:
    """Up to where a replica shows what the primary wrote; None for a server that follows nobody."""
    async with conn.cursor(row_factory=struct_row(Position)) as cursor:
        await cursor.execute(
            """
            select (pg_control_system()).system_identifier as system,
                   (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::int8 as at
            where pg_is_in_recovery()
            """
        )
        return await cursor.fetchone()
