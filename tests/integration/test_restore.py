import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from msgspec import structs
from psycopg import AsyncConnection, sql

from common import db, migrate
from common.db import Pool
from ingest import departures, keeping
from ingest.handlers import Ingest
from ingest.housekeeping import Housekeeping
from lumilio.backup import make, proof, record, tools
from lumilio.backup.make import Source
from lumilio.postgres import Postgres
from lumilio.rebuild.run import Where, rebuild
from lumilio.refusal import CannotStart
from lumilio.restore import command
from lumilio.restore.run import Restore, look_through
from lumilio.verify import verify
from tests.support import databases, volumes
from tests.support.albums import another
from tests.support.backups import Kept, ignore
from tests.support.given import Repository, User
from tests.support.placing import PHOTO, keep, place_all, placed, staged, staging
from tests.support.purging import purge_all, throw, wish
from tests.support.rows import ask, do

OWNERS = "select owner_id, content_hash from assets order by content_hash"


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


@pytest.fixture(scope="module")
def restored_url(shelved: Kept, postgres: Postgres) -> Iterator[str]:
    """The address of a restored database, for tests that only look."""
    asyncio.run(restore(shelved.folder, postgres.url("looked_at")))
    yield postgres.url("looked_at")
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as conn:
        conn.execute("drop database looked_at with (force)")


@pytest.fixture
async def restored(restored_url: str) -> AsyncIterator[Pool]:
    """Connections to it."""
    async with db.open_pool(restored_url) as opened:
        yield opened


async def test_a_restored_catalogue_is_another_history(shelved: Kept, restored: Pool) -> None:
    """All is as it was, but nobody works or is signed in, and nobody gets the number of a later person."""
    async with db.open_pool(shelved.database_url) as before:
        question = "select asset_id, owner_id, content_hash, stored_at from assets order by asset_id"
        assert await ask(restored, question) == await ask(before, question)
        assert await ask(restored, "select epoch from server") != await ask(before, "select epoch from server")
    assert await ask(restored, "select restored_at > now() - interval '1 day' from server") == [True]
    assert await ask(restored, "select 1 from sessions union select 2 from leases") == []
    due = "select state, next_at <= now(), deaths from asset_stages where stage = 'place' and next_at is not null"
    assert await ask(restored, due) == [("pending", True, 0)]
    (number,) = await ask(restored, "select nextval(pg_get_serial_sequence('users', 'user_id'))")
    assert number > shelved.user.user_id + 1000
    assert await ask(restored, "select state from backups") == ["made"]


async def test_nothing_in_the_trash_goes_before_its_time_from_the_restore(restored: Pool) -> None:
    """What was taken back after the backup is in the trash again, and people have the whole time to notice."""
    trashed = "select trashed_at > now() - interval '1 day' from assets where trashed_at is not null"

    assert await ask(restored, trashed) == [True]
    assert await ask(restored, "select 1 from purges union select 2 from departures") == []


async def test_a_restore_for_which_there_is_no_room_is_not_begun(kept: Kept, target: str, tmp_path: Path) -> None:
    """Whoever reads the line knows how much is lacking, and where."""
    refused = pytest.raises(CannotStart, match=r"the catalogue may need \d+ MB in .*small, where \d MB are free")
    with volumes.mounted(tmp_path / "small", megabytes=8) as disk, refused:
        await Restore(kept.folder, look_through(kept.folder), target, False, ignore, disk.path).run()


async def test_a_database_that_services_use_is_not_touched(shelved: Kept, database_url: str, pool: Pool) -> None:
    """A service that runs would write into what is called something else in a moment."""
    await ask(pool, "select 1")

    with pytest.raises(CannotStart, match="stop the services first"):
        await restore(shelved.folder, database_url, replace=True)


async def test_an_empty_schema_is_in_nobodys_way(shelved: Kept, target: str, postgres: Postgres) -> None:
    """Where `lumilio migrate` ran and nobody ever signed in, there is nothing to keep."""
    async with await AsyncConnection.connect(postgres.url("postgres"), autocommit=True) as conn:
        await conn.execute("create database restored")
    await migrate.migrate(target)

    await restore(shelved.folder, target)

    async with db.open_pool(target) as restored:
        assert await ask(restored, "select count(*) from assets") == [3]


def test_a_damaged_backup_touches_nothing(kept: Kept) -> None:
    """One other byte in the dump is told before the server is asked for anything."""
    content = bytearray((kept.folder / record.DUMP).read_bytes())
    content[-100] ^= 1
    (kept.folder / record.DUMP).write_bytes(content)

    with pytest.raises(CannotStart, match=r"damaged, nothing was touched: catalogue.dump has other bytes"):
        look_through(kept.folder)


