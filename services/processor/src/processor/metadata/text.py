"""Text and numbers from strangers: cleaned, shortened and checked before anybody sees them."""

import math
import unicodedata
from typing import Any

TEXT_BYTES = 4096
BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def line(value: Any) -> str | None:
    """Text without line breaks and double spaces."""
    return " ".join((text(value) or "").split()) or None


def text(value: Any) -> str | None:
    """A string up to its first NUL, in UTF-8 if it can be that."""
    raw = value if isinstance(value, bytes) else str(value).encode("latin-1", "replace")
    raw = raw.partition(b"\0")[0][: 4 * TEXT_BYTES]
    try:
        return cleaned(raw.decode())
    except UnicodeDecodeError:
        return cleaned(raw.decode("latin-1"))


def number(value: Any, *, least: float, most: float) -> float:
    """A finite number in its range; of several the first."""
    if isinstance(value, tuple | list):
        value = value[0]
    result = float(value)
    if not math.isfinite(result) or not least <= result <= most:
        raise ValueError(f"the number {result}")
    return result


def cleaned(written: str) -> str:
    """Without control, bidirectional and broken characters, and at most 4 KB long."""
    kept = "".join(
        character
        for character in written
        if character in "\n\t"
        or (unicodedata.category(character) not in {"Cc", "Cs", "Cn"} and character not in BIDIRECTIONAL)
    )
    return kept.strip().encode()[:TEXT_BYTES].decode(errors="ignore")
