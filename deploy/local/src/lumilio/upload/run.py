"""A run: files are found, hashed, compared with what the server has, sent and waited for, all at the same time."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event, Thread

from lumilio.upload import walk
from lumilio.upload.deliver import Delivery
from lumilio.upload.ledger import Fate, Ledger
from lumilio.upload.line import Line
from lumilio.upload.patience import Gone
from lumilio.upload.processing import Processing
from lumilio.upload.server import MOST_HASHES, PAGE, Server
from lumilio.upload.walk import File, Found, Interrupted, Skipped

HASHERS = min(4, os.cpu_count() or 1)
ROOM = 1000
LOOK_SECONDS = 0.5
QUIET_SECONDS = 600.0


@dataclass(frozen=True)
class Options:
    """How a run is done."""

    parallel: int = 4
    waits: bool = True
    sends: bool = True


@dataclass
class Total:
    """What there is to do, as far as it is counted."""

    files: int = 0
    bytes: int = 0
    is_final: bool = False


class Run:
    """One run of the command; its threads do not keep the process alive, and end soon after `stop` is set."""

    def __init__(
        self, server: Server, ledger: Ledger, roots: Sequence[bytes], stop: Event, options: Options | None = None
    ) -> None:
        self.server, self.ledger, self.stop = server, ledger, stop
        self.total = Total()
        self.error: BaseException | None = None
        self._roots, self._options = roots, options or Options()
        self.sends = self._options.sends
        self.processing = Processing(ledger, None if self._options.waits else "nobody waits for it")
        self._delivery = Delivery(server, ledger, self.processing, stop.is_set)
        self._found: Line[Found] = Line(stop, room=ROOM)
        self._hashed: Line[File] = Line(stop, room=ROOM, makers=HASHERS)
        self._unsent: Line[File] = Line(stop, room=self._options.parallel)
        self._senders = [self._thread(self._send) for _ in range(self._options.parallel)]
        self._threads = [*self._senders, *(self._thread(self._hash) for _ in range(HASHERS))]
        self._threads += map(self._thread, (self._count, self._find, self._compare, self._watch))

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait a while for the end; whether it has come."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    @property
    def is_sent(self) -> bool:
        """Whether nothing is left but to wait for the server's work."""
        return not any(sender.is_alive() for sender in self._senders)

    def _thread(self, work: Callable[[], None]) -> Thread:
        def guarded() -> None:
            try:
                work()
            except Interrupted:
                pass
            except BaseException as error:  # noqa: BLE001  # told by whoever waits for the end
                self.error = self.error or error
                self.stop.set()

        return Thread(target=guarded, name=work.__name__, daemon=True)

    def _count(self) -> None:
        """Count ahead, for the time that is left: the other walk keeps only a few steps ahead of the senders."""
        for thing in walk.find(self._roots):
            if self.stop.is_set():
                raise Interrupted
            if isinstance(thing, Found):
                self.total.files += 1
                self.total.bytes += thing.size
        self.total.is_final = True

    def _find(self) -> None:
        for thing in walk.find(self._roots):
            if isinstance(thing, Found):
                self._found.put(thing)
            else:
                self.ledger.note("skipped" if isinstance(thing, Skipped) else "failed", thing.path, reason=thing.reason)
        self._found.close()

    def _hash(self) -> None:
        for path, size in self._found:
            try:
                self._hashed.put(walk.hash_file(path, self.stop.is_set))
            except OSError as error:
                self.ledger.note("failed", path, size, walk.reason(error))
        self._hashed.close()

    def _compare(self) -> None:
        while batch := self._hashed.take(MOST_HASHES):
            known = self.server.list_known([file.content_hash for file in batch])
            for file in batch:
                if file.content_hash in known:
                    self.ledger.note("duplicate", file.path, file.size)
                elif self.sends:
                    self._pass_on(file)
                else:
                    self.ledger.note(self._foreseen(file), file.path, file.size)
        self._unsent.close()

    def _pass_on(self, file: File) -> None:
        if self._delivery.copies.is_first(file):
            self._unsent.put(file)

    def _foreseen(self, file: File) -> Fate:
        """What would become of a file that the server does not have."""
        return "uploaded" if self._delivery.copies.is_first(file) else "duplicate"

    def _send(self) -> None:
        for file in self._unsent:
            self._delivery.send(file)
        self.ledger.sent_at = time.monotonic()

    def _watch(self) -> None:
        """Hear what becomes of what was sent; when that is not told, sending goes on all the same."""
        try:
            self._wait_for_all()
        except Gone as error:
            self.processing.fall_silent(str(error))

    def _wait_for_all(self) -> None:
        told_at = time.monotonic()
        while self.processing.silence is None and not (self.is_sent and not self.processing):
            settled = self.processing.look(self.server)
            told_at = time.monotonic() if settled or not self.is_sent else told_at
            if time.monotonic() - told_at > QUIET_SECONDS or self.stop.is_set():
                return
            if settled < PAGE // 2:
                self.stop.wait(LOOK_SECONDS)
