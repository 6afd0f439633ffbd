"""Sends one content: a file, the copies of it that wait, and the file as it is now when it has changed."""

from collections.abc import Callable
from dataclasses import dataclass, field

from lumilio.upload import walk
from lumilio.upload.copies import Copies
from lumilio.upload.form import Changed
from lumilio.upload.ledger import Ledger
from lumilio.upload.patience import Refused
from lumilio.upload.processing import Processing
from lumilio.upload.server import Server
from lumilio.upload.walk import File
from lumilio_client.api import UploadResponse


@dataclass(frozen=True)
class Delivery:
    """Brings files to the server and writes down what became of them."""

    server: Server
    ledger: Ledger
    processing: Processing
    is_over: Callable[[], bool]
    copies: Copies = field(default_factory=Copies)

    def send(self, file: File) -> None:
        """Send a file; its copies count as duplicates, or are tried in its place when it did not get through."""
        is_there = self._send_one(file)
        for copy in self.copies.settle(file.content_hash):
            if is_there:
                self.ledger.note("duplicate", copy.path, copy.size)
            elif not self.is_over():
                is_there = self._send_one(copy)

    def _send_one(self, file: File) -> bool:
        """Whether the content is on the server now; Interrupted and Gone end it all."""
        try:
            sent, taken = self._send_as_it_is(file)
        except Refused as refusal:
            self.ledger.note("failed", file.path, file.size, str(refusal))
        except OSError as error:
            self.ledger.note("failed", file.path, file.size, walk.reason(error))
        else:
            self._note(sent, taken)
            return sent.content_hash == file.content_hash
        return False

    def _send_as_it_is(self, file: File) -> tuple[File, UploadResponse]:
        """A file that has changed since it was hashed is hashed once more."""
        try:
            return file, self.server.send(file, self.ledger.moved)
        except Changed as change:
            again = walk.hash_file(file.path, self.is_over)
            if again == file:
                raise Refused(str(change)) from None
        try:
            return again, self.server.send(again, self.ledger.moved)
        except Changed as change:
            raise Refused(f"it changes while it is sent: {change}") from None

    def _note(self, sent: File, taken: UploadResponse) -> None:
        if taken.status == "duplicate":
            self.ledger.note("duplicate", sent.path, sent.size)
        else:
            self.ledger.note("uploaded", sent.path, sent.size)
            self.processing.add(taken.task_id, sent)
