"""A catalogue of before there were scans, as it is when its database is brought to the schema of today.

And how a database is brought to another schema while it is used.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from blake3 import blake3

from common import db, files, migrate
from common.db import Connection, Pool
from common.migrate import Migration
from lumilio import migrations
from lumilio.refusal import CannotStart
from tests.support import given
from tests.support.rows import ask
from tests.support.scanning import Disk
from tests.support.waiting import until

PHOTO = b"\xff\xd8\xff a photo that was sent"


@pytest.fixture
async def disk_of_old(empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Disk]:
    """A repository with two uploads, recorded as it was done then, whose database was migrated since."""
    of_then = [one for one in migrate.available() if one.number < 18]
    with monkeypatch.context() as then:
        then.setattr(migrate, "available", lambda: of_then)
        await migrate.migrate(empty_database_url)
    async with db.open_pool(empty_database_url) as pool:
        owner = await given.new_user(pool, "anna", "a password", password_hash="")
        disk = Disk(pool, empty_database_url, await given.new_repository(pool, bytes(tmp_path / "old")), owner)
        for number, path in enumerate(("inbox/a.jpg", "inbox/b.jpg")):
            await record(disk, path, disk.write(path, PHOTO + b"%d" % number), name=f"{number}.jpg")
        await migrate.migrate(empty_database_url)
        yield disk


async def record(disk: Disk, path: str, file: Path, *, name: str) -> None:
    """Write down an upload in the columns that there were."""
    content, seen = file.read_bytes(), files.seen(file.stat())
    async with disk.pool.connection() as conn:
        await conn.execute(
            """
            with made as (
                insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename, stored_at)
                values (%s, %s, %s, 'photo', 'image/jpeg', %s, now())
                returning asset_id
            )
            insert into file_records (repository_id, path, display_name, asset_id, size, modified_ns, inode)
            select %s, %s, %s, asset_id, %s, %s, %s from made
            """,
            (
                *(disk.owner.user_id, blake3(content).digest(), len(content), name),
                *(disk.repository.repository_id, path.encode(), path, *seen),
            ),
        )


async def test_what_was_stored_before_there_were_scans_stays_as_it_was(disk_of_old: Disk) -> None:
    """The first scan finds nothing new in it, and every asset is still shown."""
    before = await disk_of_old.assets()

    state, counts = await disk_of_old.settle()

    assert (state, counts.files) == ("done", 2)
    assert (counts.new, counts.changed, counts.moved, counts.gone, counts.hidden) == (0, 0, 0, 0, 0)
    assert await disk_of_old.catalogue() == {b"inbox/a.jpg": "present", b"inbox/b.jpg": "present"}
    assert await disk_of_old.assets() == before == ["0.jpg", "1.jpg"]
    query = "select count(*) from file_records join assets using (asset_id, content_hash, mime_type)"
    assert await ask(disk_of_old.pool, query) == [2]


async def test_damage_of_before_is_found(disk_of_old: Disk) -> None:
    """Files are compared with what their assets were, although nobody wrote that beside them."""
    (disk_of_old.root / "inbox/a.jpg").write_bytes(PHOTO.replace(b"sent", b"hurt") + b"0")

    await disk_of_old.settle()
    await disk_of_old.scrub()

    assert await disk_of_old.catalogue() == {b"inbox/a.jpg": "corrupt", b"inbox/b.jpg": "present"}


async def test_a_migration_that_finds_a_table_in_use_stands_in_nobodys_way(
    pool: Pool, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup may read for an hour: whoever wants the table meanwhile has it, and the migration comes after that."""
    begun: list[str] = []
    statement = "alter table assets add column of_a_later_release text"
    monkeypatch.setattr(migrate, "available", lambda: [Migration(9999, "9999_later.sql", statement)])
    monkeypatch.setattr(migrate, "LOCK_SECONDS", 0.1)
    monkeypatch.setattr(migrate, "_attempt", counted(begun))
    async with pool.connection() as backup:
        await backup.execute("lock table assets in access share mode")
        migrating = asyncio.create_task(migrate.migrate(database_url))
        await until(lambda: len(begun) > 1, seconds=60)
        assert await ask(pool, "select count(*) from assets") == [0]

    assert await migrating == ["9999_later.sql"]
    assert await ask(pool, "select of_a_later_release from assets") == []


def test_who_uses_a_table_seldom_waits_behind_a_migration() -> None:
    """However long somebody is in its way: it asks ever more seldom, and for long enough for a short backup to end."""
    rests = [migrate.rest(tried) for tried in range(migrate.MOST_TRIES)]

    assert rests == sorted(rests)
    assert migrate.LOCK_SECONDS * len(rests) < sum(rests) / 10
    assert 600 < sum(rests) < 1200


async def test_a_migration_that_gives_up_says_who_is_in_its_way(
    pool: Pool, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever keeps a table for too long is named to who migrates, and nothing was done."""
    statement = "create table of_a_later_release (); alter table assets add column later text"
    monkeypatch.setattr(migrate, "available", lambda: [Migration(9999, "9999_later.sql", statement)])
    for limit, short in [("LOCK_SECONDS", 0.1), ("REST_SECONDS", 0), ("MOST_TRIES", 2)]:
        monkeypatch.setattr(migrate, limit, short)

    async with pool.connection() as backup:
        await backup.execute("lock table assets in access share mode")
        with pytest.raises(CannotStart, match=rf"9999_later.sql .* process {backup.info.backend_pid} of the database"):
            await migrations.apply(database_url)

    assert await ask(pool, "select to_regclass('of_a_later_release') is null") == [True]


def counted(begun: list[str]) -> Callable[[Connection, Migration], Awaitable[str]]:
    """An attempt that is noted down before it begins."""
    attempt = migrate._attempt

    async def noted(conn: Connection, migration: Migration) -> str:
        begun.append(migration.name)
        return await attempt(conn, migration)

    return noted
