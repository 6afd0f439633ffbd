import errno
from dataclasses import dataclass

import pytest

from common.files import Offline
from gateway.disks import FAILURES, WINDOW_SECONDS, Disks

ROOT = b"/photos"


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def fail(disks: Disks, number: int = errno.EIO) -> None:
    with pytest.raises(OSError, match="disk"), disks.watched(ROOT):
        raise OSError(number, "the disk says no")


def test_a_disk_that_keeps_failing_is_left_alone() -> None:
    """After three errors within a minute uploads are refused before anything is written; another disk is not."""
    disks = Disks(Clock())
    for _ in range(FAILURES):
        fail(disks)

    with pytest.raises(Offline, match="check it"), disks.watched(ROOT):
        pytest.fail("nothing may be written")
    with disks.watched(b"/another"):
        pass


def test_a_disk_gets_another_chance() -> None:
    """A minute after the errors it is tried again, so that nobody needs to restart anything."""
    clock = Clock()
    disks = Disks(clock)
    for _ in range(FAILURES):
        fail(disks)

    clock.now += WINDOW_SECONDS
    with disks.watched(ROOT):
        pass


def test_a_full_disk_is_not_a_broken_one() -> None:
    """Running out of space is answered as such, however often."""
    disks = Disks(Clock())
    for _ in range(FAILURES + 1):
        fail(disks, errno.ENOSPC)

    with disks.watched(ROOT):
        pass
