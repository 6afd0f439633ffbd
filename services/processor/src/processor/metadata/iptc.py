"""What agencies and their programs wrote about a photo in IPTC's older form, records of bytes."""

from collections.abc import Iterator

from processor.metadata.dates import date
from processor.metadata.keywords import several
from processor.metadata.record import Moment, Said
from processor.metadata.text import TEXT_BYTES, caption, cleaned, decoded, line_of, short

PHOTOSHOP, RESOURCE, OURS = b"Photoshop 3.0\0", b"8BIM", 0x0404
MARK, EXTENDED = 0x1C, 0x8000
MOST = 5000
LARGEST = 4 << 20
CHARSET, TITLE, KEYWORD, DAY, TIME, CAPTION = (1, 90), (2, 5), (2, 25), (2, 55), (2, 60), (2, 120)
UTF_8 = b"\x1b%G"

Records = dict[tuple[int, int], list[bytes]]


def read(block: bytes) -> tuple[Said, list[str]]:
    """All that the records say and that can be true, and notes; never fails."""
    notes: list[str] = []
    records = _records(_ours(block))
    return Said(
        moments=tuple(_moments(records, notes)),
        title=next((line_of(word) for word in _texts(records, TITLE)), None),
        description=next((caption(word) for word in _texts(records, CAPTION)), None),
        keywords=several(short(word) for word in _texts(records, KEYWORD)),
    ), notes


def _ours(block: bytes) -> bytes:
    """The records themselves, which Photoshop keeps among its other resources."""
    at = len(PHOTOSHOP) if block.startswith(PHOTOSHOP) else 0
    while block[at : at + 4] == RESOURCE:
        kind, name = int.from_bytes(block[at + 4 : at + 6], "big"), (block[at + 6 : at + 7] or b"\0")[0]
        start = at + 6 + _even(1 + name) + 4
        length = int.from_bytes(block[start - 4 : start], "big")
        if kind == OURS:
            return block[start : start + length]
        at = start + _even(length)
    return _unturned(block[at : at + LARGEST])


def _unturned(block: bytes) -> bytes:
    """The records of a TIFF that called their bytes numbers of four, which a reader may have turned round."""
    if block[:1] != bytes([MARK]) and block[3:4] == bytes([MARK]):
        return b"".join(block[start : start + 4][::-1] for start in range(0, len(block), 4))
    return block


def _even(length: int) -> int:
    return length + length % 2


def _records(block: bytes) -> Records:
    """The values of each data set, in order; what follows nonsense is nonsense too."""
    found: Records = {}
    position = 0
    for _ in range(MOST):
        head = block[position : position + 5]
        length = int.from_bytes(head[3:], "big")
        if len(head) < 5 or head[0] != MARK or length >= EXTENDED:
            break
        position += 5 + length
        found.setdefault((head[1], head[2]), []).append(block[position - length : position])
    return found


def _texts(records: Records, name: tuple[int, int]) -> Iterator[str]:
    """By the character set that is declared, or a guess."""
    is_utf_8 = UTF_8 in records.get(CHARSET, [])
    for value in records.get(name, []):
        start = value[: 4 * TEXT_BYTES]
        yield start.decode("utf-8", "replace") if is_utf_8 else decoded(start)


def _moments(records: Records, notes: list[str]) -> Iterator[Moment]:
    """When the picture was made, if it says so: a day, and perhaps a time of the day."""
    day, time = (next(_texts(records, name), "").strip("\0 ") for name in (DAY, TIME))
    if day.strip("0"):
        try:
            clock = f"T{time[:2]}:{time[2:4]}:{time[4:]}" if time else ""
            at, offset = date(f"{day[:4]}-{day[4:6]}-{day[6:]}{clock}")
        except ValueError as error:
            notes.append(f"IPTC DateCreated was not readable: {cleaned(str(error))[:200]}")
        else:
            # The standard asks for an offset: programs that know none write +0000.
            yield Moment(at=at, source="IPTC", offset_minutes=offset or None, offset_source="IPTC" if offset else None)
