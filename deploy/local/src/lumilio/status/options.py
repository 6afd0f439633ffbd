"""The options of `lumilio status`."""

import argparse
from typing import Any

EXIT = """
exit status: 0 all is well; 1 something needs a person; 2 that cannot be told: nothing runs, or the database
does not answer
"""


def add_to(commands: Any, default: str) -> None:
    """Make `status` one of the commands."""
    what = "say on one screen what is wrong, what to do about it, and what goes well"
    parser = commands.add_parser("status", help=what, epilog=EXIT)
    parser.add_argument(
        "--data", default=default, help="the directory that `lumilio up` serves (or LUMILIO_DATABASE_URL)"
    )
    parser.add_argument("--json", action="store_true", help="say it as JSON, for scripts")
    parser.set_defaults(run=_status)


def _status(arguments: argparse.Namespace) -> None:
    from lumilio.status import command  # no other command waits for its libraries

    command.status(arguments)
