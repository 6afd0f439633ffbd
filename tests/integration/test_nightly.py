import asyncio
import shutil
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec import structs

from common.db import Pool
from lumilio.backup import record, schedule, shelf
from lumilio.backup.make import Source
from lumilio.backup.retention import BackupSettings
from lumilio.backup.schedule import Nightly
from lumilio.refusal import CannotStart
from tests.support.backups import Kept
from tests.support.given import User
from tests.support.rows import ask, do
from tests.support.waiting import until

STATES = "select state from backups order by backup_id"


@pytest.fixture
def nightly(database_url: str, user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nightly:
    """The nights of a server that has one user, and no patience."""
    monkeypatch.setattr(schedule, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(schedule, "RETRY_SECONDS", 0.05)
    return schedule.beside(Source(database_url), str(tmp_path), BackupSettings(backup_daily=1, backup_weekly=0))


async def made(pool: Pool, nightly: Nightly, kept: Kept, *, days: int = 0, seconds: int = 0) -> Path:
    """A backup that was made so long after now, with its row."""
    known = record.read(kept.folder)
    at = known.made_at + timedelta(days=days, seconds=seconds)
    folder = nightly.to / at.strftime(shelf.NAME)
    shutil.copytree(kept.folder, folder)
    record.write(folder, structs.replace(known, made_at=at))
    await do(
        pool, f"insert into backups (folder, state, began_at, ended_at) values ('{folder}', 'made', '{at}', '{at}')"
    )
    return folder


async def test_a_night_without_a_backup_is_made_up_for(nightly: Nightly, pool: Pool) -> None:
    """A machine that is off at night makes it when it runs, and once."""
    await do(pool, "update users set created_at = now() - interval '25 hours'")
    keeping = asyncio.create_task(nightly.keep())

    await until(lambda: _has(pool, ["made"]), seconds=60)

    assert not await nightly.is_due()
    assert len(shelf.whole(nightly.to)) == 1
    await _end(keeping)


async def test_a_backup_that_fails_as_nobody_foresaw_ends_no_night_after_it(
    nightly: Nightly, pool: Pool, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told and written down by its name, and tried again after an hour."""
    await do(pool, "update users set created_at = now() - interval '25 hours'")
    odd = Nightly(Source(nightly.source.database_url, disk=Path("/\0")), nightly.to, nightly.settings)
    keeping = asyncio.create_task(odd.keep())

    await until(lambda: _has(pool, ["failed"]), seconds=60)
    assert not await nightly.is_due()
    await do(pool, "update backups set began_at = began_at - interval '1 hour'")
    await until(lambda: _has(pool, ["failed", "failed"]), seconds=60)

    assert not keeping.done()
    assert await ask(pool, "select distinct error from backups") == ["ValueError('embedded null byte')"]
    assert capsys.readouterr().out.startswith("there is no backup of tonight: ValueError('embedded null byte'); it is")
    await _end(keeping)


async def _has(pool: Pool, states: list[str]) -> bool:
    return await ask(pool, STATES) == states


async def _end(keeping: "asyncio.Task[None]") -> None:
    keeping.cancel()
    with suppress(asyncio.CancelledError):
        await keeping


async def test_a_database_that_is_away_for_a_while_is_no_failed_backup(
    nightly: Nightly, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever keeps it running tells of it; here nothing is due, as far as anybody knows."""
    away = Nightly(Source("postgresql://nobody@127.0.0.1:1/x"), nightly.to, nightly.settings)

    assert await away.look()

    assert capsys.readouterr().out == ""


async def test_a_clock_that_was_wrong_once_stops_no_backups(nightly: Nightly, pool: Pool, kept: Kept) -> None:
    """A backup that was made in the year 2099 is none to wait for, and the one made after it is not the oldest."""
    await made(pool, nightly, kept, days=30_000)
    was_due = await nightly.is_due()

    last = await made(pool, nightly, kept)
    await nightly.forget_old(last)

    assert was_due
    assert not await nightly.is_due()
    assert last in [path for path, _ in shelf.whole(nightly.to)]


async def test_older_backups_go_only_after_a_newer_one_is_whole(nightly: Nightly, pool: Pool, kept: Kept) -> None:
    """Of those of one day the last stays, and another that was made by hand counts like any."""
    nightly.to.mkdir()
    day = datetime(2026, 3, 31, 12).astimezone()
    record.write(kept.folder, structs.replace(record.read(kept.folder), made_at=day))
    await made(pool, nightly, kept)
    last = await made(pool, nightly, kept, seconds=1)

    await nightly.forget_old(last)

    assert [path for path, _ in shelf.whole(nightly.to)] == [last]


async def test_a_folder_that_is_away_is_written_down_as_a_failure(nightly: Nightly, pool: Pool) -> None:
    """Whoever asks how the server is hears of it, and within the hour nobody tries again."""
    nightly.to.write_text("a file in the way")

    with pytest.raises(CannotStart, match="cannot be used for backups"):
        await nightly.make()

    assert [state for state, error in await ask(pool, "select state, error from backups") if error] == ["failed"]
    assert not await nightly.is_due()
