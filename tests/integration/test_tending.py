"""A repository that is tended: what is heard of is scanned, and what nobody can hear of is found in time."""

import asyncio
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from nats.aio.client import Client
from psycopg.errors import AdminShutdown

from common import db, scan_queries
from common.bus import Bus
from common.files import Offline
from common.outbox import Relay
from syncer import schedule, snapshot
from syncer.area import Area
from syncer.tending import Tending
from tests.support import storms
from tests.support.rows import END_WHO_WAITS, ask, do
from tests.support.scanning import Disk, HereReaders
from tests.support.tending import runs, tended, until_known, until_ran, watched, wish
from tests.support.waiting import until

PHOTO = b"\xff\xd8\xff a photo"
SELDOM = {"quick_scan_interval": "off", "full_scan_interval": "off"}


async def test_a_file_that_is_copied_in_is_known_soon(disk: Disk, tmp_path: Path) -> None:
    """By watching, and by a scan of its folder alone."""
    disk.write("2024/a.jpg", PHOTO)
    (tmp_path / "b.jpg").write_bytes(PHOTO + b"b")
    async with tended(disk, **SELDOM):
        await until_known(disk, b"2024/a.jpg")

        subprocess.run(["cp", "-p", tmp_path / "b.jpg", disk.root / "2024"], check=True)

        await until_known(disk, b"2024/a.jpg", b"2024/b.jpg")
        await until_ran(disk, "watch", "2024")
        assert (await watched(disk)).mode == "kernel"


async def test_a_tree_that_is_moved_in_and_away_again_is_followed(disk: Disk, tmp_path: Path) -> None:
    """With all that lies in it, and nothing but it: a neighbour whose name begins alike stays."""
    disk.write("holiday2/a.jpg", PHOTO)
    for name in ("one", "two/three"):
        (tmp_path / "holiday" / name).mkdir(parents=True)
        (tmp_path / "holiday" / name / "b.jpg").write_bytes(PHOTO + name.encode())
    async with tended(disk, **SELDOM):
        (tmp_path / "holiday").rename(disk.root / "holiday")
        await until_known(disk, b"holiday2/a.jpg", b"holiday/one/b.jpg", b"holiday/two/three/b.jpg")

        (disk.root / "holiday").rename(disk.root / "trip")
        await until_known(disk, b"holiday2/a.jpg", b"trip/one/b.jpg", b"trip/two/three/b.jpg")

        shutil.rmtree(disk.root / "trip")
        await until_known(disk, b"holiday2/a.jpg")


async def test_a_tree_that_is_copied_is_known_to_its_depths(disk: Disk, tmp_path: Path) -> None:
    """However fast it comes."""
    paths = [f"day {day}/{hour}/{minute}.jpg" for day in range(4) for hour in range(4) for minute in range(5)]
    for path in paths:
        (tmp_path / "source" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "source" / path).write_bytes(PHOTO + path.encode())
    async with tended(disk, **SELDOM):
        subprocess.run(["cp", "-a", tmp_path / "source", disk.root / "copy"], check=True)

        await until_known(disk, *(b"copy/" + path.encode() for path in paths))


