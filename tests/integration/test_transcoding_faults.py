"""Transcodes are interrupted by everything there is: each ends once, well or with a reason, and leaves nothing over."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from common import trash
from common.bus import Bus
from common.db import Pool
from common.stages import Claim, LeaseLost, Reject, Stage, Wait
from lumilio.verify import verify
from processor.ffmpeg import Ffmpeg
from processor.transcoding import FULL_RETRY_SECONDS
from tests.support import given, volumes
from tests.support.given import Repository, User
from tests.support.placing import paths
from tests.support.processes import encoders, runs
from tests.support.rows import ask, claim, do, expire, row
from tests.support.transcodes import film, made, transcodable, transcoder, wish
from tests.support.waiting import until
from tests.support.working import transcoding

LONG = 600.0


async def state(pool: Pool, asset: UUID) -> str:
    return str((await row(pool, asset, Stage.TRANSCODE))["state"])


async def has_progress(pool: Pool) -> bool:
    return bool(await ask(pool, "select 1 from asset_stages where stage = 'transcode' and progress is not null"))


async def test_a_lease_lasts_as_long_as_the_work(pool: Pool, bus: Bus, repository: Repository, user: User) -> None:
    """Work of several leases is claimed once and done once."""
    asset = await transcodable(pool, repository, user, film(4))
    async with transcoder(pool, slow=True) as work, transcoding(pool, bus, work.transcode, lease_seconds=1):
        await until(
            lambda: ask(pool, "select 1 from asset_stages where stage = 'transcode' and state = 'done'"), seconds=30
        )

    assert await ask(
        pool, f"select lease_epoch from asset_stages where stage = 'transcode' and asset_id = '{asset}'"
    ) == [1]
    assert len(made(repository)) == 1


async def test_who_wants_none_after_all_does_not_wait(
    pool: Pool, bus: Bus, repository: Repository, user: User, database_url: str
) -> None:
    """Told never, what is being made ends at once, and nothing of it remains; told otherwise, it is made."""
    asset = await transcodable(pool, repository, user, film(LONG / 10))
    async with transcoder(pool, slow=True) as work, transcoding(pool, bus, work.transcode):
        await until(lambda: has_progress(pool))
        await wish(pool, asset, "never")
        await until(lambda: not encoders())

        async def settled() -> bool:
            return await state(pool, asset) == "done"

        await until(settled)
    assert made(repository) == []
    assert await ask(pool, "select count(*) from renditions") == [0]

    await wish(pool, asset, "smart")
    async with transcoder(pool) as work:
        await work.transcode(await claim(pool, Stage.TRANSCODE))
    assert len(made(repository)) == 1
    assert await verify(database_url)


async def test_what_is_thrown_away_is_not_made(
    pool: Pool, bus: Bus, repository: Repository, user: User, database_url: str
) -> None:
    """In the trash nothing is made, and what is at work there ends at once; taken back, it is made."""
    asset = await transcodable(pool, repository, user, film(LONG / 10))

    async def settled() -> bool:
        return await state(pool, asset) == "done"

    async with transcoder(pool, slow=True) as work, transcoding(pool, bus, work.transcode):
        await until(lambda: has_progress(pool))
        async with pool.connection() as conn:
            await trash.put(conn, asset, owner=user.user_id)
        await until(lambda: not encoders())
        await until(settled)
        await wish(pool, asset, "smart")
        await until(settled)
    assert made(repository) == []

    async with pool.connection() as conn:
        await trash.take_back(conn, asset, owner=user.user_id)
    async with transcoder(pool) as work:
        await work.transcode(await claim(pool, Stage.TRANSCODE))
    assert len(made(repository)) == 1
    assert (await row(pool, asset, Stage.TRANSCODE))["failures"] == 0


async def test_a_version_that_nobody_wants_goes_without_the_original(
    pool: Pool, repository: Repository, user: User
) -> None:
    """Told never, nobody waits for a file that is missing, nor for one in the trash."""
    asset = await transcodable(pool, repository, user, film(0.5))
    async with transcoder(pool) as work:
        await work.transcode(await claim(pool, Stage.TRANSCODE))
        assert len(made(repository)) == 1
        await do(pool, "update file_records set state = 'missing'")
        await do(pool, "update assets set trashed_at = now()")

        await wish(pool, asset, "never")
        await work.transcode(await claim(pool, Stage.TRANSCODE))

    assert (await state(pool, asset), made(repository)) == ("done", [])
    assert await ask(pool, "select count(*) from renditions") == [0]


async def test_a_wish_for_what_is_being_made_costs_nothing(
    pool: Pool, bus: Bus, repository: Repository, user: User
) -> None:
    """Asked again for the same, by a person or for everybody, the run goes on, and its version is kept."""
    asset = await transcodable(pool, repository, user, film(6))
    async with transcoder(pool, slow=True) as work, transcoding(pool, bus, work.transcode):
        await until(lambda: has_progress(pool))
        await wish(pool, asset, "smart")
        await until(lambda: ask(pool, "select 1 from asset_stages where stage = 'transcode' and state = 'done'"))

    name = await ask(pool, "select convert_from(path, 'UTF8') from renditions where kind = 'web'")
    assert [Path(path).stem.endswith("_1") for path in name] == [True]
    assert len(made(repository)) == 1


async def test_who_lost_the_lease_stops(pool: Pool, bus: Bus, repository: Repository, user: User) -> None:
    """Work that somebody newer has ends by itself, and leaves no file, neither whole nor begun."""
    await transcodable(pool, repository, user, film(LONG / 10))
    async with transcoder(pool, slow=True) as work:
        stale = await claim(pool, Stage.TRANSCODE)
        working = asyncio.create_task(work.transcode(stale))
        await until(lambda: has_progress(pool))
        await expire(pool)
        await claim(pool, Stage.TRANSCODE)

        with pytest.raises(LeaseLost):
            await asyncio.wait_for(working, 60)

    assert encoders() == []
    assert made(repository) == []


@dataclass(frozen=True)
class Overtaken(Ffmpeg):
    """Somebody newer has the work as soon as it is done."""

    pool: Pool | None = None

    async def run(self, arguments: Sequence[str], **more: Any) -> str:
        complaint = await super().run(arguments, **more)
        assert self.pool is not None
        await expire(self.pool)
        await claim(self.pool, Stage.TRANSCODE)
        return complaint


async def test_one_that_is_too_late_takes_its_file_away(pool: Pool, repository: Repository, user: User) -> None:
    """Whoever made a version that nobody waits for any more removes it, and not the one that stands."""
    asset = await transcodable(pool, repository, user, film(0.5))
    async with transcoder(pool) as work:
        await work.transcode(await claim(pool, Stage.TRANSCODE))
        (kept,) = made(repository)
        await wish(pool, asset, "always")
        await do(pool, "update renditions set recipe = 'another'")

        late = replace(work, ffmpeg=Overtaken(work.ffmpeg.program, work.ffmpeg.folder, pool=pool))
        with pytest.raises(LeaseLost):
            await late.transcode(await claim(pool, Stage.TRANSCODE))

    assert made(repository) == [kept]


async def test_a_server_that_stops_gives_a_film_back(pool: Pool, bus: Bus, repository: Repository, user: User) -> None:
    """Nothing runs on, nothing half remains, and the next worker has it at once, with no death counted."""
    asset = await transcodable(pool, repository, user, film(LONG / 10))
    async with transcoder(pool, slow=True) as work, transcoding(pool, bus, work.transcode) as stop:
        await until(lambda: has_progress(pool))
        stop.set()
        await until(lambda: not encoders())

    found = await row(pool, asset, Stage.TRANSCODE)
    assert (found["state"], found["later"], found["deaths"], found["failures"]) == ("pending", False, 0, 0)
    assert made(repository) == []


async def test_a_killed_server_costs_nothing_but_time(
    pool: Pool, repository: Repository, user: User, database_url: str
) -> None:
    """No ffmpeg runs on, no name is taken, nothing lies about, and the next claim makes it."""
    asset = await transcodable(pool, repository, user, film(5))
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVER, database_url), stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert server.stdout is not None
    child = int(await asyncio.wait_for(server.stdout.readline(), 60))
    server.kill()
    await server.communicate()
    await until(lambda: not runs(child))
    assert made(repository) == []

    await expire(pool)
    async with transcoder(pool) as work:
        await work.transcode(await claim(pool, Stage.TRANSCODE))
    assert await state(pool, asset) == "done"
    assert len(made(repository)) == 1


SERVER = """
import asyncio, sys
from common import db
from common.stages import Stage
from tests.support.transcodes import transcoder
from tests.support.processes import encoders
from tests.support.rows import claim
from tests.support.waiting import until

