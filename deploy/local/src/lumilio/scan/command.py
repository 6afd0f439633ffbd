"""What `lumilio scan` does, from the sign-in to the exit status."""

import argparse
import sys
import time
from collections.abc import Callable

from rich import box
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from lumilio.following import INTERRUPTED, Watch, signed_in
from lumilio.scan.server import Server, find, is_over, to_do
from lumilio.showing import screen
from lumilio.terminal import say
from lumilio.upload import show
from lumilio.upload.progress import Sight, printable
from lumilio_client.api import ScanDTO, ScanProgress

Answer = Callable[[ScanProgress], bool]

QUIET_SECONDS = 120.0
INCOMPLETE, ASKS = 1, 3

ROWS = {
    "new": "new",
    "changed": "changed",
    "moved": "moved",
    "returned": "back",
    "gone": "missing",
    "strays": "in the inbox, and not from here",
}


def scan(arguments: argparse.Namespace) -> None:
    """Scan what the arguments say, and end with a status that says how it went."""
    with signed_in(arguments) as asking:
        server, folder = find(asking, arguments.repository, arguments.folder)
        try:
            began = server.scan(folder, is_quick=arguments.quick)
            status = run(server, began, Console(), _answer(arguments))
        except KeyboardInterrupt:
            say("the server goes on with it; the same command shows how far it is")
            status = INTERRUPTED
    sys.exit(status)


def run(server: Server, began: ScanDTO, console: Console, confirm: Answer | None) -> int:
    """Follow a run to its end and tell what came of it; the exit status. When it asks, `confirm` answers."""
    found = follow(server, began, console)
    if found.state == "asking" and confirm is not None and confirm(found):
        found = follow(server, server.accept(found.operation_id), console)
    tell(server, found, console)
    if found.state == "asking":
        return ASKS
    return 0 if found.state == "done" and not found.left.troubled and not to_do(found) else INCOMPLETE


def follow(server: Server, began: ScanDTO, console: Console) -> ScanProgress:
    """Show how far a run is, and then how far reading what it found is, until nothing is left or nothing moves."""
    with screen(console) as (draw, pause):
        found = server.look(began.operation_id)
        while not is_over(found):
            draw(_walked(found), server.trouble())
            time.sleep(pause)
            found = server.look(began.operation_id)
        watch, moved_at, left = Watch(to_do(found), "read and registered"), time.monotonic(), to_do(found)
        while found.state in {"done", "partial"} and to_do(found) and time.monotonic() - moved_at < QUIET_SECONDS:
            draw(watch.note(to_do(found), now=time.monotonic()), None)
            time.sleep(pause)
            found = server.look(began.operation_id)
            if to_do(found) != left:
                moved_at, left = time.monotonic(), to_do(found)
    return found


def tell(server: Server, found: ScanProgress, console: Console) -> None:
    """What a run found, and what a person may do about it."""
    show.tell_table(_table(found), console)
    if found.state == "asking":
        tell_question(found)
    else:
        say(printable(found.message))
    for trouble in found.counts.troubles:
        say(f"  {printable(trouble)}")
    if found.left.troubled:
        say(f"{found.left.troubled:,} files could not be read so far: `files?state=unread` of the API says why")
    if to_do(found):
        say(f"{to_do(found):,} files are still being written, read or registered: the server goes on")
    for alarm in server.alarms():
        say(f"ATTENTION: {printable(alarm)}")


def tell_question(found: ScanProgress) -> None:
    """What the run asks, with some of the files that it is about."""
    say(f"{found.asks or 0:,} files are not where they were. Nothing was called missing. Some of them:")
    for path in found.counts.examples:
        say(f"  {printable(path)}")
    say("If a disk or a folder is away, bring it back. If they are gone for good: --accept-missing")


def ask_person(found: ScanProgress) -> bool:
    """Whether a person at the terminal says yes; where there is none, nobody does."""
    tell_question(found)
    if not sys.stdin.isatty():
        say("there is no terminal to ask whether it is meant: use --yes as well")
        return False
    try:
        return input(f"Call {found.asks or 0:,} files missing? [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        return False


def _answer(arguments: argparse.Namespace) -> Answer | None:
    if not arguments.accept_missing:
        return None
    return _yes if arguments.yes else ask_person


def _yes(found: ScanProgress) -> bool:
    tell_question(found)
    return True


def _walked(found: ScanProgress) -> Sight:
    counts = found.counts
    line = f"{counts.files:,} files in {counts.folders:,} folders looked at" if counts.folders else found.message
    return Sight(0, 1, line)


def _table(found: ScanProgress) -> Table:
    counts = found.counts
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column()
    table.add_column("files", justify="right")
    table.add_column("bytes", justify="right")
    table.add_row("looked at", f"{counts.files:,}", decimal(counts.bytes) if counts.bytes else "")
    for name, title in ROWS.items():
        if number := getattr(counts, name):
            table.add_row(title, f"{number:,}", "")
    for what, number in sorted(counts.skipped.items()):
        table.add_row(f"passed over: {printable(what)}", f"{number:,}", "")
    return table
