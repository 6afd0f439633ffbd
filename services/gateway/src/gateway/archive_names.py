"""Names under which files lie in an archive: safe to extract on every system, and no two the same on any."""

import os
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import count

from common.names import LONGEST, LONGEST_EXTENSION, display_name, harmless

# What Windows has in no name, a drive's colon among them.
REFUSED = str.maketrans(dict.fromkeys('<>:"|?*', "_"))

# Devices of Windows besides those that no original on our disks is called like.
DEVICES = {"conin$", "conout$", *(f"{port}{number}" for port in ("com", "lpt") for number in "¹²³")}


def unique(names: Iterable[str], *, taken: Iterable[str] = ()) -> Iterator[str]:
    """The names in their order; where one would be taken, by whatever case or composition, it gets a number."""
    used, next_numbers = {_folded(name) for name in taken}, dict[str, int]()
    for name in map(safe, names):
        free = name
        if _folded(name) in used:
            numbers = count(next_numbers.get(_folded(name), 2))
            number, free = next(
                (number, one) for number in numbers if _folded(one := _numbered(name, number)) not in used
            )
            next_numbers[_folded(name)] = number + 1
        used.add(_folded(free))
        yield free


def safe(name: str) -> str:
    """One component of a path, which leads nowhere and is no device, at most 180 bytes long."""
    plain = harmless(display_name(name).translate(REFUSED))
    if plain.partition(".")[0].strip().lower() in DEVICES:
        plain = f"_{plain}"
    return _shortened(plain, room=LONGEST)


def _numbered(name: str, number: int) -> str:
    stem, extension = _split(name)
    ending = f" ({number}){extension}"
    return _cut(stem, LONGEST - len(ending.encode())) + ending


def _shortened(name: str, *, room: int) -> str:
    """Windows leaves dots and spaces at the end away, whoever meant them."""
    stem, extension = _split(name)
    return (_cut(stem, room - len(extension.encode())) + extension).rstrip(" .") or "_"


def _split(name: str) -> tuple[str, str]:
    stem, extension = os.path.splitext(name)
    return (stem, extension) if len(extension.encode()) <= LONGEST_EXTENSION else (name, "")


def _cut(text: str, room: int) -> str:
    return text.encode()[:room].decode(errors="ignore")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())