@pytest.mark.parametrize("seed", [1, 2])
async def test_what_is_heard_is_the_truth_after_a_storm(disk: Disk, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is done at once and however fast, the catalogue is the disk soon, and just its folders are watched."""
    monkeypatch.setattr("syncer.scans.LEAST_ALARMING", 10_000)  # nobody is to be asked
    monkeypatch.setattr("syncer.tending.DOUBT_SECONDS", 0.1)
    async with tended(disk, **SELDOM) as tending:
        tending.noticing.missed_rest = timedelta(hours=1)
        await asyncio.to_thread(storms.storm, disk.root, seed, 150)

        await until_known(disk, *storms.photos(disk.root))

        assert await ask(disk.pool, "select distinct reason from sync_operations order by 1") == ["startup", "watch"]
        count = 1 + len(list(storms.folders(disk.root)))
        await until(lambda: is_watched(disk, count), what=f"{count} folders are watched")


async def is_watched(disk: Disk, folders: int) -> bool:
    return (await watched(disk)).folders == folders


async def test_an_unwatched_repository_is_found_to_have_changed_by_quick_scans(disk: Disk) -> None:
    """They list the folders whose names changed, old files in them too, and those that are new with all below."""
    disk.write("2024/a.jpg", PHOTO)
    disk.write("2023/deep/b.jpg", PHOTO + b"b")
    async with tended(disk, watch="off", quick_scan_interval="1s", full_scan_interval="off"):
        disk.write("2024/c.jpg", PHOTO + b"c")
        disk.write("new/deep/d.jpg", PHOTO + b"d")
        shutil.rmtree(disk.root / "2023")

        await until_known(disk, b"2024/a.jpg", b"2024/c.jpg", b"new/deep/d.jpg")

        assert await runs(disk, "watch") == []
        assert len(await runs(disk, "startup")) == 1
        assert await ask(disk.pool, "select count(*) from sync_operations where reason = 'full'") == [0]
        assert (await watched(disk)).mode == "off"


async def test_a_quick_scan_lists_nothing_where_nothing_changed(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders that stand as they were listed are looked at, and not into."""
    monkeypatch.setattr(snapshot, "UNSETTLED_NS", 0)
    for number in range(20):
        disk.write(f"{number}/a.jpg", PHOTO + str(number).encode())
    async with tended(disk, watch="off", **SELDOM) as tending:
        assert (await tending._quick.area()).flat == {b""}
        assert (await tending._quick.area()).flat == set()

        (disk.root / "7/b.jpg").write_bytes(PHOTO)

        assert (await tending._quick.area()).flat == {b"7"}
        assert (await tending._quick.area(b"8")).flat == {b"8"}


async def test_a_full_scan_comes_when_its_time_has_come(disk: Disk) -> None:
    """It sees what changed in place, which no folder tells."""
    path = disk.write("a.jpg", PHOTO)
    async with tended(disk, watch="off", quick_scan_interval="off", full_scan_interval="1s"):
        path.write_bytes(PHOTO + b" that was edited")

        await until(lambda: runs(disk, "full"))
        size = len(PHOTO + b" that was edited")
        await until(lambda: ask(disk.pool, f"select true from file_records where size = {size}"))


async def test_an_asked_quick_scan_is_a_quick_one(disk: Disk) -> None:
    """It does not look at files of folders whose names did not change."""
    disk.write("2024/a.jpg", PHOTO)
    async with tended(disk, watch="off", **SELDOM):
        disk.write("2024/b.jpg", PHOTO + b"b")
        async with disk.pool.connection() as conn:
            await scan_queries.request_scan(
                conn, disk.repository.repository_id, b"2024", reason="requested", is_quick=True
            )

        await until_known(disk, b"2024/a.jpg", b"2024/b.jpg")

        await until_ran(disk, "requested", "2024")


async def test_a_polled_repository_is_scanned_quickly(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the marker says, which may say so at any time, and people are told."""
    monkeypatch.setattr(schedule, "POLLED", timedelta(seconds=0.5))
    async with tended(disk, **SELDOM):
        wish(disk, watch="polling", quick_scan_interval="soon", full_scan_interval="off")
        await until(lambda: runs(disk, "quick"))

        disk.write("a.jpg", PHOTO)

        await until_known(disk, b"a.jpg")
        state = await watched(disk)
        assert state.mode == "polling"
        assert "every minute" in str(state.note)
        assert "quick_scan_interval makes no sense: 'soon'" in str(state.note)


async def test_a_repository_that_comes_back_is_scanned_as_a_whole(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it is missing meanwhile, and it is watched again."""
    monkeypatch.setattr("syncer.tending.AWAY_SECONDS", 0.1)
    disk.write("2024/a.jpg", PHOTO)
    async with tended(disk, **SELDOM) as tending:
        elsewhere = disk.root.parent / "elsewhere"
        disk.root.rename(elsewhere)
        await until(lambda: ask(disk.pool, "select true from repositories where state = 'offline'"))
        assert await disk.catalogue() == {b"2024/a.jpg": "found"}
        (elsewhere / "2024/b.jpg").write_bytes(PHOTO + b"b")

        elsewhere.rename(disk.root)

        await until_known(disk, b"2024/a.jpg", b"2024/b.jpg")
        await until(lambda: not tending.noticing.was_away, what="a whole scan, be it that the root itself was heard")
        disk.write("2024/c.jpg", PHOTO + b"c")
        await until_known(disk, b"2024/a.jpg", b"2024/b.jpg", b"2024/c.jpg")


async def test_runs_that_are_frequent_hide_no_others(disk: Disk) -> None:
    """Of each reason some are kept, so what a person asked for is not forgotten over what was heard."""
    async with tended(disk, **SELDOM) as tending:
        async with disk.pool.connection() as conn:
            await conn.execute(
                """
                insert into sync_operations (repository_id, reason, state, ended_at)
                select %s, case when n = 1 then 'requested' else 'watch' end, 'done', now()
                from generate_series(1, 300) n
                """,
                (disk.repository.repository_id,),
            )

        await tending.scan(Area(frozenset(), frozenset({b""})), "watch")

        assert len(await runs(disk, "requested")) == 1
        assert len(await runs(disk, "watch")) == 50


async def test_what_vanished_from_a_folder_is_hidden_soon(disk: Disk) -> None:
    """A scan of a folder says that a file is missing there, and one of all that follows whether it is anywhere."""
    path = disk.write("2024/a.jpg", PHOTO)
    disk.write("2024/b.jpg", PHOTO + b"b")
    await disk.settle()
    async with tended(disk, **SELDOM) as tending:
        tending.noticing.missed_rest = timedelta(0)
        path.unlink()

        async def hidden() -> bool:
            return await disk.assets() == ["b.jpg"]

        await until(hidden, seconds=60, what="the asset is hidden")  # a slow scan is not soon followed by another
        await until(lambda: runs(disk, "vanished"), what="the scan of all is over")
    assert await runs(disk, "vanished") == [""]


async def test_a_wish_whose_run_ended_unseen_is_fulfilled(disk: Disk) -> None:
    """As one does that ends while the database is away: whoever tends the repository goes on doing so."""
    async with tended(disk, watch="off", **SELDOM):
        await do(
            disk.pool,
            "insert into sync_operations (repository_id, reason, state) "
            "select repository_id, 'requested', 'running' from repositories",
        )

        await until(lambda: runs(disk, "requested"), what="the scan that was asked for")

        assert await ask(disk.pool, "select state from sync_operations where reason = 'requested'") == ["done"]


async def test_a_wish_whose_scan_met_an_outage_of_the_database_is_fulfilled(disk: Disk) -> None:
    """The database may be back before anybody notices: the wish waits again, and has not failed."""
    client = Client()
    relay = Relay(disk.pool, Bus(client, client.jetstream()), 60)
    tending = Tending(disk.pool, disk.database_url, relay, HereReaders(1), await disk.holding(), 60)
    wished = "select state from sync_operations where reason = 'requested'"
    await do(
        disk.pool,
        "insert into sync_operations (repository_id, reason, state) "
        "select repository_id, 'requested', 'queued' from repositories",
    )

    async with disk.pool.connection() as conn:
        await conn.execute("select from leases for update")
        scanning = asyncio.create_task(tending.scan_wished())
        await until(lambda: ask(disk.pool, END_WHO_WAITS))
    with pytest.raises(AdminShutdown):
        await scanning
    assert await ask(disk.pool, wished) == ["queued"]

    await tending.scan_wished()
    assert await ask(disk.pool, wished) == ["done"]


async def test_scans_wait_for_their_turns(disk: Disk) -> None:
    """However many repositories there are, no more are scanned at once than the database has connections for."""
    client, turns = Client(), asyncio.Semaphore(1)
    relay = Relay(disk.pool, Bus(client, client.jetstream()), 60)
    holding = await disk.holding()
    of_many = [Tending(disk.pool, disk.database_url, relay, HereReaders(1), holding, 60, turns=turns) for _ in range(5)]

    await asyncio.gather(*(tending.scan(Area(), "full") for tending in of_many))

    overlapping = """
        select count(*)
        from sync_operations a
        join sync_operations b on a.operation_id < b.operation_id and b.started_at < a.ended_at
    """
    assert await ask(disk.pool, overlapping) == [0]
    assert await ask(disk.pool, "select distinct state from sync_operations") == ["done"]


async def test_a_picture_that_became_a_text_is_hidden_soon(disk: Disk) -> None:
    """Its asset has no file any more, although something lies where it lay."""
    disk.write("2024/a.jpg", PHOTO)
    disk.write("2024/b.jpg", PHOTO + b"b")
    await disk.settle()
    async with tended(disk, **SELDOM) as tending:
        tending.noticing.missed_rest = timedelta(0)
        disk.write("2024/a.jpg", b"a text")

        async def hidden() -> bool:
            return await disk.assets() == ["b.jpg"]

        await until(hidden, seconds=60, what="the asset is hidden")  # a slow scan is not soon followed by another


async def test_a_disk_that_goes_away_is_told_once(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the server by hand, or reads its journal, asks nobody and wants to know."""
    monkeypatch.setattr("syncer.tending.AWAY_SECONDS", 0.01)
    disk.write("a.jpg", PHOTO)
    elsewhere = disk.root.parent / "away"
    with structlog.testing.capture_logs() as lines:
        async with tended(disk, **SELDOM):
            disk.root.rename(elsewhere)
            await until(lambda: ask(disk.pool, "select 1 from repositories where state = 'offline'"))
            elsewhere.rename(disk.root)
            await until(lambda: ask(disk.pool, "select 1 from repositories where state = 'online'"))

    told = [line for line in lines if line["event"].startswith("repository ")]
    assert [(line["event"], line["log_level"]) for line in told] == [
        ("repository offline", "warning"),
        ("repository online", "info"),
    ]
    assert "its folder is gone" in told[0]["reason"]


async def test_a_disk_that_is_away_is_no_run(disk: Disk) -> None:
    """Whatever is heard meanwhile, the runs that people look back to are not pushed out by such that saw nothing."""
    disk.write("a.jpg", PHOTO)
    async with tended(disk, **SELDOM) as tending:
        disk.root.rename(disk.root.parent / "away")
        tending.noticing.hints.add(b"")
        await until(lambda: ask(disk.pool, "select 1 from repositories where state = 'offline'"))

        assert await ask(disk.pool, "select reason from sync_operations where state = 'failed'") == []


async def test_a_disk_and_a_database_that_are_away_at_once_only_delay(disk: Disk) -> None:
    """Whoever tends the repository goes on, and knows that all of it is to be looked at."""
    client = Client()
    async with db.open_pool(disk.database_url) as pool:
        relay = Relay(pool, Bus(client, client.jetstream()), 60)
        tending = Tending(pool, disk.database_url, relay, HereReaders(1), await disk.holding(), 60)
    outages = [Offline("the disk is away")]

    async def work() -> str:
        if outages:
            raise outages.pop()
        return "done"

    assert await tending._persistently(work) == "done"
    assert tending.noticing.was_away
