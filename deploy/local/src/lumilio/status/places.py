"""Where the parts of a server are: as the environment says, else as a running `lumilio up` noted."""

import fcntl
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from lumilio.data import foreign
from lumilio.refusal import CannotStart

HEALTH = ".health"


@dataclass(frozen=True)
class Places:
    """Addresses; an empty one is not known. `health` is where each service tells how it is, `data` the directory."""

    database: str
    nats: str = ""
    monitor: str = ""
    health: dict[str, str] = field(default_factory=dict)
    data: str | None = None

    def log(self, program: str) -> str:
        """Where to read what a program says."""
        return os.path.join(self.data, "log", f"{program}.log") if self.data else f"the log of {program}"

    def cause(self, program: str, variable: str) -> str:
        """Where to look when a program does not answer: who named its address may have named a wrong one."""
        return self.log(program) if self.data else f"{self.log(program)}, and whether {variable} is right"

    @property
    def start(self) -> str:
        """How a program that ended comes back, as the end of a sentence."""
        return "; `lumilio up` starts it again when it ended: kill it if it hangs." if self.data else ", and start it."


def find(root: str, environ: Mapping[str, str]) -> Places:
    """Where everything is; CannotStart where nothing serves the directory and the environment names no database."""
    if database := environ.get("LUMILIO_DATABASE_URL"):
        server = environ.get("LUMILIO_SERVER", "").rstrip("/")
        health = {"gateway": f"{server}/api/v1/health/ready"} if server else {}
        return Places(
            database, environ.get("LUMILIO_NATS_URL", ""), environ.get("LUMILIO_NATS_MONITOR_URL", ""), health
        )
    root = os.path.realpath(root)
    if not _is_served(root):
        raise CannotStart(f"nothing serves {root}: start it with `lumilio up`, or name another --data")
    notes = {name: _note(root, name) for name in os.listdir(os.path.join(root, "run"))}
    health = {name.removesuffix(HEALTH): url for name, url in notes.items() if name.endswith(HEALTH)}
    if not notes.get("database.url"):
        raise CannotStart(f"the server of {root} is only starting: ask again in some seconds")
    return Places(notes["database.url"], notes.get("nats.url", ""), notes.get("monitor.url", ""), health, root)


def _is_served(root: str) -> bool:
    """Whether a `lumilio up` holds the directory; CannotStart where another account alone knows."""
    try:
        descriptor = os.open(os.path.join(root, "run", "lumilio.lock"), os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:
        raise foreign(root) from None
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _note(root: str, name: str) -> str:
    if not name.endswith((".url", HEALTH)):
        return ""
    try:
        with open(os.path.join(root, "run", name)) as file:
            return file.read().strip()
    except OSError:
        return ""
