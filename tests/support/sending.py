"""`lumilio upload` inside a test: its threads talk to a served gateway."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from uuid import UUID

import httpx

from lumilio.upload.ledger import Ledger
from lumilio.upload.patience import Patience
from lumilio.upload.run import Options, Run
from lumilio.upload.server import Server
from lumilio.upload.session import Session
from tests.support.given import User
from tests.support.waiting import until


@dataclass(frozen=True)
class Sender:
    """A person with a folder to send."""

    session: Session
    folder: bytes
    stop: Event = field(default_factory=Event)

    def server(self, repository: UUID | None = None) -> Server:
        """The server as the command knows it."""
        return Server(self.session, Patience(self.stop), Patience(self.stop), repository)

    def run(self, options: Options | None = None, repository: UUID | None = None) -> Run:
        """A run that was started; it does not wait for processing unless told to."""
        run = Run(self.server(repository), Ledger(), [self.folder], self.stop, options or Options(waits=False))
        run.start()
        return run

    async def sent(self, options: Options | None = None) -> Ledger:
        """What a whole run has written down."""
        run = self.run(options)
        await ended(run)
        if run.error:
            raise run.error
        return run.ledger

    def put(self, name: str | bytes, content: bytes) -> bytes:
        """A file in the folder; returns its path."""
        path = os.path.join(self.folder, os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        return path


async def ended(run: Run) -> None:
    """Wait for the end of a run."""
    await until(lambda: run.wait(0), seconds=60, what="the run has ended")


@contextmanager
def sending(port: int, user: User, folder: bytes) -> Iterator[Sender]:
    """Somebody who sends a folder, which is empty at first, to a gateway on this machine."""
    os.mkdir(folder)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        sender = Sender(Session(client, user.username, user.password), folder)
        yield sender
        sender.stop.set()
