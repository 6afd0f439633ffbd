"""What `lumilio upload` does, from the sign-in to the exit status."""

import argparse
import getpass
import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import TextIO

import httpx
from rich.console import Console

from lumilio.refusal import CannotStart
from lumilio.terminal import say
from lumilio.upload import show
from lumilio.upload.ledger import FAILURES, Ledger
from lumilio.upload.patience import Gone, Patience
from lumilio.upload.progress import printable
from lumilio.upload.run import Options, Run
from lumilio.upload.server import Server
from lumilio.upload.session import Session

LOCAL = {"127.0.0.1", "localhost", "::1"}
START_PATIENCE_SECONDS = 30.0
GRACE_SECONDS = 5.0
INTERRUPTED = 130

TIMEOUT = httpx.Timeout(30, connect=10, pool=None)
IDLE_SECONDS = 4.0  # less than the server's, so that it ends no connection that we are about to use


def upload(arguments: argparse.Namespace) -> None:
    """Send what the arguments say, and end with a status that says how it went."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    stop, password = Event(), _password(arguments.password_file)
    options = Options(parallel=arguments.parallel, waits=arguments.wait, sends=not arguments.dry_run)
    with ExitStack() as closing:
        ledger = Ledger(_report(arguments.report, closing))
        session = Session(closing.enter_context(_http(arguments)), arguments.user, password)
        _sign_in(session, stop)
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


def _sign_in(session: Session, stop: Event) -> None:
    """Not for minutes: an address may be mistyped."""
    try:
        Patience(stop, START_PATIENCE_SECONDS, tell=show.tell_waiting).ask(lambda: session.renew(None))
    except Gone as error:
        raise CannotStart(printable(str(error))) from None


def _http(arguments: argparse.Namespace) -> httpx.Client:
    """Connections to the server; one on this machine is never asked through a proxy."""
    limits = httpx.Limits(max_connections=arguments.parallel + 2, keepalive_expiry=IDLE_SECONDS)
    is_local = httpx.URL(arguments.server).host in LOCAL
    return httpx.Client(base_url=f"{arguments.server}/api/v1/", timeout=TIMEOUT, limits=limits, trust_env=not is_local)


def _password(file: Path | None) -> str:
    if file is not None:
        try:
            return file.read_text().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise CannotStart(f"the password cannot be read: {error}") from None
    if password := os.environ.get("LUMILIO_PASSWORD"):
        return password
    if not sys.stdin.isatty():
        raise CannotStart("set LUMILIO_PASSWORD or use --password-file: there is no terminal to ask for the password")
    try:
        return getpass.getpass("password: ")
    except EOFError:
        raise CannotStart("no password was given") from None


def _report(path: Path | None, closing: ExitStack) -> TextIO | None:
    try:
        return closing.enter_context(path.open("w")) if path else None
    except OSError as error:
        raise CannotStart(f"the report cannot be written: {error}") from None
