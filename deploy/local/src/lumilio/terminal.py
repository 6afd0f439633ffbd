"""What a person at the terminal sees: one readable line per step."""

import os
import sys
import time
from contextlib import suppress


def say(line: str) -> None:
    """Tell a line at once; a terminal that went away is no reason to stop serving photos."""
    with suppress(OSError):
        show(line)


def show(text: str) -> None:
    """Tell what must be seen; OSError when it cannot be."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def end() -> None:
    """What nobody reads any more, as behind `| head`, is left unsaid; Python would complain of it at the very end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def since(started: float) -> str:
    """The time since a moment of `time.monotonic`, for people."""
    seconds = time.monotonic() - started
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