async def main():
    async with db.open_pool(sys.argv[1]) as pool, transcoder(pool, slow=True) as work:
        task = asyncio.create_task(work.transcode(await claim(pool, Stage.TRANSCODE)))
        while not encoders():
            await asyncio.wait({task}, timeout=0.05)
        await asyncio.wait({task}, timeout=1)
        print(*encoders(), flush=True)
        await task

asyncio.run(main())
"""


async def test_one_that_crashes_ffmpeg_is_given_up(pool: Pool, bus: Bus, repository: Repository, user: User) -> None:
    """A film on which ffmpeg dies three times is explained and left alone."""
    asset = await transcodable(pool, repository, user, film(LONG / 10))
    killed: set[int] = set()

    async def failed() -> bool:
        for child in set(encoders()) - killed:
            if Path(f"/proc/{child}/comm").read_text().startswith("ffmpeg"):
                os.kill(child, signal.SIGSEGV)
                killed.add(child)
        return await state(pool, asset) == "failed"

    async with transcoder(pool, slow=True) as work, transcoding(pool, bus, work.transcode):
        await until(failed, seconds=60)

    found = await row(pool, asset, Stage.TRANSCODE)
    assert (found["error_class"], found["error"]) == ("poison", "ffmpeg was ended by SIGSEGV")
    assert len(killed) == 3
    assert made(repository) == []


@dataclass(frozen=True)
class Filling(Ffmpeg):
    """The disk fills up as soon as there seemed to be room."""

    disk: volumes.Volume | None = None

    async def run(self, arguments: Sequence[str], **more: Any) -> str:
        assert self.disk is not None
        self.disk.fill()
        return await super().run(arguments, **more)


async def test_a_full_disk_is_waited_for(pool: Pool, user: User, tmp_path: Path) -> None:
    """A disk that fills up amid a film is nobody's fault: nothing of it remains, and with room it is made."""
    with volumes.mounted(tmp_path / "disk", megabytes=8) as disk:
        repository = await given.new_repository(pool, bytes(disk.path / "repository"))
        asset = await transcodable(pool, repository, user, film(3))
        async with transcoder(pool) as work:
            late = replace(work, ffmpeg=Filling(work.ffmpeg.program, work.ffmpeg.folder, disk=disk))
            with pytest.raises(Wait, match="the disk is full"):
                await late.transcode(claimed := await claim(pool, Stage.TRANSCODE))
        assert made(repository) == []
        disk.clear()
        await expire(pool)
        async with transcoder(pool) as work:
            await work.transcode(await claim(pool, Stage.TRANSCODE))
        assert (await state(pool, asset), len(made(repository)), claimed.epoch) == ("done", 1, 1)


