"""Text and numbers from strangers: cleaned, shortened and checked before anybody sees them."""

import encodings.cp1252  # noqa: F401 - where metadata is read nothing can be imported any more
import math
import re
import unicodedata
from typing import Any

TEXT_BYTES = 4096
SHORT = 200
"""Characters of what names something: a keyword, a person."""
OF_CAMERAS = frozenset(
    {
        *("olympus digital camera", "sony dsc", "samsung camera pictures", "samsung", "digital camera", "camera"),
        *("minolta digital camera", "konica minolta digital camera", "kodak digital still camera", "exif jpeg", "dji"),
        *("casio computer co.,ltd", "created by dji camera", "my beautiful picture", "exif_jpeg_picture", "untitled"),
        *("acd systems digital imaging", "created with gimp", "created with the gimp", "lead technologies inc. v1.01"),
        *("dav", "cof", "cav", "edf", "rhdr", "vhdr", "hdrpl", "oznor", "oznorco", "oznorwo", "bty", "mde", "sdr"),
    }
)
"""What cameras, telephones and programs put where a person's words belong."""
IN_ITS_SHAPE = re.compile(r"DCIM[\\/]\S+|<[^>]*\bsamsung\b[^>]*>", re.IGNORECASE)
"""A path on the card, or a model between angle brackets."""
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


def decoded(raw: bytes) -> str:
    """What was written in UTF-8 if it can be that, else as Windows wrote it in Europe."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def line_of(written: str) -> str | None:
    """A text of ours on one line."""
    return " ".join(cleaned(written).split()) or None


def short(written: str) -> str | None:
    """What names something, on one line."""
    return (line_of(written) or "")[:SHORT].rstrip() or None


def caption(written: str) -> str | None:
    """What somebody said of a picture, None if that was only the camera."""
    said = cleaned(written)
    return None if said.casefold() in OF_CAMERAS or IN_ITS_SHAPE.fullmatch(said) else said or None


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
    start = written[: 4 * TEXT_BYTES].replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(character for character in start if character in "\n\t" or _is_visible(character))
    return kept.strip().encode()[:TEXT_BYTES].decode(errors="ignore")


def _is_visible(character: str) -> bool:
    """What no table knows yet may be an emoji; what will never be a character is none."""
    if character in BIDIRECTIONAL or unicodedata.category(character) in {"Cc", "Cs"}:
        return False
    return ord(character) & 0xFFFE != 0xFFFE and not 0xFDD0 <= ord(character) <= 0xFDEF
