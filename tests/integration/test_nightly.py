from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import structs

from common.db import Pool
from lumilio.backup import record, schedule, shelf
from lumilio.backup.make import Source
from lumilio.backup.retention import BackupSettings
from lumilio.backup.schedule import Nightly
from lumilio.refusal import CannotStart
from tests.support.given import User
from tests.support.rows import ask, do


@pytest.fixture
def nightly(database_url: str, user: User, tmp_path: Path) -> Nightly:
    """The nights of a server that has one user."""
    return schedule.beside(Source(database_url), str(tmp_path), BackupSettings(backup_daily=1, backup_weekly=0))


async def test_a_night_without_a_backup_is_made_up_for(nightly: Nightly, pool: Pool) -> None:
    """A machine that is off at night makes it when it runs, and once."""
    await do(pool, "update users set created_at = now() - interval '25 hours'")
    was_due = await nightly.is_due()

    made = await nightly.make()

    assert was_due
    assert not await nightly.is_due()
    assert [path for path, _ in shelf.whole(nightly.to)] == [made]


async def test_a_clock_that_was_wrong_once_stops_no_backups(nightly: Nightly, pool: Pool) -> None:
    """A backup that was made in the year 2099 is none to wait for, and the one made after it is not the oldest."""
    ahead = await nightly.make()
    of_ahead = record.read(ahead)
    record.write(ahead, structs.replace(of_ahead, made_at=of_ahead.made_at + timedelta(days=30_000)))
    await do(pool, "update backups set began_at = began_at + interval '30000 days'")

    was_due = await nightly.is_due()
    made = await nightly.make()

    assert was_due
    assert not await nightly.is_due()
    assert made in [path for path, _ in shelf.whole(nightly.to)]


async def test_older_backups_go_only_after_a_newer_one_is_whole(nightly: Nightly, pool: Pool) -> None:
    """Of those of one day the last stays, and another that was made by hand counts like any."""
    await nightly.make()
    last = await nightly.make()

    assert [path for path, _ in shelf.whole(nightly.to)] == [last]


async def test_a_folder_that_is_away_is_written_down_as_a_failure(nightly: Nightly, pool: Pool) -> None:
    """Whoever asks how the server is hears of it, and within the hour nobody tries again."""
    nightly.to.write_text("a file in the way")

    with pytest.raises(CannotStart, match="cannot be used for backups"):
        await nightly.make()

    assert [state for state, error in await ask(pool, "select state, error from backups") if error] == ["failed"]
    assert not await nightly.is_due()
