"""The SQL of a restore: what is there before, which database becomes the one, and what no longer holds in it."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from psycopg import sql

from common.db import Connection, struct_row

LEAP = 1000
SPREAD = 1_000_000
"""Numbers of people that are skipped, so that nobody gets that of a person who came after the backup: some at least,
and each time others, for the same backup may be restored again.
"""


class Alive(msgspec.Struct, frozen=True, kw_only=True):
    """What a restore brings back to life, though it may have been ended since."""

    keys: int
    shares: int
    purges: int
    leaving: int


async def has_tables(conn: Connection) -> bool:
    """Whether anything is in a database."""
    cursor = await conn.execute(
        "select exists (select from pg_tables where schemaname not in ('pg_catalog', 'information_schema'))"
    )
    return bool((await cursor.fetchall())[0][0])


async def has_people(conn: Connection) -> bool:
    """Whether a database of ours is in use; anybody else's counts as in use."""
    cursor = await conn.execute("select to_regclass('users') is null or to_regclass('migrations') is null")
    if (await cursor.fetchall())[0][0]:
        return True
    cursor = await conn.execute("select exists (select from users)")
    return bool((await cursor.fetchall())[0][0])


async def count_sessions(conn: Connection, name: str) -> int:
    """How many others are connected to a database."""
    cursor = await conn.execute(
        """
        select count(*)
        from pg_stat_activity
        where datname = %s
          and pid <> pg_backend_pid()
          and backend_type <> 'autovacuum worker'
        """,
        (name,),
    )
    return int((await cursor.fetchall())[0][0])


async def rename_database(conn: Connection, name: str, *, to: str) -> None:
    """Call a database, which nobody uses, something else."""
    await conn.execute(sql.SQL("alter database {} rename to {}").format(sql.Identifier(name), sql.Identifier(to)))


async def save_note(conn: Connection, name: str, note: str | None) -> None:
    """Have a database say something of itself, whatever it is called from here on."""
    statement = sql.SQL("comment on database {} is {}")
    await conn.execute(statement.format(sql.Identifier(name), sql.Literal(note)))


async def find_note(conn: Connection, name: str) -> str | None:
    """What a database says of itself."""
    cursor = await conn.execute(
        "select shobj_description(oid, 'pg_database') from pg_database where datname = %s", (name,)
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def is_signed_in(conn: Connection) -> bool:
    """Whether anybody has signed in, which nobody has just after a restore."""
    cursor = await conn.execute("select exists (select from sessions)")
    return bool((await cursor.fetchall())[0][0])


async def begin_anew(conn: Connection) -> None:
    """Begin another history: whoever worked, or was signed in, did so in the one before."""
    await conn.execute("update server set epoch = gen_random_uuid(), restored_at = now()")
    await conn.execute("delete from leases")
    await conn.execute("delete from sessions")
    await conn.execute(
        """
        update asset_stages
        set state = 'pending', next_at = now(), lease_until = null, deaths = greatest(deaths - 1, 0)
        where state = 'running'
        """
    )
    await conn.execute("update backups set state = 'made', ended_at = began_at where state = 'running'")
    await conn.execute(
        """
        select setval(pg_get_serial_sequence('users', 'user_id'), max(user_id) + %s + floor(random() * %s)::int)
        from users
        """,
        (LEAP, SPREAD),
    )


async def spare_the_trash(conn: Connection) -> int:
    """What was thrown away may have been taken back since the backup: nothing goes before its full time from now.

    The order in which it was thrown away stays. Returns how many wishes to purge something were forgotten.
    """
    await conn.execute(
        """
        update assets a
        set trashed_at = now() - age * interval '1 microsecond'
        from (
            select asset_id, row_number() over (order by trashed_at desc, asset_id desc) as age
            from assets
            where trashed_at is not null
        ) thrown
        where a.asset_id = thrown.asset_id
        """
    )
    await conn.execute(
        "update asset_stages set next_at = now() where stage = 'purge' and state = 'pending' and next_at > now()"
    )
    cursor = await conn.execute("delete from purges")
    return cursor.rowcount


async def keep_leaving(conn: Connection) -> int:
    """Who was to go stays for now, as something else may have been wished since; returns how many that are."""
    cursor = await conn.execute("delete from departures")
    return cursor.rowcount


async def count_alive(conn: Connection, *, purges: int, leaving: int) -> Alive:
    """What people should look through."""
    async with conn.cursor(row_factory=struct_row(Alive)) as cursor:
        await cursor.execute(
            """
            select (select count(*) from api_keys) as keys, (select count(*) from shares) as shares,
                   %s::int as purges, %s::int as leaving
            """,
            (purges, leaving),
        )
        return (await cursor.fetchall())[0]


async def make_again(conn: Connection, stages: Sequence[tuple[UUID, str]]) -> None:
    """Have stages of assets due that were done before, behind what people wait for."""
    await conn.execute(
        """
        update asset_stages s
        set state = 'pending', next_at = now(), lane = 1, deaths = 0, failures = 0,
            error_class = null, error = null, changed_at = now()
        from unnest(%s::uuid[], %s::text[]) meant (asset_id, stage)
        where s.asset_id = meant.asset_id
          and s.stage = meant.stage
          and s.state in ('done', 'failed')
        """,
        ([asset_id for asset_id, _ in stages], [stage for _, stage in stages]),
    )


async def forget_versions(conn: Connection, versions: Sequence[tuple[UUID, str]]) -> None:
    """Assets have no such versions for browsers; of what lies in the trash none is made before it comes back."""
    await conn.execute(
        """
        delete from renditions
        where (asset_id, kind) in (select asset_id, kind from unnest(%s::uuid[], %s::text[]) meant (asset_id, kind))
        """,
        ([asset_id for asset_id, _ in versions], [kind for _, kind in versions]),
    )
