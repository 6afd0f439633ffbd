"""The options of `lumilio rebuild`."""

import argparse
import os
from typing import Any

WHAT = "make a lost catalogue anew from the originals, their manifests and what was written beside them"
HOW = """
Stop `lumilio up` first: the database is started for this alone. With LUMILIO_DATABASE_URL in the environment that one
is filled instead, after `lumilio migrate`. Doing it again does only what is missing.
"""


def add_to(commands: Any, default: str) -> None:
    """Make `rebuild` one of the commands."""
    parser = commands.add_parser("rebuild", help=WHAT, epilog=HOW)
    parser.add_argument("--data", default=default, help="the directory that `lumilio up` is to serve")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done; no row is written")
    parser.add_argument(
        "--missing", action="store_true", help="only take in what came after a backup that was restored"
    )
    parser.add_argument("roots", metavar="ROOT", nargs="*", type=os.fsencode, help="another directory of originals")
    parser.set_defaults(run=_rebuild)


def _rebuild(arguments: argparse.Namespace) -> None:
    from lumilio.rebuild import command  # no other command waits for its libraries

    command.rebuild(arguments)
