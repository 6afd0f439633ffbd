"""Proves a dump: what is restored from it has as many rows in each table as the database had."""

from collections.abc import Mapping
from pathlib import Path

from psycopg import AsyncConnection, errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from common.db import Connection
from lumilio import queries as databases
from lumilio.backup import queries
from lumilio.backup.tools import Tools
from lumilio.refusal import CannotStart

SCRATCH = "_backup_check"
SHOWN = 5


async def prove(tools: Tools, dump: Path, *, database_url: str, counts: Mapping[str, int]) -> None:
    """Restore a dump beside the database that it is of, count, and drop that again."""
    name = f"{conninfo_to_dict(database_url)['dbname']}{SCRATCH}"
    async with await AsyncConnection.connect(elsewhere(database_url, "postgres"), autocommit=True) as conn:
        await queries.drop_database(conn, name)  # which an interrupted backup may have left
        await create(conn, name)
        try:
            await load(tools, dump, database_url=elsewhere(database_url, name), counts=counts)
        finally:
            await queries.drop_database(conn, name)


async def create(conn: Connection, name: str) -> None:
    """A database to restore into."""
    try:
        await databases.create_database(conn, name)
    except errors.InsufficientPrivilege:
        raise CannotStart(
            "the account of the database may not create databases, which proving and restoring a backup needs: "
            "give it that right (alter role ... createdb)"
        ) from None


async def load(tools: Tools, dump: Path, *, database_url: str, counts: Mapping[str, int]) -> None:
    """Restore a dump into an empty database and count what is there; CannotStart when that is not what was dumped."""
    await tools.load(dump, database_url=database_url)
    async with await AsyncConnection.connect(database_url, autocommit=True) as conn:
        found = await count(conn)
    if wrong := [name for name in counts.keys() | found.keys() if counts.get(name) != found.get(name)]:
        told = ", ".join(f"{name} {found.get(name)} instead of {counts.get(name)}" for name in sorted(wrong)[:SHOWN])
        raise CannotStart(f"what was restored from the dump is not what was dumped: rows of {told}")


async def count(conn: Connection) -> dict[str, int]:
    """How many rows each table has."""
    tables = await queries.list_tables(conn)
    return {f"{schema}.{table}": await queries.count_rows(conn, schema, table) for schema, table in tables}


def elsewhere(database_url: str, name: str) -> str:
    """The address of another database of the same server."""
    return make_conninfo(database_url, dbname=name)
