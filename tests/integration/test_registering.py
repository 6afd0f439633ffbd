"""Registering what was found, while others do so as well or have the same assets in hand."""

import asyncio
from pathlib import Path

import pytest
from nats.aio.client import Client

from common import db, trash_queries
from common.bus import Bus
from common.outbox import Relay
from ingest import found
from ingest.found import Registrar
from tests.support import given
from tests.support.rows import ask, do
from tests.support.scanning import Disk
from tests.support.waiting import until

WAITING = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"


def jpeg(number: int) -> bytes:
    """As much of a photo as a scan looks at."""
    return b"\xff\xd8\xff photo %d" % number


def registrar(pool: db.Pool) -> Registrar:
    """An ingest that registers, and is called by hand."""
    bus = Bus(client := Client(), client.jetstream())
    return Registrar(pool, bus, Relay(pool, bus, 60), 60)


async def test_two_at_once_make_no_asset_twice(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes first makes it, and the files of the other are its; nobody waits for ever."""
    monkeypatch.setattr(found, "BATCH", 7)
    for number in range(60):
        disk.write(f"{number}.jpg", jpeg(number % 23))
    await disk.settle()
    for number in range(60):
        disk.write(f"{number}.jpg", jpeg(100 + number % 17), age=30)
        disk.write(f"more/{number}.jpg", jpeg(100 + number % 19), age=30)
    await disk.scan()
    await disk.read()

    async def all_of_it(pool: db.Pool) -> None:
        while await ask(pool, "select 1 from file_records where state = 'found'"):
            await registrar(pool)._all()

    async with db.open_pool(disk.database_url) as other:
        await asyncio.gather(all_of_it(disk.pool), all_of_it(other), all_of_it(disk.pool))

    assert await ask(disk.pool, "select state, count(*) from file_records group by state") == [("present", 120)]
    shown = "select count(*) from assets where missing_since is null"
    assert await ask(disk.pool, shown) == [19]
    assert await ask(disk.pool, "select count(distinct asset_id) from file_records") == [19]


async def test_an_asset_that_somebody_has_in_hand_is_waited_for_without_its_files(disk: Disk) -> None:
    """Everybody holds the stages of an asset before its files, so nobody waits in a circle."""
    disk.write("a.jpg", jpeg(1))
    await disk.settle()
    disk.write("a.jpg", jpeg(2), age=30)
    await disk.scan()
    await disk.read()
    (asset,) = await ask(disk.pool, "select asset_id from assets")

    async with db.open_pool(disk.database_url) as other:
        async with other.connection() as conn:
            await trash_queries.lock_stages(conn, [asset])
            registering = asyncio.create_task(registrar(disk.pool).register())
            await until(lambda: _is_waiting(disk))
            await conn.execute("update file_records set generation = 7 where asset_id = %s", (asset,))
        assert await registering == 1

    assert await ask(disk.pool, "select generation, state from file_records") == [(7, "present")]


async def _is_waiting(disk: Disk) -> bool:
    return bool((await ask(disk.pool, WAITING))[0])


async def test_a_repository_that_is_away_keeps_no_other_waiting(disk: Disk, tmp_path: Path) -> None:
    """Its files wait for it, however many came before those of the others."""
    disk.write("a.jpg", jpeg(1))
    repository = await given.new_repository(disk.pool, bytes(tmp_path / "other"), is_default=False)
    other = Disk(disk.pool, disk.database_url, repository, disk.owner)
    await do(disk.pool, f"update repositories set owner_id = {disk.owner.user_id}")
    other.write("b.jpg", jpeg(2))
    for one in (disk, other):
        await one.scan()
        await one.read()
    disk.root.rename(tmp_path / "away")
    disk.root.mkdir()  # where nothing is mounted

    await registrar(disk.pool)._all()

    assert await disk.catalogue() == {b"a.jpg": "found", b"b.jpg": "present"}
    assert list(disk.root.iterdir()) == []
    (tmp_path / "away").rename(disk.root)
    await registrar(disk.pool)._all()
    assert await disk.catalogue() == {b"a.jpg": "present", b"b.jpg": "present"}


async def test_what_a_newer_version_found_waits_for_one(disk: Disk) -> None:
    """While versions run beside each other, a type that this one does not know keeps no file waiting that it does."""
    for number in range(2):
        disk.write(f"{number}.jpg", jpeg(number))
    await disk.scan()
    await disk.read()
    await do(disk.pool, "update file_records set mime_type = 'image/of-tomorrow' where path = '0.jpg'")

    await registrar(disk.pool)._all()

    assert await disk.catalogue() == {b"0.jpg": "found", b"1.jpg": "present"}
