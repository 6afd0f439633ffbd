"""Which uploads the server has not finished with, and what became of the others."""

from dataclasses import dataclass, field
from threading import Lock

from lumilio.upload.ledger import Ledger
from lumilio.upload.server import PAGE, Server
from lumilio.upload.walk import File
from lumilio_client.api import UploadState


@dataclass
class Processing:
    """The files of a run that were taken and are not ready yet, by their task."""

    ledger: Ledger
    silence: str | None = None
    added: int = 0
    _files: dict[int, File] = field(default_factory=dict)
    _last: int = 0
    _lock: Lock = field(default_factory=Lock)

    def __len__(self) -> int:
        return len(self._files)

    def add(self, task: int, file: File) -> None:
        """Wait for this one as well."""
        with self._lock:
            if self.silence is None:
                self._files[task] = file
                self.added += 1

    def look(self, server: Server) -> int:
        """Ask about a page of them, each time about the next; how many are settled by that."""
        asked = self._page()
        settled = 0
        while asked:
            found = server.list_uploads(up_to=asked[-1])
            if found is None:
                self.fall_silent("the server is too old to tell")
                self._files.clear()
                break
            told = {one.task_id: one for one in found}
            lowest = found[-1].task_id if len(found) == PAGE else 0
            settled += sum(self._settle(task, told.get(task)) for task in asked if task >= lowest)
            asked = [task for task in asked if task < lowest]
        return settled

    def fall_silent(self, reason: str) -> None:
        """Nothing will be told any more about those that were added, and none is added from here on."""
        with self._lock:
            self.silence = reason

    def _page(self) -> list[int]:
        """The oldest ones after those of the last page, or the oldest of all."""
        with self._lock:
            tasks = sorted(self._files)
        page = [task for task in tasks if task > self._last][:PAGE] or tasks[:PAGE]
        self._last = page[-1] if page else 0
        return page

    def _settle(self, task: int, progress: UploadState | None) -> bool:
        """Write down how one ended; whether it did."""
        path, size, *_ = self._files[task]
        if progress is None:
            self.ledger.correct("failed", path, size, "the server does not know this upload any more: send it again")
        elif progress.state == "duplicate":
            self.ledger.correct("duplicate", path, size)
        elif progress.state == "failed":
            self.ledger.correct("unprocessed", path, size, progress.error or "the server does not say why")
        elif progress.state != "ready":
            return False
        with self._lock:
            del self._files[task]
        return True
