"""The log file of a child, and which of its lines a person should see."""

import json
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

LARGEST = 10 * 1024 * 1024
WORTH_TELLING = {"warning", "error", "critical"}
NOT_FACTS = {"event", "level", "service", "timestamp", "exception"}


@dataclass
class LogFile:
    """Written by a child itself, so that its last words survive everything; read here as it grows."""

    path: str
    _read: int = 0

    def open(self) -> int:
        """A descriptor to append to; a disk that takes no log is no reason to run nothing."""
        try:
            return self._open_file()
        except OSError:
            return os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)

    def _open_file(self) -> int:
        """A file that has grown large is put aside first."""
        if os.path.exists(self.path) and os.path.getsize(self.path) > LARGEST:
            os.replace(self.path, f"{self.path}.1")
        descriptor = os.open(self.path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        self._read = os.fstat(descriptor).st_size
        return descriptor

    def new_lines(self) -> list[str]:
        """The whole lines that came since the last call; none when somebody took the file away."""
        try:
            with open(self.path, "rb") as file:
                file.seek(self._read)
                whole, newline, _ = file.read(LARGEST).rpartition(b"\n")
            self._read += len(whole) + len(newline)
            self._empty_if_large()
        except OSError:
            return []
        return whole.decode(errors="replace").splitlines()

    def _empty_if_large(self) -> None:
        """Its writer has it open for appending, so a copy is kept if there is room, and the file itself begins anew."""
        if self._read > LARGEST:
            with suppress(OSError):
                shutil.copyfile(self.path, f"{self.path}.1")
            os.truncate(self.path, 0)
            self._read = 0


class Told(NamedTuple):
    """What a service wants a person to know; `event` is its kind."""

    event: str
    text: str


def warning_in(line: str) -> Told | None:
    """The warning or error in a line of a service's log; None when there is none."""
    try:
        entry: Any = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, dict) or entry.get("level") not in WORTH_TELLING:
        return None
    event = str(entry.get("event", ""))
    facts = ", ".join(f"{name}={value}" for name, value in entry.items() if name not in NOT_FACTS)
    cause = str(entry.get("exception", "")).strip().rpartition("\n")[2]
    return Told(event, ": ".join(part for part in (event, facts, cause) if part))
