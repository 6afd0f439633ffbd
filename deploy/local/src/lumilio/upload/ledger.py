"""What became of every file: counts, the first failures, and all of them in a report."""

import json
import os
import time
from collections import Counter
from dataclasses import dataclass, field
from threading import Lock, get_ident
from typing import Literal, NamedTuple, TextIO

Fate = Literal["uploaded", "duplicate", "skipped", "failed", "unprocessed"]
FAILURES: tuple[Fate, ...] = ("failed", "unprocessed")
SHOWN = 50


class Failure(NamedTuple):
    """A file that did not make it, and why."""

    fate: Fate
    path: bytes
    reason: str


@dataclass
class Ledger:
    """The book of a run, kept by many threads."""

    report: TextIO | None = None
    began: float = field(default_factory=time.monotonic)
    sent_at: float | None = None
    counts: Counter[Fate] = field(default_factory=Counter)
    sizes: Counter[Fate] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    _moving: dict[int, int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def note(self, fate: Fate, path: bytes, size: int = 0, reason: str = "") -> None:
        """Write down what became of a file."""
        with self._lock:
            self._moving.pop(get_ident(), None)
            self._count(fate, path, size, reason)

    def correct(self, fate: Fate, path: bytes, size: int, reason: str = "") -> None:
        """What counts as uploaded turned out to be something else."""
        with self._lock:
            self.counts["uploaded"] -= 1
            self.sizes["uploaded"] -= size
            self._count(fate, path, size, reason)

    def moved(self, sent: int) -> None:
        """So many bytes of the file that this thread sends are on their way."""
        with self._lock:
            self._moving[get_ident()] = sent

    def done(self) -> tuple[int, int]:
        """Files that are done with, and bytes that are done with or on their way."""
        with self._lock:
            moving = sum(self._moving.values())
            return self.counts.total() - self.counts["skipped"], self.sizes.total() + moving

    def shown(self, fate: Fate) -> list[Failure]:
        """The first failures of a kind."""
        return [failure for failure in self.failures if failure.fate == fate]

    def _count(self, fate: Fate, path: bytes, size: int, reason: str) -> None:
        self.counts[fate] += 1
        self.sizes[fate] += size
        if fate in FAILURES:
            self._keep(Failure(fate, path, reason))

    def _keep(self, failure: Failure) -> None:
        """Only the first ones are kept in memory: a million may fail."""
        if len(self.shown(failure.fate)) < SHOWN:
            self.failures.append(failure)
        if self.report:
            line = {"path": os.fsdecode(failure.path), "fate": failure.fate, "reason": failure.reason}
            self.report.write(json.dumps(line) + "\n")
            self.report.flush()
