"""A folder of backups: which are whole, what was left of others, and a new one that appears whole or not at all."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

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
        shutil.rmtree(doomed)

    def clean(self) -> None:
        """Remove what interrupted backups left."""
        for left in self.folder.glob(f"*{UNFINISHED}"):
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def held(folder: Path) -> Iterator[Shelf]:
    """A folder of backups, made if need be, for this process alone."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise CannotStart(f"{folder} cannot be used for backups: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield Shelf(folder)
    except BlockingIOError:
        raise CannotStart(f"another backup into {folder} is going on: wait for its end") from None
    finally:
        os.close(descriptor)


def whole(folder: Path) -> list[tuple[Path, Backup]]:
    """The backups in a folder that say what they are, the newest first."""
    found = sorted(folder.glob("????-??-??T??-??-??Z"), reverse=True)
    return [(path, record.read(path)) for path in found if (path / record.RECORD).exists()]
