"""What a look at a server saw; `None` stands for what did not answer or is not known."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from common.pulse_queries import Due, Failed, Meaning, Tree, Waiting
from common.stage_queries import Pause
from lumilio.status.queries import Backup, Catalogue, Lost

State: TypeAlias = Literal["well", "trouble", "unknown"]
REFUSAL = "FATAL:"
"""How a database begins that answers, and lets nobody in."""


class Rows(Struct, frozen=True, kw_only=True):
    """What the database says; `running` is how much of a stage is worked on.

    `servers` are those that know models, by whether they are there; none at all where nobody is asked.
    """

    version: str
    unsafe: Sequence[str]
    catalogue: Catalogue
    due: Sequence[Due]
    running: Mapping[str, int]
    pauses: Sequence[Pause]
    failed: Sequence[Failed]
    unpublished: Waiting
    unplaced: Waiting
    dead_letters: Waiting
    trees: Sequence[Tree]
    lost: Sequence[Lost]
    scrub_days: int
    meaning: Sequence[Meaning]
    servers: Mapping[bool, int]
    backup: Backup


class Reader(Struct, frozen=True, kw_only=True):
    """A durable of the bus: messages that wait, that are with somebody and how many may be, and who waits for more."""

    name: str
    pending: int
    held: int
    most_held: int
    waiting: int


class Bus(Struct, frozen=True, kw_only=True):
    """What the message bus says, and what is wrong with how it is set up."""

    version: str
    readers: Sequence[Reader] | None
    complaints: Sequence[str]


class Service(Struct, frozen=True, kw_only=True):
    """How a service says that it is; no `problems` but None where it does not, and what else answers there if any."""

    name: str
    problems: Sequence[str] | None
    other: str = ""


class Disk(Struct, frozen=True, kw_only=True):
    """The disk of something; `reserve` is what uploads leave free."""

    holds: str
    path: str
    free: int
    size: int
    reserve: int


class Seen(Struct, frozen=True, kw_only=True):
    """All of it; `silence` says why the database does not answer, `is_bus_known` that somebody knows where the bus is.

    A bus that `is_bus_closed` answers, and does not let us in. `outages` are of repositories that lie on this machine,
    by their names.
    """

    rows: Rows | None
    silence: str
    bus: Bus | None
    is_bus_known: bool
    is_bus_closed: bool
    services: Sequence[Service]
    disks: Sequence[Disk]
    outages: Mapping[str, str]


class Trouble(Struct, frozen=True, kw_only=True):
    """Something that needs a person: a word for scripts, what is wrong, and what to do about it."""

    kind: str
    what: str
    todo: str


class Fact(Struct, frozen=True, kw_only=True):
    """Something that a person likes to know, under a name."""

    name: str
    text: str


class Report(Struct, frozen=True, kw_only=True):
    """What is told in the end."""

    state: State
    troubles: Sequence[Trouble]
    facts: Sequence[Fact] = ()
