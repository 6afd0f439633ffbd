"""Readers of files that die of some, or never end."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from common import folders
from syncer import readers, reading
from syncer.reading import Reading, Wanted


def read_all(root: bytes, wanted: Sequence[Wanted]) -> list[Reading]:
    """Read some files, and be killed by those that are called deadly."""
    if any(b"deadly" in one.path for one in wanted):
        os.kill(os.getpid(), signal.SIGKILL)
    return readers.read_all(root, wanted)


def wait(root: bytes, wanted: Sequence[Wanted]) -> list[Reading]:
    """Be killed at a word, if there is somebody to say one; else read some files."""
    with suppress(FileNotFoundError), open(os.path.join(root, b"word"), "rb") as word:
        word.read()
        os.kill(os.getpid(), signal.SIGKILL)
    return readers.read_all(root, wanted)


def take_down(root: bytes, wanted: Sequence[Wanted]) -> list[Reading]:
    """Write down whose turn it is, wait for a word if there is somebody to say one, and read."""
    for one in wanted:
        os.mknod(os.path.join(root, b"taken %d" % one.file_record_id))
    with suppress(FileNotFoundError), open(os.path.join(root, b"word"), "rb") as word:
        word.read()
    return readers.read_all(root, wanted)


def compute(root: bytes, wanted: Sequence[Wanted]) -> list[Reading]:
    """Read some files, and compute for ever on those that are called deadly."""
    readers.LEAST_CPU_SECONDS = 0.1  # type: ignore[assignment]
    known = reading.read

    def read(root: bytes, wanted: Wanted) -> Reading:
        while b"deadly" in wanted.path:
            time.time()
        return known(root, wanted)

    reading.read = read
    try:
        return readers.read_all(root, wanted)
    finally:
        reading.read = known


def hoard(root: bytes, wanted: Sequence[Wanted]) -> list[Reading]:
    """Take more memory than a file may, and write where a reader has nothing to write; say what came of it."""
    return [reading.unreadable(wanted[0], _said(_take)), reading.unreadable(wanted[0], _said(partial(_write, root)))]


def probe(root: bytes, wanted: Sequence[Wanted]) -> list[Reading]:
    """See whether the disk takes anything; say what came of it."""
    return [reading.unreadable(wanted[0], _said(partial(folders.probe, root)))]


def _take() -> object:
    return bytearray(8 << 30)


def _write(root: bytes) -> object:
    with open(os.path.join(root, b"new"), "xb", buffering=0) as file:
        file.write(b"x")
        return file.write(b"x")


def _said(attempt: Callable[[], object]) -> str:
    try:
        return str(attempt())
    except (MemoryError, OSError) as error:
        return type(error).__name__
