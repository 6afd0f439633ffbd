"""What `lumilio status` does, from the look to the exit status."""

import argparse
import asyncio
import os
import sys

import msgspec
from rich.console import Console

from common import settings
from lumilio.ballast import BallastSettings
from lumilio.status import facts, looking, places, screen, troubles
from lumilio.status.places import Places
from lumilio.status.seen import Report, Seen, State
from lumilio.terminal import say

EXIT: dict[State, int] = {"well": 0, "trouble": 1, "unknown": 2}


def status(arguments: argparse.Namespace) -> None:
    """Look once and tell; the exit status says it, too."""
    known = places.find(arguments.data, os.environ)
    seen = asyncio.run(looking.look(known, settings.load(BallastSettings, os.environ)))
    report = conclude(seen, known)
    if arguments.json:
        say(msgspec.json.format(msgspec.json.encode(report)).decode())
    else:
        screen.show(report, Console())
    sys.exit(EXIT[report.state])


def conclude(seen: Seen, known: Places) -> Report:
    """What is wrong, and what goes well."""
    found = troubles.find(seen, known)
    state: State = "unknown" if seen.rows is None else "trouble" if found else "well"
    return Report(state=state, troubles=found, facts=facts.find(seen))
