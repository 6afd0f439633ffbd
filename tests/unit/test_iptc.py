"""What is believed of IPTC's records."""

import time
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from processor.metadata import Said, iptc
from tests.support.words import in_photoshop, records

Block = dict[tuple[int, int], bytes | list[bytes]]

UTF_8 = {(1, 90): b"\x1b%G"}
ROWS: list[tuple[Block, dict[str, Any]]] = [
    ({(2, 5): b"Sea"}, {"title": "Sea"}),
    ({**UTF_8, (2, 5): "Am „Meer“ 🌊".encode()}, {"title": "Am „Meer“ 🌊"}),
    ({(2, 5): "東京".encode()}, {"title": "東京"}),
    ({(2, 5): "Am „Meer“ für 5 €".encode("cp1252")}, {"title": "Am „Meer“ für 5 €"}),
    ({**UTF_8, (2, 5): b"M\xfcnchen"}, {"title": "M\ufffdnchen"}),
    ({(2, 120): b"two\rlines\0"}, {"description": "two\nlines"}),
    ({(2, 120): b"two\r\nlines"}, {"description": "two\nlines"}),
    ({(2, 120): b"SONY DSC"}, {}),
    ({(2, 25): [b"sea", b"Paris", b"", b"sea"]}, {"keywords": ("sea", "Paris")}),
]


@pytest.mark.parametrize(("block", "expected"), ROWS)
def test_what_agencies_write(block: Block, expected: dict[str, Any]) -> None:
    """Records are read raw and among Photoshop's resources, in their character set or a likely one."""
    written = records(block)

    assert iptc.read(written) == iptc.read(in_photoshop(written)) == (Said(**expected), [])


def test_bytes_that_were_taken_for_numbers() -> None:
    """A TIFF may hold its records in the other order, four bytes at a time."""
    written = records({(2, 5): b"Seas", (2, 25): b"sea"}) + b"\0\0"

    turned = b"".join(written[start : start + 4][::-1] for start in range(0, len(written), 4))

    assert iptc.read(turned) == (Said(title="Seas", keywords=("sea",)), [])


@pytest.mark.parametrize(
    ("day", "time", "at", "minutes"),
    [
        (b"20240517", b"120000+0200", "2024-05-17T12:00:00", 120),
        (b"20240517", b"120000-0500", "2024-05-17T12:00:00", -300),
        (b"20240517", b"120000+0000", "2024-05-17T12:00:00", None),
        (b"20240517", b"120000", "2024-05-17T12:00:00", None),
        (b"20240517", b"", "2024-05-17T00:00:00", None),
        (b"20240500", b"", "2024-05-01T00:00:00", None),
        (b"19850000", b"", "1985-01-01T00:00:00", None),
    ],
)
def test_dates(day: bytes, time: bytes, at: str, minutes: int | None) -> None:
    """A date may lack its parts and its time; its offset is believed unless it is the one of those who know none."""
    seen, notes = iptc.read(records({(2, 55): day, (2, 60): time}))

    (moment,) = seen.moments
    assert (moment.at, moment.offset_minutes, notes) == (datetime.fromisoformat(at), minutes, [])


@pytest.mark.parametrize("day", [b"20241301", b"2024", b"17.05.24", b"99990101"])
def test_nonsense_is_noted(day: bytes) -> None:
    """A date that cannot be is noted, and the words beside it are read all the same."""
    seen, notes = iptc.read(records({(2, 5): b"Sea", (2, 55): day}))

    assert (seen, len(notes)) == (Said(title="Sea"), 1)


def test_no_date_is_no_nonsense() -> None:
    """Zeros are how nothing is written."""
    assert iptc.read(records({(2, 55): b"00000000", (2, 60): b"000000+0000"})) == (Said(), [])


def test_more_than_anybody_would_write() -> None:
    """Keywords have bounds."""
    many = iptc.read(records({(2, 25): [b"x" * 5000, *(b"word %d" % number for number in range(9000))]}))[0]

    assert (len(many.keywords), len(many.keywords[0])) == (1000, 200)


DATED: Block = {(2, 55): b"20240517", (2, 60): b"120000"}
WHOLE = in_photoshop(records({**UTF_8, (2, 5): b"Sea", (2, 25): [b"a", b"b"], **DATED}))


@given(some.lists(some.tuples(some.integers(0, len(WHOLE) - 1), some.integers(0, 255)), max_size=8))
def test_damage_never_fails(changes: list[tuple[int, int]]) -> None:
    """Whatever bytes are wrong, reading them ends well."""
    damaged = bytearray(WHOLE)
    for where, value in changes:
        damaged[where] = value

    seen, _ = iptc.read(bytes(damaged))

    assert not any("\0" in word or "\ud800" <= word < "\ue000" for word in (seen.title or "", *seen.keywords))


STARTS = [b"", b"8BIM", b"Photoshop 3.0\0", b"8BIM\x04\x04\0\0", b"\x1c\x02\x05"]


@given(some.binary(max_size=200), some.sampled_from(STARTS))
def test_anything_can_be_read(content: bytes, start: bytes) -> None:
    """No bytes at all make the reader fail."""
    iptc.read(start + content)


def test_a_block_of_nothing_but_resources() -> None:
    """However many resources Photoshop says it has, they are walked once."""
    block = iptc.PHOTOSHOP + (iptc.RESOURCE + b"\3\xed" + bytes(6)) * (1 << 18)
    started = time.process_time()

    assert iptc.read(block) == (Said(), [])

    assert time.process_time() - started < 2
