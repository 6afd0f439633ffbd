"""What Picasa kept of a folder's photos in its `.picasa.ini`: stars, captions, keywords and faces."""

import re
import unicodedata
from collections.abc import Iterator

from processor.metadata import regions
from processor.metadata.keywords import several
from processor.metadata.record import Face, Said
from processor.metadata.text import caption, decoded, short

LARGEST = 1 << 20
MOST_STARS = 5
PEOPLE = ("contacts", "contacts2")
"""The sections that name people, the one that is believed last."""
FACE = re.compile(r"rect64\(([0-9a-f]{1,16})\),([0-9a-f]{1,16})", re.IGNORECASE | re.ASCII)
ACCOUNT = re.compile(r"\w*_lh,\w*", re.ASCII)
"""What stands in place of a name where somebody had logged in."""

Section = dict[str, str]


def read(content: bytes, *file_names: str) -> tuple[Said, list[str]]:
    """What the file says of a photo that has one of these names; never fails."""
    if len(content) > LARGEST:
        return Said(), ["Picasa's file was not readable: it is larger than 1 MB"]
    wanted = [_folded(name) for name in file_names if name]
    sections = _sections(content, {*wanted, *PEOPLE})
    ours = next((sections[name] for name in wanted if name in sections), {})
    people = {number: name for section in PEOPLE for number, name in sections.get(section, {}).items()}
    return Said(
        description=caption(ours.get("caption", "")),
        keywords=several(short(word) for word in ours.get("keywords", "").split(",")),
        rating=MOST_STARS if ours.get("star", "").lower() == "yes" else None,
        faces=tuple(_faces(ours.get("faces", ""), people))[: regions.MOST_FACES],
    ), []


def _sections(content: bytes, wanted: set[str]) -> dict[str, Section]:
    """Those sections that are wanted, their keys in small letters."""
    found: dict[str, Section] = {}
    section: Section = {}
    for line in decoded(content.removeprefix(b"\xef\xbb\xbf")).splitlines():
        written = line.strip()
        if written.startswith("[") and written.endswith("]"):
            name = _folded(written[1:-1])
            section = found.setdefault(name, {}) if name in wanted else {}
        else:
            key, _, value = written.partition("=")
            section[key.strip().lower()] = value.strip()
    return found


def _folded(name: str) -> str:
    """A file's name as two file systems can agree on it."""
    return unicodedata.normalize("NFC", name).casefold()


def _faces(written: str, people: Section) -> Iterator[Face]:
    """Left, top, right and bottom, each in four digits of sixteen, and whose face it is."""
    for sides, person in FACE.findall(written):
        left, top, right, bottom = (int(sides.zfill(16)[start : start + 4], 16) / 0xFFFF for start in range(0, 16, 4))
        named = people.get(person.lower(), "")
        name = None if ACCOUNT.fullmatch(named) else short(named.partition(";")[0])
        found = regions.face(name, left, top, right - left, bottom - top)
        if found is not None:
            yield found
