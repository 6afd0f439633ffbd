"""The SQL of named leases: who alone does what only one of all is to do, by the clock of the database."""

from uuid import UUID

from common.db import Connection


async def take(conn: Connection, name: str, holder: UUID, *, seconds: float) -> bool:
    """Hold or renew a named lease by the database's clock; False while somebody else has it.

    A transaction that holds its row keeps nobody waiting: a lease that still runs stays the caller's, and is renewed
    the next time; one that has run out may be on its way to somebody else.
    """
    cursor = await conn.execute(
        """
        with free as materialized (
            select name
            from leases
            where name = %(name)s
              and (holder = %(holder)s or lease_until <= now())
            for update skip locked
        ), renewed as (
            update leases
            set holder = %(holder)s, lease_until = now() + make_interval(secs => %(seconds)s)
            from free
            where leases.name = free.name
            returning true
        ), made as (
            insert into leases (name, holder, lease_until)
            select %(name)s, %(holder)s, now() + make_interval(secs => %(seconds)s)
            where not exists (select from leases where name = %(name)s)
            on conflict (name) do nothing
            returning true
        )
        select exists (select from renewed)
            or exists (select from made)
            or exists (select from leases where name = %(name)s and holder = %(holder)s and lease_until > now())
        """,
        {"name": name, "holder": holder, "seconds": seconds},
    )
    is_held: bool = (await cursor.fetchall())[0][0]
    return is_held


async def list_held(conn: Connection, holder: UUID) -> set[str]:
    """The named leases that nobody took from their holder, also those that have run out."""
    cursor = await conn.execute("select name from leases where holder = %s", (holder,))
    return {row[0] for row in await cursor.fetchall()}


async def give(conn: Connection, name: str, holder: UUID) -> None:
    """End a named lease before its time, if it is the caller's, so that somebody else has it at once."""
    await conn.execute("delete from leases where name = %s and holder = %s", (name, holder))


async def holds(conn: Connection, name: str, holder: UUID) -> bool:
    """Whether a lease is the holder's, and stays so until the transaction ends."""
    cursor = await conn.execute(
        "select true from leases where name = %s and holder = %s and lease_until > now() for share", (name, holder)
    )
    return await cursor.fetchone() is not None
