"""`lumilio restore` that dies at a moment: `python -m tests.support.mortal MOMENT ARGUMENT...`.

A moment is how a line begins that it says, or `rename NAME` and `unlink NAME`, just after that is done.
"""

import os
import sys
from collections.abc import Callable
from functools import partial
from signal import SIGKILL
from typing import Any

from lumilio import terminal
from lumilio.main import main
from lumilio.restore import command


def _die(moment: str, happened: str) -> None:
    if happened.startswith(moment):
        os.kill(os.getpid(), SIGKILL)


def _mortal(moment: str, name: str) -> Callable[..., None]:
    known = getattr(os, name)

    def call(*arguments: Any, **options: Any) -> None:
        known(*arguments, **options)
        _die(moment, f"{name} {os.path.basename(os.fsdecode(arguments[-1]))}")

    return call


def _say(moment: str, line: str) -> None:
    terminal.say(line)
    _die(moment, line)


if __name__ == "__main__":
    moment = sys.argv.pop(1)
    for name in ("rename", "unlink"):
        setattr(os, name, _mortal(moment, name))
    setattr(command, "say", partial(_say, moment))  # noqa: B010  # it is not for others to set
    main()
