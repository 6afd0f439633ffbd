"""Files with the same content: one of them is sent, the others wait to hear what became of it."""

from dataclasses import dataclass, field
from threading import Lock

from lumilio.upload.walk import File


@dataclass
class Copies:
    """The contents that are on their way to the server, and the files that have them as well."""

    _waiting: dict[str, list[File]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def is_first(self, file: File) -> bool:
        """Whether nobody sends this content yet; otherwise the file waits."""
        with self._lock:
            if file.content_hash in self._waiting:
                self._waiting[file.content_hash].append(file)
                return False
            self._waiting[file.content_hash] = []
            return True

    def settle(self, content_hash: str) -> list[File]:
        """The files that waited for a content, which is on its way no longer."""
        with self._lock:
            return self._waiting.pop(content_hash)
