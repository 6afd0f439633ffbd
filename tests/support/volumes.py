"""Small disks that can be filled: mounted where this account may mount, else the test is skipped."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

CHUNKS = (1 << 20, 4096)


@dataclass(frozen=True)
class Volume:
    """A mounted disk of its own."""

    path: Path

    def fill(self) -> None:
        """Leave not a byte."""
        with self._filling.open("ab", buffering=0) as file:
            for chunk in CHUNKS:
                with suppress(OSError):
                    while file.write(b"x" * chunk):
                        pass

    def take_inodes(self) -> None:
        """Leave no name for another file."""
        (self.path / "names").mkdir()
        with suppress(OSError):
            for number in range(1_000_000):
                (self.path / "names" / str(number)).touch()

    def clear(self) -> None:
        """Give back what was taken."""
        self._filling.unlink(missing_ok=True)
        for path in (self.path / "names").glob("*"):
            path.unlink()

    @property
    def _filling(self) -> Path:
        return self.path / "filling"


@contextmanager
def mounted(path: Path, *, megabytes: int, inodes: int = 0) -> Iterator[Volume]:
    """An empty disk at a new folder, as large as was said; 0 inodes are enough of them."""
    path.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,nr_inodes={inodes},mode=755", "tmpfs", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False) if os.geteuid() == 0 else None
    if done is None or done.returncode != 0:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip() if done else 'only root may'}")
    try:
        yield Volume(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
