"""The bytes of a ZIP archive around files stored as they are: sent in one pass, of a length that is known before.

It is written by hand because an archive's announced length has to hold when a file turns out to be missing, which no
library foresees: what was left out is made up for between the last file and the directory, where no reader looks.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

LIMIT = 0xFFFFFFFF
"""Sizes and places from here on stand in the fields of ZIP64."""
MANY = 0xFFFF
UNIX = 3 << 8
PLAIN, LARGE = 20, 45  # the version of the format that a reader needs
SENT_AFTER, UTF8 = 0x08, 0x800
A_FILE = 0o100644 << 16
FIRST_YEAR, LAST_YEAR = 1980, 2107

LOCAL = struct.Struct("<4s5H3L2H")
AFTER, AFTER_LARGE = struct.Struct("<4s3L"), struct.Struct("<4sL2Q")
RECORD = struct.Struct("<4s6H3L5H2L")
END_LARGE, LOCATOR, END = struct.Struct("<4sQ2H2L4Q"), struct.Struct("<4sLQL"), struct.Struct("<4s4H2LH")


class Entry(NamedTuple):
    """A file to come, under a name that no other one has; `at` is the time on the wall where it was taken."""

    name: str
    size: int
    at: datetime

    @property
    def is_large(self) -> bool:
        """Whether its size needs the fields of ZIP64."""
        return self.size >= LIMIT


@dataclass
class Archive:
    """An archive that is being sent: as long as it was announced, whatever is left out of it."""

    length: int
    is_large: bool
    _position: int = 0
    _started: int = 0
    _count: int = 0
    _directory: bytearray = field(default_factory=bytearray)

    def begin(self, entry: Entry) -> bytes:
        """What goes before a file."""
        self._started = self._position
        header = _local(entry)
        self._position += len(header) + entry.size
        return header

    def end(self, entry: Entry, crc: int) -> bytes:
        """What goes after a file, whose CRC-32 is known only now."""
        after = (AFTER_LARGE if entry.is_large else AFTER).pack(b"PK\x07\x08", crc, entry.size, entry.size)
        self._position += len(after)
        self._directory += _record(entry, crc, self._started)
        self._count += 1
        return after

    @property
    def missing(self) -> int:
        """How many bytes were announced and are neither sent nor to come in the directory."""
        return self.length - self._position - len(self._directory) - _end_length(is_large=self.is_large)

    def has_room(self, entry: Entry) -> bool:
        """Whether one more file fits in place of those that were left out."""
        return _span(entry) + len(_record(entry, 0, self._position)) <= self.missing

    def close(self) -> bytes:
        """The directory, which is sent last, after as many bytes of nothing as are missing."""
        offset, size, count = self._position + self.missing, len(self._directory), self._count
        end = END.pack(b"PK\x05\x06", 0, 0, min(count, MANY), min(count, MANY), min(size, LIMIT), min(offset, LIMIT), 0)
        if not self.is_large:
            return bytes(self._directory) + end
        large = END_LARGE.pack(
            *(b"PK\x06\x06", END_LARGE.size - 12, UNIX | LARGE, LARGE, 0, 0, count, count, size, offset)
        )
        return bytes(self._directory) + large + LOCATOR.pack(b"PK\x06\x07", 0, offset + size, 1) + end


def plan(entries: Iterable[Entry]) -> Archive:
    """The archive of these files, about to be sent."""
    position = directory = count = 0
    for entry in entries:
        directory += len(_record(entry, 0, position))
        position += _span(entry)
        count += 1
    is_large = count >= MANY or position + directory >= LIMIT
    return Archive(position + directory + _end_length(is_large=is_large), is_large)


def _local(entry: Entry) -> bytes:
    """Sizes of zero: they follow the file, and with the fields of ZIP64 they follow it as long numbers."""
    name, extra = entry.name.encode(), struct.pack("<2H2Q", 1, 16, 0, 0) if entry.is_large else b""
    needs, size = (LARGE, LIMIT) if entry.is_large else (PLAIN, 0)
    head = LOCAL.pack(
        *(b"PK\x03\x04", needs, SENT_AFTER | UTF8, 0, *_dos(entry.at), 0, size, size, len(name), len(extra))
    )
    return head + name + extra


def _record(entry: Entry, crc: int, offset: int) -> bytes:
    """What the directory says of a file."""
    name, size = entry.name.encode(), min(entry.size, LIMIT)
    long = ([entry.size] * 2 if entry.is_large else []) + ([offset] if offset >= LIMIT else [])
    extra = struct.pack(f"<2H{len(long)}Q", 1, 8 * len(long), *long) if long else b""
    needs, flags = LARGE if long else PLAIN, SENT_AFTER | UTF8
    head = RECORD.pack(
        *(b"PK\x01\x02", UNIX | LARGE, needs, flags, 0, *_dos(entry.at), crc, size, size),
        *(len(name), len(extra), 0, 0, 0, A_FILE, min(offset, LIMIT)),
    )
    return head + name + extra


def _span(entry: Entry) -> int:
    return len(_local(entry)) + entry.size + (AFTER_LARGE if entry.is_large else AFTER).size


def _end_length(*, is_large: bool) -> int:
    return END.size + (END_LARGE.size + LOCATOR.size if is_large else 0)


def _dos(at: datetime) -> tuple[int, int]:
    """A time and a date in the only form there is: two-second steps, and from 1980 to 2107."""
    year = min(max(at.year, FIRST_YEAR), LAST_YEAR)
    return at.hour << 11 | at.minute << 5 | at.second // 2, (year - FIRST_YEAR) << 9 | at.month << 5 | at.day
