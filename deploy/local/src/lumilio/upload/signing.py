"""How a command comes to a signed-in session with a server: its address, a password, and some patience."""

import getpass
import os
import sys
from pathlib import Path
from threading import Event

import httpx

from lumilio.refusal import CannotStart
from lumilio.upload import show
from lumilio.upload.patience import Gone, Patience
from lumilio.upload.progress import printable
from lumilio.upload.session import Session

LOCAL = {"127.0.0.1", "localhost", "::1"}
START_PATIENCE_SECONDS = 30.0

TIMEOUT = httpx.Timeout(30, connect=10, pool=None)
IDLE_SECONDS = 4.0  # less than the server's, so that it ends no connection that we are about to use


def sign_in(session: Session, stop: Event) -> None:
    """Not for minutes: an address may be mistyped."""
    try:
        Patience(stop, START_PATIENCE_SECONDS, tell=show.tell_waiting).ask(lambda: session.renew(None))
    except Gone as error:
        raise CannotStart(printable(str(error))) from None


def client(server: str, *, connections: int) -> httpx.Client:
    """Connections to the server; one on this machine is never asked through a proxy."""
    limits = httpx.Limits(max_connections=connections, keepalive_expiry=IDLE_SECONDS)
    is_local = httpx.URL(server).host in LOCAL
    return httpx.Client(base_url=server, timeout=TIMEOUT, limits=limits, trust_env=not is_local)


def password(file: Path | None) -> str:
    """The password in a file, in the environment, or as a person types it."""
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
