"""File names from outside, made fit for people to see and for a disk to hold."""

import os
import unicodedata

LONGEST = 180
LONGEST_EXTENSION = 20
UNNAMED = "unnamed"

# Marks that turn the direction of text, with which `exe.jpg` can be shown as `gpj.exe`.
TURNING = {"\u061c", "\u200e", "\u200f", *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}
UNFIT = {"Cc", "Cs", "Zl", "Zp"}


def display_name(raw: str | None) -> str:
    """The last part of what a client calls its file: one line, composed, at most 180 bytes."""
    leaf = (raw or "").replace("\\", "/").rstrip("/").rpartition("/")[2]
    text = unicodedata.normalize("NFC", "".join(filter(_is_fit, leaf))).strip()
    return _shortened(text) if text.strip(".") else UNNAMED


def _is_fit(letter: str) -> bool:
    return letter not in TURNING and unicodedata.category(letter) not in UNFIT


def _shortened(name: str) -> str:
    stem, extension = os.path.splitext(name)
    ending = extension.encode() if len(extension.encode()) <= LONGEST_EXTENSION else b""
    room = LONGEST - len(ending)
    whole = stem.encode() if ending else name.encode()
    return whole[:room].decode(errors="ignore") + ending.decode()
