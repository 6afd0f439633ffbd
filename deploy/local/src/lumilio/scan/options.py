"""The options of `lumilio scan`."""

import argparse
import os
from typing import Any

from lumilio.upload.options import add_server

EXIT = """
exit status: 0 all is looked at, read and registered; 1 something could not be; 2 a wrong call; 3 so much is gone that
a person is to say whether that is so (--accept-missing does); 130 after Ctrl-C, and the server goes on
"""


def add_to(commands: Any) -> None:
    """Make `scan` one of the commands."""
    what = "have a server look for changes in a repository's folders, and show what it found"
    parser = commands.add_parser("scan", help=what, epilog=EXIT)
    add = parser.add_argument
    add("folder", metavar="FOLDER", nargs="?", default=b"", type=os.fsencode, help="only this folder (everything)")
    add("--repository", metavar="NAME|ID", help="which one (that of an absolute FOLDER, or the default)")
    add("--quick", action="store_true", help="look only into folders that changed by their times")
    add("--accept-missing", action="store_true", help="when the run asks, call as many files missing as it counted")
    add("--yes", action="store_true", help="with --accept-missing: do not ask")
    add_server(parser, "an administrator (admin)")
    parser.set_defaults(run=_scan)


def _scan(arguments: argparse.Namespace) -> None:
    from lumilio.scan import command  # no other command waits for its libraries

    command.scan(arguments)
