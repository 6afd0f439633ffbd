"""The options of `lumilio relocate`."""

import argparse
from collections.abc import Callable
from typing import Any, get_args

from common.relocating import Order
from lumilio.refusal import CannotStart
from lumilio.relocate import command
from lumilio.relocate.command import Question

STATUS = "status"


def add_to(commands: Any, default: str, ask: Callable[[str, Question], None]) -> None:
    """Make `relocate` one of the commands; `ask` puts a question to the database of a data directory."""
    parser = commands.add_parser("relocate", help="order the inbox of a repository anew, or say how far that is")
    parser.add_argument("repository", nargs="?", default=STATUS, help="its id or name (none: say how far it is)")
    parser.add_argument("--data", default=default, help="the directory that `lumilio up` serves")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--to", choices=get_args(Order), help="the strategy; captured is by the date of the photo")
    what.add_argument("--stop", action="store_true", help="leave where it is what has not moved yet")
    parser.add_argument("--dry-run", action="store_true", help="only say what would move")
    parser.set_defaults(run=lambda arguments: ask(arguments.data, _question(arguments)))


def _question(arguments: argparse.Namespace) -> Question:
    name, order = arguments.repository, arguments.to
    if arguments.dry_run and order is None:
        raise CannotStart("--dry-run says what --to would do: name a strategy with --to")
    if order is not None and arguments.dry_run:
        return command.rehearse(name, order)
    if order is not None:
        return command.begin(name, order)
    if arguments.stop:
        return command.stop(name)
    if name != STATUS:
        raise CannotStart("say what to do with it: --to STRATEGY, or --stop")
    return command.tell
