"""What `lumilio upload` does, from the sign-in to the exit status."""

import argparse
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import TextIO

from rich.console import Console

from lumilio.refusal import CannotStart
from lumilio.terminal import say
from lumilio.upload import show, signing
from lumilio.upload.ledger import FAILURES, Ledger
from lumilio.upload.patience import Gone, Patience
from lumilio.upload.progress import printable
from lumilio.upload.run import Options, Run
from lumilio.upload.server import Server
from lumilio.upload.session import Session

GRACE_SECONDS = 5.0
INTERRUPTED = 130


def upload(arguments: argparse.Namespace) -> None:
    """Send what the arguments say, and end with a status that says how it went."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    stop, password = Event(), signing.password(arguments.password_file)
    options = Options(parallel=arguments.parallel, waits=arguments.wait, sends=not arguments.dry_run)
    http = signing.client(arguments.server, connections=arguments.parallel + 2)
    with ExitStack() as closing:
        ledger = Ledger(_report(arguments.report, closing))
        session = Session(closing.enter_context(http), arguments.user, password)
        signing.sign_in(session, stop)
        server = Server(session, Patience(stop), Patience(stop), arguments.repository)
        sys.exit(_follow(Run(server, ledger, arguments.paths, stop, options)))


def _follow(run: Run) -> int:
    """See a run through; returns the exit status."""
    console = Console()
    run.start()
    try:
        show.follow(run, console)
        is_interrupted = False
    except KeyboardInterrupt:
        run.stop.set()
        say("stopping: what is under way is given up (Ctrl-C again: at once)")
        is_interrupted = True
    run.wait(GRACE_SECONDS)
    show.tell(run, console)
    if is_interrupted or run.error:
        say("\nnot everything was sent: run the same command again, it skips what the server has")
    if is_interrupted:
        return INTERRUPTED
    if isinstance(run.error, Gone):
        raise CannotStart(printable(str(run.error)))
    if run.error is not None:
        raise run.error
    return 1 if run.processing or any(run.ledger.counts[fate] for fate in FAILURES) else 0


def _report(path: Path | None, closing: ExitStack) -> TextIO | None:
    try:
        return closing.enter_context(path.open("w")) if path else None
    except OSError as error:
        raise CannotStart(f"the report cannot be written: {error}") from None
