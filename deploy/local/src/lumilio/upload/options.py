"""The options of `lumilio upload`."""

import argparse
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

MOST_PARALLEL = 64


def add_to(commands: Any) -> None:
    """Make `upload` one of the commands."""
    what = "send folders of photos, videos and recordings to a server; what it has already is skipped"
    parser = commands.add_parser("upload", help=what)
    add = parser.add_argument
    add("paths", metavar="DIR", nargs="+", type=_path, help="a folder, with all folders in it, or a file")
    add_server(parser, "who sends (admin)")
    add("--repository", metavar="ID", type=UUID, help="where to keep the photos (in the default repository)")
    add("--parallel", metavar="N", default=4, type=_number, help="how many files are sent at once (4)")
    add("--report", metavar="FILE", type=Path, help="write every failure there, a JSON object a line")
    add("--dry-run", action="store_true", help="say what would be sent, and send nothing")
    wait = "wait until the server has processed what was sent, and say what it could not (yes)"
    add("--wait", action=argparse.BooleanOptionalAction, default=True, help=wait)
    parser.set_defaults(run=_upload)


def add_server(parser: argparse.ArgumentParser, who: str) -> None:
    """Let a command be told which server to speak to, and as whom."""
    server = os.environ.get("LUMILIO_SERVER", "http://127.0.0.1:8080")
    add = parser.add_argument
    add("--server", metavar="URL", default=server, type=_address, help="LUMILIO_SERVER, or http://127.0.0.1:8080")
    add("--user", metavar="NAME", default="admin", help=f"{who}; LUMILIO_PASSWORD is the password, or asked")
    add("--password-file", metavar="FILE", type=Path, help="a file that holds the password alone")


def _upload(arguments: argparse.Namespace) -> None:
    from lumilio.upload import command  # no other command waits for its libraries

    command.upload(arguments)


def _path(text: str) -> bytes:
    if not os.path.exists(text):
        raise argparse.ArgumentTypeError(f"there is no {text}")
    return os.fsencode(text)


def _address(text: str) -> str:
    """An address without a password in it, which would be shown."""
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and "@" not in text
    except ValueError:
        is_address = False
    if not is_address:
        raise argparse.ArgumentTypeError(f"{text!r} is not like http://HOST:PORT")
    return text.rstrip("/")


def _number(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_PARALLEL:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {MOST_PARALLEL}")
    return int(text)
