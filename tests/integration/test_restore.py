from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec import structs
from psycopg import AsyncConnection, sql
from psycopg.conninfo import conninfo_to_dict

from common import db, migrate
from common.db import Pool
from common.stages import Stage
from ingest.handlers import Ingest
from ingest.housekeeping import Housekeeping
from lumilio.backup import make, proof, record, tools
from lumilio.backup.make import Source
from lumilio.postgres import Postgres
from lumilio.refusal import CannotStart
from lumilio.restore import command
from lumilio.restore.run import Restore, look_through
from lumilio.verify import verify
from tests.support.given import Repository, User
from tests.support.placing import PHOTO, place_all, staged, staging
from tests.support.rows import ask, claim, do


def ignore(_: str) -> None:
    """Nobody listens."""


@pytest.fixture
async def backup(
    pool: Pool, database_url: str, repository: Repository, user: User, ingest: Ingest, tmp_path: Path
) -> Path:
    """A backup of a photo in its place, one whose place is being sought, and one thrown away long ago."""
    for number in range(2):
        await staged(pool, repository, user, PHOTO + b"%d" % number, f"{number}.jpg")
    await place_all(pool, ingest)
    await do(pool, "update assets set trashed_at = now() - interval '29 days' where original_filename = '1.jpg'")
    await do(
        pool, "insert into purges (asset_id, reason) select asset_id, 'asked' from assets where trashed_at < now()"
    )
    await do(
        pool, f"insert into sessions (session_id, user_id, expires_at) values (uuidv7(), {user.user_id}, 'infinity')"
    )
    await do(pool, f"insert into departures (user_id, fate) values ({user.user_id}, 'trash_and_purge')")
    await staged(pool, repository, user, PHOTO + b"2", "2.jpg")
    await claim(pool, Stage.PLACE)
    return await make.make(Source(database_url), tmp_path / "backups", say=ignore)


@pytest.fixture
async def target(postgres: Postgres) -> AsyncIterator[str]:
    """The address of a database that does not exist, and of which nothing is left in the end."""
    url = postgres.url("restored")
    yield url
    async with await AsyncConnection.connect(postgres.url("postgres"), autocommit=True) as conn:
        for name in await names(conn, "restored%"):
            await conn.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


async def names(conn: AsyncConnection, like: str) -> list[str]:
    """The databases that are called so."""
    cursor = await conn.execute("select datname from pg_database where datname like %s order by 1", (like,))
    return [row[0] for row in await cursor.fetchall()]


async def restore(folder: Path, url: str, *, replace: bool = False) -> None:
    """Restore as the command does."""
    await Restore(folder, look_through(folder), url, replace, ignore).run()


async def test_a_restored_catalogue_is_another_history(backup: Path, target: str, pool: Pool, user: User) -> None:
    """All is as it was, but nobody works or is signed in, and nobody gets the number of a later person."""
    await restore(backup, target)

    async with db.open_pool(target) as restored:
        question = "select asset_id, owner_id, content_hash, stored_at from assets order by asset_id"
        assert await ask(restored, question) == await ask(pool, question)
        assert await ask(restored, "select epoch from server") != await ask(pool, "select epoch from server")
        assert await ask(restored, "select restored_at > now() - interval '1 hour' from server") == [True]
        assert await ask(restored, "select 1 from sessions union select 2 from leases") == []
        due = "select state, next_at <= now(), deaths from asset_stages where stage = 'place' and next_at is not null"
        assert await ask(restored, due) == [("pending", True, 0)]
        await do(restored, "insert into users (username, email, password_hash) values ('new', 'new@localhost', '')")
        assert await ask(restored, "select max(user_id) from users") == [user.user_id + 1001]
        assert await ask(restored, "select state from backups") == ["made"]


async def test_nothing_in_the_trash_goes_before_its_time_from_the_restore(
    backup: Path, target: str, pool: Pool
) -> None:
    """What was taken back after the backup is in the trash again, and people have the whole time to notice."""
    await restore(backup, target)

    async with db.open_pool(target) as restored:
        assert await ask(
            restored, "select trashed_at > now() - interval '1 hour' from assets where trashed_at is not null"
        ) == [True]
        assert await ask(restored, "select 1 from purges union select 2 from departures") == []


async def test_a_database_in_use_is_only_replaced_on_request_and_kept(
    backup: Path, database_url: str, pool: Pool, postgres: Postgres
) -> None:
    """Without --replace nothing is touched; with it the old one can be had back by its other name."""
    await pool.close()
    name = str(conninfo_to_dict(database_url)["dbname"])

    with pytest.raises(CannotStart, match="is in use: with --replace"):
        await restore(backup, database_url)
    await restore(backup, database_url, replace=True)

    async with await AsyncConnection.connect(postgres.url("postgres"), autocommit=True) as conn:
        kept = [one for one in await names(conn, f"{name}%") if one != name]
        assert [one.startswith(f"{name}_before_") for one in kept] == [True]
        async with await AsyncConnection.connect(proof.elsewhere(database_url, kept[0])) as old:
            assert (await (await old.execute("select count(*) from assets")).fetchall())[0][0] == 3
        await conn.execute(sql.SQL("drop database {}").format(sql.Identifier(kept[0])))


