"""How many cores there are for this process: in a container that may be fewer than the machine has."""

import os
from collections.abc import Iterator
from contextlib import suppress
from math import ceil
from pathlib import Path

LIMITS = (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us"))
"""Where a control group says how much time it has in how much: in version 2, and in version 1."""


def count(root: Path = Path("/")) -> int:
    """Those that it may run on, or as many as its control groups leave it time for, rounded up, if that is fewer."""
    shares = [share for group in _groups(root) for share in _shares(group)]
    return min([len(os.sched_getaffinity(0)), *(max(1, ceil(share)) for share in shares)])


def _groups(root: Path) -> Iterator[Path]:
    """The group of this process and those around it; a container finds its own as the topmost, whatever its name."""
    with suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, name = line.split(":", 2)
            if not controllers or "cpu" in controllers.split(","):
                top = root / "sys/fs/cgroup" / ("cpu" if controllers else "")
                group = top / name.lstrip("/")
                yield from (place for place in (group, *group.parents) if place.is_relative_to(top))


def _shares(group: Path) -> Iterator[float]:
    for files in LIMITS:
        with suppress(OSError, ValueError):  # there is no such file, or it says `max`
            quota, period = (int(number) for file in files for number in (group / file).read_text().split())
            if quota > 0:
                yield quota / period
