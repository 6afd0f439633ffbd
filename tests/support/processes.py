"""Which processes live, as the kernel tells it."""

import os
from pathlib import Path


def runs(pid: int) -> bool:
    """Whether a process lives; one that has ended and only waits to be collected does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}


def family(pid: int) -> list[int]:
    """A process, its children, and theirs."""
    parents = {int(path.name): _parent(path) for path in Path("/proc").iterdir() if path.name.isdecimal()}
    found = [pid]
    for member in found:
        found += [child for child, parent in parents.items() if parent == member]
    return found


def offspring(pid: int) -> list[int]:
    """The processes by multiprocessing that a process has started and that live."""
    return [child for child in family(pid)[1:] if runs(child) and "spawn_main" in _command(child)]


def encoders() -> list[int]:
    """The ffmpegs that this process has started and that live."""
    own = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [int(child) for child in own if runs(int(child)) and "ffmpeg" in _command(int(child))]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0
