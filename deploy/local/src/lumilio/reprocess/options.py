"""The options of `lumilio reprocess`."""

import argparse
from typing import Any
from uuid import UUID

from lumilio.upload.options import add_server

TYPES = ("photo", "video", "audio")


def add_to(commands: Any) -> None:
    """Make `reprocess` one of the commands."""
    parser = commands.add_parser(
        "reprocess", help="read and render photos, videos and recordings again, after all that is more urgent"
    )
    add_server(parser, "whose photos they are (admin)")
    scopes = parser.add_mutually_exclusive_group()
    for scope, text in {
        "missing": "those without thumbnails, or whose metadata an older version has read (the default)",
        "failed": "those that could not be processed",
        "all": "all of them, so that changed settings count for old ones, too",
        "web": "only what browsers play of videos and recordings, after another policy was set",
    }.items():
        scopes.add_argument(f"--{scope}", dest="scope", action="store_const", const=scope, default="missing", help=text)
    add = parser.add_argument
    add("--repository", metavar="ID", type=UUID, help="only those in this repository")
    add("--type", choices=TYPES, help="only those of this type")
    add("--everyone", action="store_true", help="those of all users; for administrators")
    add("--wait", action="store_true", help="wait until the server is done, and show how far it is")
    parser.set_defaults(run=_reprocess)


def _reprocess(arguments: argparse.Namespace) -> None:
    from lumilio.reprocess import command  # no other command waits for its libraries

    command.reprocess(arguments)
