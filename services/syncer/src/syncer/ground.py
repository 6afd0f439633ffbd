"""The root of a repository held open, so that a walk is of one directory, whatever comes into its place meanwhile."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from common.files import Offline


@dataclass(frozen=True)
class Ground:
    """A directory that was at `root` when it was opened."""

    root: bytes
    descriptor: int

    @property
    def path(self) -> bytes:
        """A name that leads to this very directory for as long as it is open."""
        return b"/proc/self/fd/%d" % self.descriptor

    def check(self) -> None:
        """Offline unless the root still leads here."""
        try:
            is_here = os.path.samestat(os.stat(self.root), os.fstat(self.descriptor))
        except OSError as error:
            raise Offline(f"the repository is not there: {error.strerror}") from None
        if not is_here:
            raise Offline("another directory came into the place of the repository while it was looked at")


@contextmanager
def held(root: bytes) -> Iterator[Ground]:
    """Hold the directory at a root; Offline when there is none."""
    try:
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise Offline(f"the repository is not there: {error.strerror}") from None
    try:
        yield Ground(root, descriptor)
    finally:
        os.close(descriptor)
