"""The options of `lumilio restore`."""

import argparse
from pathlib import Path
from typing import Any


def add_to(commands: Any, default: str) -> None:
    """Make `restore` one of the commands."""
    parser = commands.add_parser("restore", help="have the catalogue be what it was at a backup")
    parser.add_argument("folder", type=Path, help="the backup")
    parser.add_argument("--data", default=default, help="the directory to serve then (or LUMILIO_DATABASE_URL)")
    parser.add_argument("--replace", action="store_true", help="take the place of a catalogue, which is kept beside")
    parser.add_argument("--originals", type=Path, metavar="DIR", help="first put originals back from their copies")
    parser.add_argument("--only-originals", action="store_true", help="of lost disks, and leave the catalogue as it is")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    from lumilio.restore import command  # no other command waits for its libraries

    command.run(arguments)