async def test_a_disk_that_others_fill_is_waited_for_as_long(pool: Pool, user: User, tmp_path: Path) -> None:
    """Where a film would take the reserve of uploads it ends, and is not begun again before there can be room."""
    with volumes.mounted(tmp_path / "disk", megabytes=64) as disk:
        repository = await given.new_repository(pool, bytes(disk.path / "repository"))
        await transcodable(pool, repository, user, film(3))
        async with transcoder(pool, slow=True, spare=1 << 22) as work:
            working = asyncio.create_task(work.transcode(await claim(pool, Stage.TRANSCODE)))
            await until(lambda: has_progress(pool))
            disk.fill()
            with pytest.raises(Wait) as wait:
                await working

    assert wait.value.after == FULL_RETRY_SECONDS


async def test_a_disk_without_room_is_known_before(pool: Pool, user: User, tmp_path: Path) -> None:
    """Nobody begins what will not fit."""
    with volumes.mounted(tmp_path / "disk", megabytes=8) as disk:
        repository = await given.new_repository(pool, bytes(disk.path / "repository"))
        await transcodable(pool, repository, user, film(1))
        free = shutil.disk_usage(disk.path).free
        async with transcoder(pool, spare=free - (1 << 19)) as work:
            with pytest.raises(Wait, match="nearly full"):
                await work.transcode(await claim(pool, Stage.TRANSCODE))

        assert made(repository) == []


async def test_an_original_that_vanishes_is_read_to_its_end(pool: Pool, repository: Repository, user: User) -> None:
    """What is open stays readable; where nothing is there to begin with, the work waits."""
    asset = await transcodable(pool, repository, user, film(3))
    async with transcoder(pool, slow=True) as work:
        working = asyncio.create_task(work.transcode(await claim(pool, Stage.TRANSCODE)))
        await until(encoders)
        for path in paths(repository):
            Path(os.fsdecode(repository.root), "inbox", path).unlink()
        await working
        assert (await state(pool, asset), len(made(repository))) == ("done", 1)

        await wish(pool, asset, "always")
        with pytest.raises(Wait):
            await work.transcode(await claim(pool, Stage.TRANSCODE))


