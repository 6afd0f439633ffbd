"""What `lumilio trash` does, from the sign-in to what it says."""

import argparse
import sys
from collections.abc import Callable, Sequence
from uuid import UUID

from lumilio.following import signed_in
from lumilio.refusal import CannotStart
from lumilio.terminal import say
from lumilio.trash.server import Server
from lumilio.upload.progress import printable
from lumilio_client.api import TrashedDTO, TrashPurged

UNITS = ("bytes", "kB", "MB", "GB", "TB")


def run(action: str, arguments: argparse.Namespace) -> None:
    """Do one of the actions as the arguments say."""
    with signed_in(arguments) as asking:
        server = Server(asking)
        if action == "list":
            tell(server)
        elif action == "restore":
            restore(server, arguments.ids)
        else:
            purge(server, arguments.ids, agrees=_yes if arguments.yes else _ask_person)


def tell(server: Server) -> None:
    """Say what lies in the trash, a line each, and how much it is."""
    for page in server.pages():
        for one in page.assets:
            say(_line(one))
    say(f"{page.count:,} in the trash, {size(page.bytes)}" if page.count else "nothing lies in the trash")


def restore(server: Server, ids: Sequence[UUID]) -> None:
    """Take back what is named, or all."""
    say(f"{server.restore(ids):,} are back")


def purge(server: Server, ids: Sequence[UUID], *, agrees: Callable[[TrashPurged], bool]) -> None:
    """Have what is named, or all, go for good when a person who knows how much that is agrees."""
    counted = server.count(ids)
    if not counted.count:
        say("nothing lies in the trash")
    elif agrees(counted):
        purged = server.purge(ids, counted.confirm)
        say(f"{purged.count:,} go for good, as soon as possible; that frees {size(purged.bytes)}")
    else:
        say("nothing was purged")


def size(count: float) -> str:
    """So many bytes, for people."""
    for unit in UNITS[:-1]:
        if count < 1000:
            return f"{count:,.0f} {unit}" if unit == UNITS[0] else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} {UNITS[-1]}"


def _line(one: TrashedDTO) -> str:
    until = f"until {one.purged_after.astimezone():%Y-%m-%d}" if one.purged_after else "for ever"
    if one.is_going:
        until = "is being purged"
    trouble = f" (could not be purged: {printable(one.trouble)})" if one.trouble else ""
    name = printable(one.asset.original_filename)
    return f"{one.asset.asset_id}  {one.trashed_at.astimezone():%Y-%m-%d %H:%M}  {until}  {name}{trouble}"


def _yes(_: TrashPurged) -> bool:
    return True


def _ask_person(counted: TrashPurged) -> bool:
    if not sys.stdin.isatty():
        raise CannotStart("there is no terminal to ask whether it is meant: use --yes")
    say(f"{counted.count:,} go for good, and nothing brings them back; that frees {size(counted.bytes)}.")
    try:
        return input("Purge them? [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        return False
