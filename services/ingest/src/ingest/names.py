"""The names that originals get on disk; a client's file name is only a wish."""

import os
from collections.abc import Iterator
from datetime import datetime

from common import layout
from common.names import display_name

HIDING = (".", "-", "~")


def leaf(file_name: str) -> bytes:
    """One harmless path component that looks as much like the wish as it may, and is neither hidden nor an option."""
    name = display_name(file_name)
    return (f"_{name}" if name.startswith(HIDING) else name).encode()


def candidates(file_name: str, staged_name: str, staged_at: datetime) -> Iterator[bytes]:
    """Inbox paths to try, the same ones in the same order whenever an upload's placing is repeated."""
    name = leaf(file_name)
    base, extension = os.path.splitext(name)
    token = staged_name.replace("-", "").encode()
    yield layout.dated(name, staged_at)
    for length in (8, 16, 32):
        yield layout.dated(b"%s_%s%s" % (base, token[:length], extension), staged_at)