async def test_a_backup_that_lacks_rows_takes_nobodys_place(kept: Kept, target: str, postgres: Postgres) -> None:
    """What is restored is counted before it gets the name, and goes when the count is wrong."""
    known = look_through(kept.folder)
    wrong = structs.replace(known, counts={**known.counts, "public.assets": 7})

    with pytest.raises(CannotStart, match=r"public.assets 3 instead of 7"):
        await Restore(kept.folder, wrong, target, replace=True, say=ignore).run()

    async with await AsyncConnection.connect(postgres.url("postgres"), autocommit=True) as conn:
        assert await names(conn, "restored%") == []


def test_a_backup_of_a_newer_lumilio_is_refused_in_words(kept: Kept) -> None:
    """This code cannot know what a later migration has changed."""
    known = record.read(kept.folder)
    record.write(kept.folder, structs.replace(known, migrations={**known.migrations, "9999_later.sql": "00"}))

    with pytest.raises(CannotStart, match=r"made by a newer Lumilio \(9999_later.sql\)"):
        look_through(kept.folder)


async def test_a_backup_for_a_newer_postgres_is_refused_in_words(kept: Kept, target: str) -> None:
    """A dump goes into its own version or a later one."""
    known = structs.replace(look_through(kept.folder), postgres=99)

    with pytest.raises(CannotStart, match="of Postgres 99"):
        await Restore(kept.folder, known, target, replace=False, say=ignore).run()


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


async def test_what_got_the_name_of_another_after_the_backup_comes_back(
    pool: Pool, database_url: str, repository: Repository, user: User, target: str, tmp_path: Path
) -> None:
    """The one that had the name before lies in the trash, or is missing when it was purged since."""
    keep(repository, strategy="flat")
    thrown, purged = [await placed(pool, repository, user, PHOTO + name.encode(), name) for name in ("a.jpg", "b.jpg")]
    folder = await make.make(Source(database_url), tmp_path / "backups", say=ignore)
    await throw(pool, user, thrown, purged)
    await wish(pool, purged)
    await purge_all(pool)
    later = [await placed(pool, repository, user, PHOTO + b"+" + name.encode(), name) for name in ("a.jpg", "b.jpg")]
    where = "select asset_id, path, trashed_at is null from assets left join file_records using (asset_id) order by 1"
    now = await ask(pool, where)

    await command.bring_back(Restore(folder, look_through(folder), target, replace=False, say=ignore))

    async with db.open_pool(target) as restored:
        await place_all(restored, Ingest(restored))
        assert await ask(restored, where) == sorted([*now, (purged, None, True)])
        assert await ask(restored, "select asset_id from assets where missing_since is not null") == [purged]
        assert {one for one, path, _ in now if path.startswith(b"inbox/")} == set(later)


async def test_two_lives_of_a_catalogue_mix_nobodys_photos(
    pool: Pool, database_url: str, postgres: Postgres, repository: Repository, user: User, target: str, tmp_path: Path
) -> None:
    """What happened in the life that a restore ended counts no more when the later one is lost and made anew."""
    bert = await another(pool, "bert", user)
    await placed(pool, repository, bert, PHOTO + b"A", "a.jpg")
    folder = await make.make(Source(database_url), tmp_path / "backups", say=ignore)
    await placed(pool, repository, user, PHOTO + b"B", "p.jpg")
    await do(
        pool,
        f"insert into departures (user_id, fate, receiver_id) values ({bert.user_id}, 'transfer', {user.user_id})",
    )
    await departures.go_on(pool)
    assert await ask(pool, "select distinct owner_id from assets") == [user.user_id]

    await command.bring_back(Restore(folder, look_through(folder), target, replace=False, say=ignore))
    async with db.open_pool(target) as second:
        await placed(second, repository, bert, PHOTO + b"C", "p.jpg")
        await keeping.write(second)
        before = await ask(second, OWNERS)
    with databases.fresh(postgres) as lost:
        await rebuild(lost, Where([repository.root]), say=ignore)
        async with db.open_pool(lost) as third:
            assert await ask(third, OWNERS) == before

    assert sorted(owner for owner, _ in before) == [user.user_id, bert.user_id, bert.user_id]


async def test_a_backup_of_an_older_schema_is_brought_up_to_date(
    kept: Kept, empty_database_url: str, target: str
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
        (kept.folder / record.DUMP).unlink()
        await tools.find(18).dump(empty_database_url, snapshot=name, to=kept.folder / record.DUMP)
    parts = {**record.read(kept.folder).parts, record.DUMP: record.measure(kept.folder / record.DUMP)}
    digests = {one.name: one.digest for one in old}
    record.write(kept.folder, structs.replace(record.read(kept.folder), migrations=digests, counts=counts, parts=parts))

    await restore(kept.folder, target)

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