async def test_a_database_that_services_use_is_not_touched(backup: Path, database_url: str, pool: Pool) -> None:
    """A service that runs would write into what is called something else in a moment."""
    await ask(pool, "select 1")

    with pytest.raises(CannotStart, match="stop the services first"):
        await restore(backup, database_url, replace=True)


async def test_an_empty_schema_is_in_nobodys_way(backup: Path, target: str, postgres: Postgres) -> None:
    """Where `lumilio migrate` ran and nobody ever signed in, there is nothing to keep."""
    async with await AsyncConnection.connect(postgres.url("postgres"), autocommit=True) as conn:
        await conn.execute("create database restored")
    await migrate.migrate(target)

    await restore(backup, target)

    async with db.open_pool(target) as restored:
        assert await ask(restored, "select count(*) from assets") == [3]


async def test_a_damaged_backup_touches_nothing(backup: Path, target: str) -> None:
    """One other byte in the dump is told before the server is asked for anything."""
    content = bytearray((backup / record.DUMP).read_bytes())
    content[-100] ^= 1
    (backup / record.DUMP).write_bytes(content)

    with pytest.raises(CannotStart, match=r"damaged, nothing was touched: catalogue.dump has other bytes"):
        look_through(backup)


async def test_a_backup_that_lacks_rows_takes_nobodys_place(backup: Path, target: str, postgres: Postgres) -> None:
    """What is restored is counted before it gets the name, and goes when the count is wrong."""
    known = look_through(backup)
    wrong = structs.replace(known, counts={**known.counts, "public.assets": 7})

    with pytest.raises(CannotStart, match=r"public.assets 3 instead of 7"):
        await Restore(backup, wrong, target, replace=True, say=ignore).run()

    async with await AsyncConnection.connect(postgres.url("postgres"), autocommit=True) as conn:
        assert await names(conn, "restored%") == []


async def test_a_backup_of_a_newer_lumilio_is_refused_in_words(backup: Path) -> None:
    """This code cannot know what a later migration has changed."""
    known = record.read(backup)
    record.write(backup, structs.replace(known, migrations={**known.migrations, "9999_later.sql": "00"}))

    with pytest.raises(CannotStart, match=r"made by a newer Lumilio \(9999_later.sql\)"):
        look_through(backup)


async def test_a_backup_for_a_newer_postgres_is_refused_in_words(backup: Path, target: str) -> None:
    """A dump goes into its own version or a later one."""
    known = structs.replace(look_through(backup), postgres=99)

    with pytest.raises(CannotStart, match="of Postgres 99"):
        await Restore(backup, known, target, replace=False, say=ignore).run()


async def test_what_was_uploaded_after_the_backup_comes_back(
    pool: Pool, database_url: str, repository: Repository, user: User, ingest: Ingest, target: str, tmp_path: Path
) -> None:
    """Fifty that were acknowledged and placed since are there again, those that waited stay, and nothing is wrong."""
    await staged(pool, repository, user, PHOTO, "before.jpg")
    await place_all(pool, ingest)
    folder = await make.make(Source(database_url), tmp_path / "backups", say=ignore)
    for number in range(50):
        await staged(pool, repository, user, PHOTO + b"%d" % number, f"{number}.jpg")
    await place_all(pool, ingest)
    waiting = await staged(pool, repository, user, PHOTO + b" that waits", "waiting.jpg")

    await command.bring_back(Restore(folder, look_through(folder), target, replace=False, say=ignore))

    async with db.open_pool(target) as restored:
        await place_all(restored, Ingest(restored))
        await Housekeeping(restored, 1, abandoned_seconds=0).clean()
        question = "select content_hash, owner_id, size from assets where stored_at is not null order by 1"
        assert await ask(restored, question) == await ask(pool, question)
    assert staging(repository) == [waiting.staged_name.encode()]
    said = list[str]()
    await verify(target, say=said.append)
    assert [line.split()[1] for line in said if line.startswith("WRONG")] == ["I5"]


async def test_a_backup_of_an_older_schema_is_brought_up_to_date(
    backup: Path, empty_database_url: str, target: str
) -> None:
    """A dump of the release before restores had a row of their own has the schema of today afterwards."""
    old = [one for one in migrate.available() if one.number < 40]
    async with await AsyncConnection.connect(empty_database_url, autocommit=True) as conn:
        await conn.execute("create table migrations (number int primary key, name text, digest text)")
        for one in old:
            await migrate._apply(conn, one)
        await conn.execute("insert into users (username, email, password_hash) values ('eva', 'eva@localhost', '')")
        counts = await proof.count(conn)
    async with snapshot(empty_database_url) as name:
        (backup / record.DUMP).unlink()
        await tools.find(18).dump(empty_database_url, snapshot=name, to=backup / record.DUMP)
    parts = {**record.read(backup).parts, record.DUMP: record.measure(backup / record.DUMP)}
    digests = {one.name: one.digest for one in old}
    record.write(backup, structs.replace(record.read(backup), migrations=digests, counts=counts, parts=parts))

    await restore(backup, target)

    async with db.open_pool(target) as restored:
        assert await ask(restored, "select username from users") == ["eva"]
        async with restored.connection() as conn:
            await migrate.check(conn)


@asynccontextmanager
async def snapshot(url: str) -> AsyncIterator[str]:
    """The name of what a database looks like now."""
    async with await AsyncConnection.connect(url) as conn:
        cursor = await conn.execute("select pg_export_snapshot()")
        yield (await cursor.fetchall())[0][0]
