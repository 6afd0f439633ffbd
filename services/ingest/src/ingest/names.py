"""The names that originals get on disk; a client's file name is only a wish."""

import os
import unicodedata
from collections.abc import Iterator
from datetime import datetime

from common import layout

MAX_NAME_BYTES = 180
MAX_EXTENSION_BYTES = 20
NAMELESS = "unnamed"


def leaf(file_name: str) -> bytes:
    """One harmless path component that looks as much like the wish as it may: NFC, no separators, no hidden names."""
    visible = "".join(character for character in unicodedata.normalize("NFC", file_name) if _is_visible(character))
    base, extension = os.path.splitext(visible.strip() or NAMELESS)
    if base.startswith((".", "-", "~")):
        base = "_" + base
    ending = _shortened(extension, MAX_EXTENSION_BYTES)
    return _shortened(base, MAX_NAME_BYTES - len(ending)) + ending


def candidates(file_name: str, staged_name: str, staged_at: datetime) -> Iterator[bytes]:
    """Inbox paths to try, the same ones in the same order whenever an upload's placing is repeated."""
    name = leaf(file_name)
    base, extension = os.path.splitext(name)
    token = staged_name.replace("-", "").encode()
    yield layout.dated(name, staged_at)
    for length in (8, 16, 32):
        yield layout.dated(b"%s_%s%s" % (base, token[:length], extension), staged_at)


def _is_visible(character: str) -> bool:
    return character not in "/\\" and unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def _shortened(text: str, room: int) -> bytes:
    """At most `room` bytes of UTF-8 that end with a whole character."""
    return text.encode(errors="ignore")[:room].decode(errors="ignore").encode()
