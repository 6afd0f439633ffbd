"""The space that is held back for the database: taken with care, given up in time."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lumilio import data as directory
from lumilio.ballast import Ballast, BallastSettings, beside
from tests.support import volumes

MB = 1 << 20
SETTINGS = BallastSettings(ballast_bytes=8 * MB, reserve_bytes=6 * MB, reserve_percent=0)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[volumes.Volume]:
    """An empty disk of 20 MB."""
    with volumes.mounted(tmp_path / "disk", megabytes=20) as made:
        yield made


def ballast(disk: volumes.Volume, settings: BallastSettings = SETTINGS) -> Ballast:
    return Ballast(str(disk.path / "ballast"), settings)


def held(disk: volumes.Volume) -> int:
    """How much is really taken, whatever the length of the file says."""
    path = disk.path / "ballast"
    return path.stat().st_blocks * 512 if path.exists() else 0


def test_it_takes_its_space_for_real(disk: volumes.Volume) -> None:
    """A file with a hole in it would hold nothing back."""
    ballast(disk).look()

    assert held(disk) == 8 * MB
    assert os.stat(disk.path / "ballast").st_mode & 0o777 == 0o600


def test_it_is_given_up_on_a_full_disk_and_comes_back(disk: volumes.Volume, capsys: pytest.CaptureFixture[str]) -> None:
    """The database has room at once, and the next full disk finds the space held back again."""
    ours = ballast(disk)
    ours.look()

    disk.fill()
    ours.look()
    given_up = held(disk)
    disk.clear()
    ours.look()

    assert given_up == 0
    assert held(disk) == 8 * MB
    assert "0 MB are free on the disk of the database" in capsys.readouterr().out


@pytest.mark.parametrize("settings", [{"reserve_bytes": 13 * MB}, {"reserve_percent": 65}, {"ballast_bytes": 0}])
def test_it_never_eats_the_reserve(disk: volumes.Volume, settings: dict[str, int]) -> None:
    """What uploads must leave free, it leaves free too; and who wants none has none."""
    wanted = {"ballast_bytes": 8 * MB, "reserve_bytes": 0, "reserve_percent": 0, **settings}

    ballast(disk, BallastSettings(**wanted)).look()

    assert held(disk) == 0


def test_it_follows_its_setting(disk: volumes.Volume) -> None:
    """Whoever asks for less, or for none, gets the rest back."""
    ballast(disk).look()

    ballast(disk, BallastSettings(ballast_bytes=0)).look()

    assert held(disk) == 0


def test_a_disk_that_cannot_hold_it_back_is_told(disk: volumes.Volume, capsys: pytest.CaptureFixture[str]) -> None:
    """It is a precaution: nothing ends because of it, and no half of it stays."""
    (disk.path / "there").symlink_to(disk.path / "nowhere")

    Ballast(str(disk.path / "there"), SETTINGS).look()

    assert "no space could be held back" in capsys.readouterr().out


def test_it_lies_on_the_disk_of_the_database(tmp_path: Path) -> None:
    """Space that is held back elsewhere helps nobody, so it follows a database that has a disk of its own."""
    with directory.hold(str(tmp_path / "data")) as data:
        before = beside(data, SETTINGS).path

        with volumes.mounted(tmp_path / "data" / "postgres", megabytes=20):
            after = beside(data, SETTINGS).path

    assert (before, after) == (f"{data.root}/ballast", f"{data.postgres}/ballast")
