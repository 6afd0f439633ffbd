"""Disks that report errors: after three within a minute a repository takes no uploads until they are a minute old."""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from common import log
from common.files import BROKEN_DISK, Offline

FAILURES = 3
WINDOW_SECONDS = 60.0


@dataclass(frozen=True)
class Disks:
    """What each disk has reported lately, as this process saw it."""

    clock: Callable[[], float] = time.monotonic
    _failures: dict[bytes, deque[float]] = field(
        default_factory=lambda: defaultdict(partial(deque[float], maxlen=FAILURES))
    )

    @contextmanager
    def watched(self, root: bytes) -> Iterator[None]:
        """Do something with a disk; Offline, and nothing is done, while it keeps failing."""
        failures = self._failures[root]
        if len(failures) == FAILURES and self.clock() - failures[0] < WINDOW_SECONDS:
            raise Offline("the disk of the repository reports errors: check it, then try again in a minute")
        try:
            yield
        except OSError as error:
            if error.errno in BROKEN_DISK:
                failures.append(self.clock())
                log.get().error("disk failed", reason=error.strerror, failures=len(failures))
            raise
