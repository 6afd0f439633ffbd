"""What `lumilio reprocess` does, from the sign-in to the exit status."""

import argparse
import sys
import time

from rich.console import Console

from lumilio.following import INTERRUPTED, Watch, signed_in
from lumilio.reprocess.server import Server, Summary
from lumilio.showing import screen
from lumilio.terminal import say
from lumilio.upload.progress import printable


def reprocess(arguments: argparse.Namespace) -> None:
    """Ask for what the arguments say, and end with a status that says how it went."""
    filters = {"repository_id": str(arguments.repository or ""), "type": (arguments.type or "").upper()}
    with signed_in(arguments) as asking:
        server = Server(asking, arguments.everyone)
        queued = server.reprocess(arguments.scope, **{name: value for name, value in filters.items() if value})
        say(f"{queued:,} are processed again, after everything that people wait for")
        if arguments.wait:
            sys.exit(_wait(server, queued))


def _wait(server: Server, queued: int) -> int:
    try:
        return follow(server, queued, Console())
    except KeyboardInterrupt:
        say("the server goes on with it; the same command with --missing and --wait shows how far it is")
        return INTERRUPTED


def follow(server: Server, queued: int, console: Console) -> int:
    """Show how far it is until nothing is left; the exit status, which is 1 when more could not be done than before."""
    first = summary = server.look()
    watch = Watch(queued)
    with screen(console) as (draw, pause):
        while summary.left:
            draw(watch.note(summary.left, now=time.monotonic()), _trouble(summary))
            time.sleep(pause)
            summary = server.look()
    failed = summary.failed - first.failed
    say("all is done" if failed <= 0 else f"{failed:,} could not be processed: `lumilio failed` says why")
    return int(failed > 0)


def _trouble(summary: Summary) -> str | None:
    """Why nothing goes on, if that is so."""
    return "; ".join(f"{one.stage} is paused: {printable(one.reason)}" for one in summary.pauses) or None
