"""How many cores there are for this process: in a container that may be fewer than the machine has."""

import os
from math import ceil
from pathlib import Path

from common import control_groups

LIMITS = (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us"))
"""Where a control group says how much time it has in how much."""


def count(root: Path = control_groups.HERE) -> int:
    """Those that it may run on, or as many as its control groups leave it time for, rounded up, if that is fewer."""
    said = control_groups.limits("cpu", LIMITS, root)
    shares = [max(1, ceil(quota / period)) for quota, period in said if quota > 0]
    return min([len(os.sched_getaffinity(0)), *shares])
