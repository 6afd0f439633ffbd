"""The options of `lumilio ml`."""

import argparse
from typing import Any

from lumilio.upload.options import add_server


def add_to(commands: Any) -> None:
    """Make `ml` one of the commands."""
    parser = commands.add_parser("ml", help="how far models are with what they see: status, backfill, switch")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    action = actions.add_parser("status", help="how far each stage is, which servers there are, and what is missing")
    _ready(action, "status")
    action = actions.add_parser("backfill", help="look at all photos for what they lack")
    action.add_argument("--stage", help="only this stage, as `status` names it")
    action.add_argument("--retry-failed", action="store_true", help="try again what failed, too")
    _ready(action, "backfill")
    action = actions.add_parser("switch", help="have another embedding space be the one that searches compare in")
    action.add_argument("space", metavar="SPACE", type=int, help="its number, as `status` tells it")
    _ready(action, "switch")


def _ready(action: argparse.ArgumentParser, name: str) -> None:
    add_server(action, "an administrator (admin)")
    action.set_defaults(run=_run, action=name)


def _run(arguments: argparse.Namespace) -> None:
    from lumilio.ml import command  # no other command waits for its libraries

    command.run(arguments)
