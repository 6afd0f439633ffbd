"""The options of `lumilio trash`."""

import argparse
from functools import partial
from typing import Any
from uuid import UUID

from lumilio.upload.options import add_server

ACTIONS = {
    "list": "what lies in it, the newest first, and when each goes for good",
    "restore": "take photos back to where they were",
    "purge": "have photos go for good, after a question",
}


def add_to(commands: Any) -> None:
    """Make `trash` one of the commands."""
    parser = commands.add_parser("trash", help="what was thrown away: list, restore, purge")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    for name, text in ACTIONS.items():
        action = actions.add_parser(name, help=text)
        add_server(action, "whose trash it is (admin)")
        if name != "list":
            which = action.add_mutually_exclusive_group(required=True)
            which.add_argument("ids", metavar="ID", nargs="*", default=[], type=UUID, help="photos, by their ids")
            which.add_argument("--all", action="store_true", help="all that lies there")
        if name == "purge":
            action.add_argument("--yes", action="store_true", help="do not ask")
        action.set_defaults(run=partial(_run, name))


def _run(action: str, arguments: argparse.Namespace) -> None:
    from lumilio.trash import command  # no other command waits for its libraries

    command.run(action, arguments)
