import psycopg
import pytest
from psycopg import sql

from common import db, health, migrate
from common.bus import Bus
from common.db import Pool


async def test_a_database_that_could_forget_is_not_ready(pool: Pool, bus: Bus) -> None:
    """Nobody takes uploads on a database without fsync, which is how the tests run theirs."""
    state = await health.check(pool, bus)

    assert not state.ready
    assert any("fsync" in problem for problem in state.problems)


async def test_asynchronous_commits_are_seen(database_url: str, pool: Pool, bus: Bus) -> None:
    """The setting that loses the last commits is named too."""
    async with pool.connection() as conn:
        await conn.execute(
            sql.SQL("alter database {} set synchronous_commit = off").format(sql.Identifier(conn.info.dbname))
        )

    async with db.open_pool(database_url) as fresh:
        state = await health.check(fresh, bus)

    assert any("synchronous_commit" in problem for problem in state.problems)


async def test_without_a_database_nothing_is_ready(bus: Bus) -> None:
    """The answer comes soon and says why."""
    async with db.open_pool("postgresql://nobody@127.0.0.1:1/none") as away:
        state = await health.check(away, bus)

    assert not state.ready
    assert state.problems == ["the database does not answer"]


async def test_migrating_again_changes_nothing(empty_database_url: str) -> None:
    """Every start may migrate."""
    first = await migrate.migrate(empty_database_url)

    assert first[0] == "0001_foundation.sql"
    assert await migrate.migrate(empty_database_url) == []


async def test_a_service_refuses_an_older_schema(empty_database_url: str) -> None:
    """Code never runs on a schema that it does not know."""
    async with await psycopg.AsyncConnection.connect(empty_database_url) as conn:
        with pytest.raises(migrate.OldSchema, match="lumilio migrate"):
            await migrate.check(conn)


async def test_an_edited_migration_is_refused(database_url: str) -> None:
    """History is not rewritten under anybody's data."""
    async with await psycopg.AsyncConnection.connect(database_url) as conn:
        await conn.execute("update migrations set digest = 'another'")

    with pytest.raises(migrate.ChangedMigration):
        await migrate.migrate(database_url)
