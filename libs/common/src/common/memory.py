"""How much memory there is for this process, where its container has a limit."""

from pathlib import Path

from common import control_groups

LIMITS = (("memory.max",), ("memory.limit_in_bytes",))


def limit(root: Path = control_groups.HERE) -> int | None:
    """How many bytes its control groups leave to it and those beside it in them; None for all that there are."""
    return min((size for (size,) in control_groups.limits("memory", LIMITS, root)), default=None)
