"""The data directory: what lies where, who holds it, and its secrets."""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from common import folders
from lumilio import durable
from lumilio.refusal import CannotStart
from lumilio.terminal import say

# The directory may be entered but not listed, and what is in it is private: Postgres may run as another account.
MODE = 0o711
PRIVATE = 0o700
LEAVE_SECONDS = 30.0
Secret = Annotated[str, Meta(min_length=32)]
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """Made once and kept; the administrator's first password only until it was shown."""

    postgres_password: Secret
    nats_password: Secret
    jwt_secret: Secret
    first_password: str | None = None

    def __post_init__(self) -> None:
        if len({self.postgres_password, self.nats_password, self.jwt_secret}) < 3:
            raise ValueError("one secret has two uses")


@dataclass(frozen=True)
class Data:
    """A data directory that this process holds; `held` is to be inherited by every child."""

    root: str
    held: int

    @property
    def postgres(self) -> str:
        return os.path.join(self.root, "postgres")

    @property
    def nats(self) -> str:
        return os.path.join(self.root, "nats")

    @property
    def repositories(self) -> str:
        return os.path.join(self.root, "repositories")

    @property
    def repository(self) -> str:
        """The first one, which uploads go to unless they name another."""
        return os.path.join(self.repositories, "primary")

    @property
    def private(self) -> str:
        return private_roots(self.root)

    @property
    def secrets(self) -> str:
        return os.path.join(self.root, "secrets.json")

    @property
    def restoring(self) -> str:
        """A mark that lies here from the begin of a restore until all is whole."""
        return os.path.join(self.root, "restoring")

    def log(self, name: str) -> str:
        return os.path.join(self.root, "log", f"{name}.log")

    def run(self, name: str) -> str:
        """Where something lies that means nothing after the run."""
        return os.path.join(self.root, "run", name)

    def note(self, name: str, text: str) -> None:
        """Leave something for other commands of this account while the run lasts."""
        durable.write(self.run(name), f"{text}\n".encode(), mode=0o600)


@contextmanager
def hold(root: str) -> Iterator[Data]:
    """The data directory, for this process alone, after every child of an earlier run has ended."""
    root = os.path.realpath(root)
    if not root.isprintable():
        raise CannotStart("the name of the data directory has letters that cannot be told: name another --data")
    try:
        folders.make(os.fsencode(root), mode=MODE)
        for name in ("log", "run", "nats", "repositories", "private"):
            folders.make(os.fsencode(os.path.join(root, name)), mode=PRIVATE)
    except OSError as error:
        raise CannotStart(f"the data directory {root} cannot be used ({error.strerror}): name another --data") from None
    if not os.access(os.path.join(root, "run"), os.W_OK | os.X_OK):
        raise foreign(root)
    with ExitStack() as stack:
        ours = stack.enter_context(_lock_file(os.path.join(root, "run", "lumilio.lock")))
        if not _is_locked(ours):
            raise CannotStart(f"another `lumilio up` runs on {root}: stop it first, or name another --data")
        held = stack.enter_context(_lock_file(os.path.join(root, "run", "children.lock")))
        _wait_for_children(held)
        _forget_earlier_run(root)
        yield Data(root, held)


def new_password() -> str:
    """A password that nobody guesses and everybody can read out."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(5)) for _ in range(4))


def private_roots(root: str) -> str:
    """Where the own files of repositories lie that may not be written to."""
    return os.path.join(os.path.realpath(root), "private")


def running_database(root: str) -> str:
    """The address of the database that serves a directory right now."""
    try:
        with open(os.path.join(root, "run", "database.url")) as file:
            return file.read().strip()
    except PermissionError:
        raise foreign(root) from None
    except OSError:
        raise CannotStart(f"nothing serves {root}: start it with `lumilio up`, or name another --data") from None


def foreign(root: str) -> CannotStart:
    """Why a directory that is there says nothing."""
    return CannotStart(f"the data directory {root} belongs to another account: use that one, or name another --data")


@contextmanager
def _lock_file(path: str) -> Iterator[int]:
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait_for_children(held: int) -> None:
    """Children inherit the lock and so keep it until the last of them has ended, however the supervisor did."""
    deadline = time.monotonic() + LEAVE_SECONDS
    if _is_locked(held):
        return
    say("waiting for the processes of an earlier run to end")
    while not _is_locked(held):
        if time.monotonic() > deadline:
            raise CannotStart("a process of an earlier run does not end: its number is in run/*.pid of the data")
        time.sleep(0.1)


def _forget_earlier_run(root: str) -> None:
    """Drop what a crash left half written, and what meant something while another run lasted."""
    run = os.path.join(root, "run")
    with os.scandir(root) as ours, os.scandir(run) as theirs:
        files = [entry.path for entry in (*ours, *theirs) if entry.is_file(follow_symlinks=False)]
    for path in files:
        if path.endswith(".new") or (os.path.dirname(path) == run and not path.endswith(".lock")):
            os.unlink(path)


def read_secrets(data: Data) -> Secrets:
    """The secrets of this directory, made at the first start."""
    try:
        with open(data.secrets, "rb") as file:
            _check_private(file.fileno(), data.secrets)
            return msgspec.json.decode(file.read(), type=Secrets)
    except FileNotFoundError:
        pass
    except msgspec.DecodeError as error:
        raise CannotStart(f"{data.secrets} makes no sense ({error}): put back the one from your backup") from None
    if os.path.exists(data.postgres):
        raise CannotStart(f"{data.secrets} is missing but there is a database: put back the one from your backup")
    made = Secrets(
        postgres_password=secrets.token_urlsafe(24),
        nats_password=secrets.token_urlsafe(24),
        jwt_secret=secrets.token_urlsafe(48),
        first_password=new_password(),
    )
    save_secrets(data, made)
    return made


def _check_private(descriptor: int, path: str) -> None:
    if os.fstat(descriptor).st_mode & 0o077:
        raise CannotStart(f"{path} may be read by others: see who could, then `chmod 600 {path}`")


def check_whole(data: Data) -> None:
    """Refuse to serve half a restore."""
    if os.path.exists(data.restoring):
        raise CannotStart(
            f"a restore into {data.root} was interrupted: run the same `lumilio restore` again, "
            f"or `rm {data.restoring}` to serve what is there as it is"
        )


def check_database(data: Data, known: Secrets) -> None:
    """Refuse to replace a lost database by an empty one, in which nobody could sign in."""
    if known.first_password is None and not os.path.exists(data.postgres):
        raise CannotStart(
            f"{data.secrets} is there but the database is not: put {data.postgres} back from your backup, "
            "or make the catalogue anew from the originals with `lumilio rebuild`"
        )


def forget_first_password(data: Data, known: Secrets) -> None:
    """Nobody can read the administrator's password again from here on."""
    save_secrets(data, msgspec.structs.replace(known, first_password=None))


def save_secrets(data: Data, content: Secrets) -> None:
    """Keep secrets where only this account reads them."""
    text = msgspec.json.format(msgspec.json.encode(content))
    durable.write(data.secrets, text + b"\n", mode=0o600)
