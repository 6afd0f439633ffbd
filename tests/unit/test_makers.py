"""What makers keep in a block of their own."""

import struct
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from PIL.ExifTags import Base

from processor import metadata
from processor.metadata import Metadata
from tests.support import media

MAKER_NOTE = 0x927C
IDENTIFIER, BURST = "0D5F0E1E-66B5-4C3B-9E3F-6D4E7B1E2A11", "F2C1A9B0-3F6B-4A53-8D6E-1E2A11223344"


def read(block: bytes) -> Metadata:
    return metadata.read(metadata.Blobs(exif=block), metadata.Told(), orientation=1)


def directory(entries: dict[int, bytes], *, order: str, start: int) -> bytes:
    """A directory of texts that lies so many bytes behind what its offsets count from."""
    place, head, texts = start + 2 + 12 * len(entries) + 4, b"", b""
    for tag, written in entries.items():
        head += struct.pack(f"{order}HHII", tag, 2, len(written), place + len(texts))
        texts += written
    return struct.pack(f"{order}H", len(entries)) + head + bytes(4) + texts


def of_apple(entries: dict[int, bytes]) -> bytes:
    return b"Apple iOS\0\0\1MM" + directory(entries, order=">", start=14)


def of_nikon(lens: tuple[int, int, int, int]) -> bytes:
    """A block with a lens by its focal lengths and f-numbers, in tenths."""
    head = struct.pack(">HHHII", 1, 0x0084, 5, 4, 26) + bytes(4)
    rationals = b"".join(struct.pack(">II", tenths, 10) for tenths in lens)
    return b"Nikon\0\x02\x10\0\0" + b"MM\0*\0\0\0\x08" + head + rationals


def with_note(maker: str, note: bytes) -> bytes:
    return media.exif({Base.Make: maker}, {MAKER_NOTE: note})


def with_count(block: bytes, count: int, kind: int) -> bytes:
    """The block with another length and kind of its maker's note."""
    place = block.index(struct.pack(">H", MAKER_NOTE))
    return block[:place] + struct.pack(">HHI", MAKER_NOTE, kind, count) + block[place + 8 :]


def test_iphones_name_live_photos_and_bursts() -> None:
    """What a still and its video have in common, and the frames of a burst, is read up to its NUL."""
    seen = read(with_note("Apple", of_apple({0x0B: BURST.encode() + b"\0", 0x11: IDENTIFIER.encode() + b"\0"})))

    assert (seen.content_identifier, seen.burst_identifier, seen.notes) == (IDENTIFIER, BURST, ())


def test_nikons_tell_their_lens() -> None:
    """Where the standard's tag has no lens, the maker's block has."""
    seen = read(with_note("NIKON CORPORATION", of_nikon((240, 1200, 40, 40))))

    assert (seen.camera_make, seen.lens_model, seen.notes) == ("Nikon", "24-120mm f/4", ())


@pytest.mark.parametrize("kind", [3, 4, 7])
@pytest.mark.parametrize("maker", ["Canon", "NIKON CORPORATION"])
def test_an_endless_block_costs_no_time(maker: str, kind: int) -> None:
    """A block that says it has four billion values is none, and the photo has all the rest."""
    block = with_count(with_note(maker, b"x" * 900), 0xFFFFFFF0, kind)
    begun = time.process_time()

    seen = read(block)

    assert time.process_time() - begun < 1
    assert (seen.camera_make, seen.lens_model) == (maker.split(maxsplit=1)[0].title(), None)
    assert seen.notes


def test_a_block_of_many_long_entries_costs_no_time() -> None:
    """Neither does one whose every entry is as long as the block."""
    many = 15_000
    entries = b"".join(struct.pack(">HHII", tag, 2, 60_000, 0) for tag in range(1, many))
    note = struct.pack(">H", many - 1) + entries + bytes(4)
    block = with_note("Canon", note[:60_000])
    begun = time.process_time()

    seen = read(block)

    assert time.process_time() - begun < 1
    assert seen.camera_make == "Canon"


@settings(deadline=None, max_examples=60)
@given(
    some.sampled_from(["Apple", "Canon", "NIKON CORPORATION"]),
    some.lists(some.tuples(some.integers(0, 10_000), some.integers(0, 255)), max_size=12),
)
def test_damaged_blocks_never_fail(maker: str, changes: list[tuple[int, int]]) -> None:
    """Whatever is wrong with a maker's block, reading it ends well and soon."""
    note = of_apple({0x0B: BURST.encode(), 0x11: IDENTIFIER.encode()}) if maker == "Apple" else of_nikon((1, 2, 3, 4))
    damaged = bytearray(with_note(maker, note))
    for place, value in changes:
        damaged[place % len(damaged)] = value
    begun = time.process_time()

    seen = read(bytes(damaged))

    assert time.process_time() - begun < 2
    assert "\0" not in (seen.content_identifier or "") + (seen.lens_model or "")