async def test_a_repository_that_is_away_at_the_end_is_waited_for(
    pool: Pool, repository: Repository, user: User, database_url: str
) -> None:
    """No row names a file that is not where it says; when the repository is back, the version is made."""
    await transcodable(pool, repository, user, film(3))
    root = Path(os.fsdecode(repository.root))
    async with transcoder(pool, slow=True) as work:
        working = asyncio.create_task(work.transcode(await claim(pool, Stage.TRANSCODE)))
        await until(lambda: has_progress(pool))
        away = root.rename(root.with_name("away"))
        with pytest.raises(Wait):
            await working
        assert await ask(pool, "select count(*) from renditions") == [0]

        away.rename(root)
        await expire(pool)
        await work.transcode(await claim(pool, Stage.TRANSCODE))
    assert await verify(database_url)


async def test_a_version_that_is_gone_or_damaged_is_made_again(
    pool: Pool, repository: Repository, user: User, database_url: str
) -> None:
    """One that stands is kept; one whose file is gone or was cut is replaced, and leaves nothing behind."""
    asset = await transcodable(pool, repository, user, film(0.5))
    async with transcoder(pool) as work:

        async def again() -> list[str]:
            await wish(pool, asset, "smart")
            await work.transcode(await claim(pool, Stage.TRANSCODE))
            return made(repository)

        first = await again()
        assert await again() == first
        path = Path(os.fsdecode(repository.root), ".lumilio/assets/videos/web", first[0])
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[:100])
        second = await again()
        Path(path.parents[1], second[0]).unlink()
        third = await again()

    assert len({*first, *second, *third}) == 3
    assert [len(one) for one in (first, second, third)] == [1, 1, 1]
    assert await verify(database_url)


async def test_what_nobody_wants_any_more_goes_at_once(pool: Pool, repository: Repository, user: User) -> None:
    """Told never, a version that stands is removed with its row."""
    asset = await transcodable(pool, repository, user, film(0.5))
    async with transcoder(pool) as work:
        await work.transcode(await claim(pool, Stage.TRANSCODE))
        assert len(made(repository)) == 1

        await wish(pool, asset, "never")
        await work.transcode(await claim(pool, Stage.TRANSCODE))

    assert made(repository) == []
    assert await ask(pool, "select count(*) from renditions") == [0]


async def test_an_outage_of_the_database_does_not_cost_hours(
    pool: Pool, repository: Repository, user: User, database_url: str
) -> None:
    """While nobody can be told of the progress the work goes on, and what was made is saved when there is somebody."""
    asset = await transcodable(pool, repository, user, film(3))
    async with transcoder(pool, slow=True) as work:
        claimed: Claim = await claim(pool, Stage.TRANSCODE)
        working = asyncio.create_task(work.transcode(claimed))
        await until(lambda: has_progress(pool))
        await do(pool, "update asset_stages set progress = null")
        await asyncio.wait_for(_cut_off(database_url), 60)
        await working

    assert await state(pool, asset) == "done"
    assert len(made(repository)) == 1


async def _cut_off(database_url: str) -> None:
    """End every connection again and again while a film is made."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:
        while encoders():
            await conn.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where pid <> pg_backend_pid() and datname = current_database()"
            )
            await asyncio.sleep(0.1)


async def test_people_wait_for_no_films_of_imports(pool: Pool, repository: Repository, user: User) -> None:
    """Of films that are due, those that came with people's uploads are made before those of the bulk lane."""
    bulk = [await transcodable(pool, repository, user, film(seconds)) for seconds in (0.3, 0.4)]
    await do(pool, "update asset_stages set lane = 1 where stage = 'transcode'")
    urgent = await transcodable(pool, repository, user, film(0.5))

    order = [(await claim(pool, Stage.TRANSCODE)).asset_id for _ in range(3)]

    assert order[0] == urgent
    assert sorted(order[1:]) == sorted(bulk)


async def test_damaged_films_end_with_a_reason(pool: Pool, repository: Repository, user: User) -> None:
    """A film that cannot be read is given up in words that mean something, and leaves nothing behind."""
    whole = film(1)
    await transcodable(pool, repository, user, whole[: len(whole) // 8])
    async with transcoder(pool) as work:
        with pytest.raises(Reject, match="damaged"):
            await work.transcode(await claim(pool, Stage.TRANSCODE))

    assert made(repository) == []
