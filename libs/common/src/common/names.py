"""File names from outside, made fit for people to see and for a disk to hold."""

import os
import unicodedata

LONGEST = 180
LONGEST_EXTENSION = 20
UNNAMED = "unnamed"

# Marks that turn the direction of text, with which `exe.jpg` can be shown as `gpj.exe`.
TURNING = {"\u061c", "\u200e", "\u200f", *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}
UNFIT = {"Cc", "Cs", "Zl", "Zp"}
HIDING = (".", "-", "~")

# What other systems, to which files are shared or sent, take for devices whatever the extension.
RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}


def display_name(raw: str | None) -> str:
    """The last part of what a client calls its file: one line, composed, at most 180 bytes."""
    leaf = (raw or "").replace("\\", "/").rstrip("/").rpartition("/")[2]
    text = unicodedata.normalize("NFC", "".join(filter(_is_fit, leaf))).strip()
    return _shortened(text) if text.strip(".") else UNNAMED


def harmless(name: str) -> str:
    """A display name that a disk may hold: not hidden, no option, no device."""
    is_harmless = not name.startswith(HIDING) and name.partition(".")[0].strip().lower() not in RESERVED
    return name if is_harmless else f"_{name}"


def shown(text: str | bytes) -> str:
    """A name or a path for people to read: nothing in it breaks the line, moves a cursor, turns the text or hides."""
    text = text.decode(errors="backslashreplace") if isinstance(text, bytes) else text
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def _is_fit(letter: str) -> bool:
    return letter not in TURNING and unicodedata.category(letter) not in UNFIT


def _shortened(name: str) -> str:
    stem, extension = os.path.splitext(name)
    ending = extension.encode() if len(extension.encode()) <= LONGEST_EXTENSION else b""
    room = LONGEST - len(ending)
    whole = stem.encode() if ending else name.encode()
    return whole[:room].decode(errors="ignore") + ending.decode()
