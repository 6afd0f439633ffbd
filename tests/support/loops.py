"""Disks whose power can be cut: file systems in a file."""

import errno
import fcntl
import os
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

# The kernel's own power switch for tests: what no fsync has flushed is gone, and nothing is written any more.
SHUTDOWN = 0x8004587D
WITHOUT_FLUSHING = struct.pack("I", 2)
LEAVE_SECONDS = 15.0


class Disk(NamedTuple):
    """An ext4 file system in a file, and where it is mounted."""

    image: Path
    at: Path

    def mount(self) -> None:
        """Attach it; after a cut this replays the journal, as a start after a power failure does."""
        _run("mount", "-o", "loop", self.image, self.at)

    def cut(self) -> None:
        """Cut its power: whoever still runs gets errors from here on."""
        folder = os.open(self.at, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(folder, SHUTDOWN, WITHOUT_FLUSHING)
        finally:
            os.close(folder)

    def unmount(self) -> None:
        """Detach it as soon as the last process has left it."""
        deadline = time.monotonic() + LEAVE_SECONDS
        while os.path.ismount(self.at):
            try:
                _run("umount", self.at)
            except subprocess.CalledProcessError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)


@contextmanager
def disk(image: Path, at: Path, *, megabytes: int = 1024) -> Iterator[Disk]:
    """A mounted empty disk; it takes only the space that is used."""
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    _run("mkfs.ext4", "-q", "-F", "-b", "4096", "-I", "256", image)
    at.mkdir(parents=True, exist_ok=True)
    made = Disk(image, at)
    made.mount()
    try:
        yield made
    finally:
        try:
            made.unmount()
        except subprocess.CalledProcessError:
            _run("umount", "--lazy", at)
            raise
        finally:
            image.unlink()


@cache
def why_not() -> str:
    """Why no disk can be made here; empty where it can."""
    if os.geteuid() != 0:
        return f"mounting takes root: {os.strerror(errno.EPERM)}"
    with tempfile.TemporaryDirectory(prefix="lumilio-disk-") as folder:
        try:
            with disk(Path(folder, "image"), Path(folder, "at"), megabytes=16) as probe:
                probe.cut()
        except (OSError, subprocess.CalledProcessError) as error:
            return f"no loop-mounted ext4 here: {error}"
    return ""


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True)
