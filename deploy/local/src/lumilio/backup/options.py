"""The options of `lumilio backup`."""

import argparse
from pathlib import Path
from typing import Any


def add_to(commands: Any, default: str) -> None:
    """Make `backup` one of the commands."""
    parser = commands.add_parser("backup", help="back up the catalogue, also while serving; list and check backups")
    parser.add_argument("--data", default=default, help="the directory that `lumilio up` serves")
    parser.add_argument("--to", type=Path, help="folder for backups (LUMILIO_BACKUP_TO, or `backups` in the data)")
    parser.add_argument("--keep", action="store_true", help="then remove those that need not be kept")
    parser.add_argument("--originals", type=Path, metavar="DIR", help="copy new originals to a folder on another disk")
    parser.add_argument("--deep", action="store_true", help="with --originals: read each copy, and mend what is wrong")
    parser.set_defaults(run=_make)
    actions = parser.add_subparsers(metavar="ACTION")
    anywhere = argparse.ArgumentParser(add_help=False)
    for name, kind in (("--data", str), ("--to", Path)):
        anywhere.add_argument(name, type=kind, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    actions.add_parser("list", help="which backups there are", parents=[anywhere]).set_defaults(run=_list)
    check = actions.add_parser("check", help="whether a backup is still what was written", parents=[anywhere])
    check.add_argument("folder", type=Path, help="the backup")
    check.add_argument("--originals", action="store_true", help="look for each original that it lists, by its size")
    check.add_argument("--deep", action="store_true", help="read every original, and compare its hash")
    check.add_argument("--copies", type=Path, metavar="DIR", help="look at the copies in a folder instead")
    check.set_defaults(run=_check)


def _make(arguments: argparse.Namespace) -> None:
    from lumilio.backup import command  # no other command waits for its libraries

    command.make(arguments)


def _list(arguments: argparse.Namespace) -> None:
    from lumilio.backup import command

    command.tell(arguments)


def _check(arguments: argparse.Namespace) -> None:
    from lumilio.backup import command

    command.check(arguments)
