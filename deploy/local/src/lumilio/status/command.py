"""What `lumilio status` does, from the look to the exit status."""

import argparse
import asyncio
import os
import sys

import msgspec
from rich.console import Console

from common import settings
from lumilio.refusal import CannotStart
from lumilio.status import facts, looking, places, screen, troubles
from lumilio.status.places import Places
from lumilio.status.seen import Report, Seen, State, Trouble
from lumilio.status.settings import StatusSettings
from lumilio.status.words import sentence
from lumilio.terminal import say

EXIT: dict[State, int] = {"well": 0, "trouble": 1, "unknown": 2}


def status(arguments: argparse.Namespace) -> None:
    """Look once and tell; the exit status says it, too."""
    report = _report(arguments.data)
    if arguments.json:
        say(msgspec.json.format(msgspec.json.encode(report)).decode())
    else:
        screen.show(report, Console())
    sys.exit(EXIT[report.state])


def _report(root: str) -> Report:
    try:
        known = places.find(root, os.environ)
    except CannotStart as refusal:
        what, _, todo = str(refusal).partition(": ")
        return Report(state="unknown", troubles=[Trouble(kind="not-served", what=sentence(what), todo=sentence(todo))])
    return conclude(asyncio.run(looking.look(known, settings.load(StatusSettings, os.environ))), known)


def conclude(seen: Seen, known: Places) -> Report:
    """What is wrong, and what goes well."""
    found = troubles.find(seen, known)
    state: State = "unknown" if seen.rows is None else "trouble" if found else "well"
    return Report(state=state, troubles=found, facts=facts.find(seen))
