"""A folder of backups: which are whole, what was left of others, and a new one that appears whole or not at all."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from common import folders
from lumilio import durable
from lumilio.backup import record
from lumilio.backup.record import Backup
from lumilio.refusal import CannotStart

NAME = "%Y-%m-%dT%H-%M-%SZ"
UNFINISHED = ".unfinished"


@dataclass(frozen=True)
class Shelf:
    """A folder of backups that nobody else adds to or takes from meanwhile."""

    folder: Path

    @contextmanager
    def new(self, made_at: datetime) -> Iterator[Path]:
        """An empty folder, which becomes a backup when the block ends well and is gone otherwise."""
        while (final := self.folder / made_at.strftime(NAME)).exists():
            made_at += timedelta(seconds=1)
        fresh = final.with_name(final.name + UNFINISHED)
        fresh.mkdir(mode=0o700)
        try:
            yield fresh
            fresh.rename(final)
            durable.sync(str(self.folder))
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise

    def forget(self, folder: Path) -> None:
        """Remove a backup; from the first moment on it no longer looks like one."""
        doomed = folder.with_name(folder.name + UNFINISHED)
        folder.rename(doomed)
        durable.sync(str(self.folder))
        shutil.rmtree(doomed)

    def clean(self) -> None:
        """Remove what interrupted backups left."""
        for left in self.folder.glob(f"*{UNFINISHED}"):
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def held(folder: Path) -> Iterator[Shelf]:
    """A folder of backups, made if need be, for this process alone."""
    try:
        folders.make(bytes(folder), mode=0o700)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise CannotStart(f"{folder} cannot be used for backups: {error.strerror}") from None
    try:
        _lock(descriptor, folder)
        yield Shelf(folder)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotStart(f"another backup into {folder} is going on: wait for its end") from None


def whole(folder: Path, *, say: Callable[[str], None] | None = None) -> list[tuple[Path, Backup]]:
    """The backups in a folder that say what they are, the newest first; one that cannot be used is told instead."""
    found = []
    for path in sorted(folder.glob("????-??-??T??-??-??Z"), reverse=True):
        try:
            found.append((path, record.read(path)))
        except CannotStart as refusal:
            if say is not None:
                say(f"WRONG {refusal}")
    return found
