"""The options of `lumilio user`."""

import argparse
from collections.abc import Callable
from typing import Any

from lumilio.user import command
from lumilio.user.command import Deed, Question

Ask = Callable[[str, Question], None]

DEEDS: dict[str, tuple[Deed, str]] = {
    "reset-password": (command.reset_password, "give somebody a new password, which is told once; their sign-ins end"),
    "enable": (command.enable, "let somebody in who was kept out"),
    "disable": (command.disable, "keep somebody out; their sign-ins end, their photos stay"),
    "make-admin": (command.make_admin, "let somebody administer this server"),
}


def add_to(commands: Any, default: str, ask: Ask) -> None:
    """Make `user` one of the commands; `ask` puts a question to the database of a data directory."""
    parser = commands.add_parser("user", help="who uses this server, from the machine itself: list, add, let in again")
    parser.add_argument("--data", default=default, help="the directory that `lumilio up` serves")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    anywhere = argparse.ArgumentParser(add_help=False)
    anywhere.add_argument("--data", default=argparse.SUPPRESS, help="the directory that `lumilio up` serves")

    known = actions.add_parser("list", help="everybody who has an account", parents=[anywhere])
    known.set_defaults(run=lambda arguments: ask(arguments.data, command.tell))
    add = actions.add_parser("add", help="make a user, whose password is told once", parents=[anywhere])
    add.add_argument("name", help="what they sign in as")
    add.add_argument("--email", help="their address (NAME@localhost)")
    add.add_argument("--admin", action="store_true", help="let them administer this server")
    add.set_defaults(
        run=lambda arguments: ask(
            arguments.data, command.add(arguments.name, email=arguments.email, is_admin=arguments.admin)
        )
    )
    for name, (deed, text) in DEEDS.items():
        _add_deed(actions.add_parser(name, help=text, parents=[anywhere]), deed, ask)


def _add_deed(parser: argparse.ArgumentParser, deed: Deed, ask: Ask) -> None:
    parser.add_argument("name", help="what they sign in as")
    parser.set_defaults(run=lambda arguments: ask(arguments.data, command.to(arguments.name, deed)))
