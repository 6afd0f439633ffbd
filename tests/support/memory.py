"""A folder in memory for what tests may lose: a database of theirs is a thousand files, made and removed at once."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

MEMORY = Path("/dev/shm")
PREFIX = "lumilio-tests-"
PLENTY = 4 << 30
DAY_SECONDS = 24 * 60 * 60


@contextmanager
def folder(otherwise: Path) -> Iterator[Path]:
    """A folder in memory where there is plenty of it, gone in the end; else the other one."""
    if not _is_plenty():
        yield otherwise
        return
    _sweep()
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=MEMORY) as made:
        yield Path(made)


def _is_plenty() -> bool:
    return MEMORY.is_dir() and min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available) > PLENTY


def _sweep() -> None:
    """Remove what runs left that were killed."""
    for left in MEMORY.glob(f"{PREFIX}*"):
        if left.stat().st_mtime < time.time() - DAY_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
