"""The body of an upload, read from the disk while it is sent."""

import os
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple
from uuid import UUID

from lumilio.upload import walk
from lumilio.upload.walk import File

BOUNDARY = "lumilio-41e67df5c02b4b1bb7f1c9b9a0f3a3de"
END = f"\r\n--{BOUNDARY}--\r\n".encode()


class Changed(Exception):
    """The file has other bytes than it had when it was hashed."""


class Form(NamedTuple):
    """A multipart body with one file, its date, and the repository that it is meant for."""

    file: File
    repository: UUID | None

    def headers(self) -> dict[str, str]:
        """What announces the body."""
        return {
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
            "Content-Length": str(len(self._start()) + self.file.size + len(END)),
            "X-Content-Hash": self.file.content_hash,
        }

    def read(self, opened: BinaryIO, moved: Callable[[int], None], is_over: Callable[[], bool]) -> Iterator[bytes]:
        """The whole body; Changed when the file no longer has the size that was announced."""
        sent = 0
        yield self._start()
        for chunk in walk.chunks(opened, is_over):
            sent += len(chunk)
            if sent > self.file.size:
                raise Changed("it grew while it was sent")
            yield chunk
            moved(sent)
        if sent < self.file.size:
            raise Changed("it shrank while it was sent")
        yield END

    def _start(self) -> bytes:
        seconds, fraction = divmod(self.file.modified_ns, 1_000_000_000)
        fields = [_part('name="repository_id"') + f"{self.repository}\r\n"] if self.repository else []
        if seconds >= 0:
            fields.append(_part('name="modified_at"') + f"{seconds}.{fraction:09}\r\n")
        return "".join([*fields, _part(f'name="file"; filename="{_name(self.file.path)}"')]).encode()


def _part(attributes: str) -> str:
    return f"--{BOUNDARY}\r\nContent-Disposition: form-data; {attributes}\r\n\r\n"


def _name(path: bytes) -> str:
    """A file's name as forms carry it; what is no text in it is replaced."""
    name = os.path.basename(path).decode(errors="replace")
    return re.sub(r'["\r\n]', lambda found: f"%{ord(found[0]):02X}", name)
