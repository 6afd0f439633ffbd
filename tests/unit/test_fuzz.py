"""Nothing that a stranger writes makes a reader fail, and whatever is believed can be kept."""

import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from common import formats, sniff, tracks
from processor import atoms, metadata
from processor.metadata import Metadata, containers, where
from processor.metadata.exif import YEARS
from tests.support import films, media, motions, raws, recordings, words

EACH = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
SECTIONS = "[photo.jpg]\ncaption=Am Meer\nstar=yes\nkeywords=sea,Paris\nfaces=rect64(3f845bcb59418507),d1\n"
MOST_SAID = 256 << 10

EXIF = media.everything()
XMP = words.packet(
    words.bag("dc:subject", "sea", "Paris"),
    words.translated("dc:title", default="Am Meer"),
    words.regions(words.region("Zoë", 0.5, 0.5, 0.1, 0.1)),
    exif__DateTimeOriginal="2024-05-17T12:00:00.25+02:00",
    exif__GPSLatitude="48,51.5N",
    exif__GPSLongitude="2,17.66667E",
    exif__FNumber="28/10",
    exif__ExposureTime="1/250",
    xmp__Rating="3",
)
IPTC = words.records({(1, 90): b"\x1b%G", (2, 5): b"Sea", (2, 25): [b"sea"], (2, 55): b"20240517", (2, 60): b"120000"})
PICASA = f"{SECTIONS}[contacts2]\nd1=Zoë;;\n".encode()


def heads() -> list[bytes]:
    """How a file of each format begins."""
    raw = [raws.shape("NIKON CORPORATION", b""), raws.rw2(b""), raws.raf(b""), raws.mrw(b""), raws.cr3(b""), raws.dng()]
    whole = [*(media.encoded(known.extension) for known in formats.STILLS), *raw, motions.avif()]
    return [content[: sniff.HEAD_BYTES] for content in (*whole, *MOVING)]


def moving() -> list[bytes]:
    """A file of each format that has tracks."""
    codecs = {"webm": "vp9", "mpg": "mpeg2video", "wmv": "wmv2", "flv": "flv1"}
    shot = [films.film(one, codecs.get(one, "mpeg4"), seconds=0.2, channels=1) for one in films.CONTAINERS]
    return shot + [
        recordings.recording(one, seconds=0.2, channels=1, rate=8000) for one in ("amr", "opus", "flac", "mp3")
    ]


MOVING = moving()
HEADS = heads()
SAID = ["date", "creation_time", "location", "com.samsung.android.utc_offset", "handler_name", "make", "DATE_RECORDED"]
CHANGES = some.lists(some.tuples(some.floats(0, 1, exclude_max=True), some.binary(max_size=4)), max_size=8)


def changed(content: bytes, changes: list[tuple[float, bytes]]) -> bytes:
    """The content with these bytes in these places, most of which are near its start."""
    written = bytearray(content)
    for place, value in changes:
        at = int(place**2 * len(written))
        written[at : at + len(value)] = value
    return bytes(written)


@given(some.binary(max_size=200))
@EACH
def test_anything_is_a_format_of_ours_or_nothing(content: bytes) -> None:
    """No first bytes make the sniffer fail, alone or behind a signature."""
    assert sniff.sniff(content) in {*formats.FORMATS, None}
    for head in HEADS:
        assert sniff.sniff(head[:16] + content) in {*formats.FORMATS, None}


@given(some.sampled_from(HEADS), CHANGES, some.integers(0, sniff.HEAD_BYTES))
@EACH
def test_a_changed_head_is_a_format_of_ours_or_nothing(
    head: bytes, changes: list[tuple[float, bytes]], length: int
) -> None:
    """A head with other bytes in it, cut anywhere, is no trouble."""
    assert sniff.sniff(changed(head, changes)[:length]) in {*formats.FORMATS, None}


@given(some.sampled_from(MOVING), CHANGES, some.floats(0, 1))
@EACH
def test_a_changed_container_settles(whole: bytes, changes: list[tuple[float, bytes]], share: float) -> None:
    """The second look at a damaged or cut file ends, and makes no photo of it."""
    content = films.cut(changed(whole, changes), share)
    found = sniff.sniff(content[: sniff.HEAD_BYTES])

    settled = found and tracks.settled(found, lambda start, length: content[start : start + length], len(content))

    assert settled in {*formats.VIDEOS, *formats.AUDIOS, None} or settled is found


@given(some.sampled_from(MOVING), CHANGES, some.floats(0, 1), some.integers(-(1 << 40), 1 << 40))
@EACH
def test_a_changed_container_says_how_it_is_turned_or_nothing(
    whole: bytes, changes: list[tuple[float, bytes]], share: float, number: int
) -> None:
    """What is read of damaged boxes beside the library makes sense or is nothing."""
    content = films.cut(changed(whole, changes), share)
    found = atoms.of_track(lambda start, length: content[start : start + length], len(content), number)

    assert found.orientation in range(1, 9)
    assert len(atoms.record(lambda start, length: content[start : start + length], len(content))) <= len(content)


@given(some.dictionaries(some.text(max_size=20) | some.sampled_from(SAID), some.text(max_size=40), max_size=8))
@EACH
def test_whatever_a_container_says_can_be_kept(tags: dict[str, str]) -> None:
    """No words of a container make its reader fail."""
    said, notes = containers.read(tags | containers.of_sony("".join(tags.values()).encode(errors="replace")))

    assert all(moment.at.year in YEARS for moment in said.moments)
    assert len(notes) <= len(tags) + 2


@given(some.tuples(CHANGES, CHANGES, CHANGES, CHANGES, CHANGES), some.integers(0, 9), some.text(max_size=40))
@EACH
def test_whatever_all_sources_say_can_be_kept(changes: tuple[Any, ...], orientation: int, name: str) -> None:
    """Damaged EXIF, XMP, IPTC, sidecar and Picasa's file together: nothing fails, and what is believed is storable."""
    exif, xmp, iptc, sidecar, picasa = changes
    told = metadata.Told(file_name=name, stored_name="photo.jpg", beside=("xmp", "picasa"))
    beside = [io.BytesIO(changed(XMP, sidecar)), io.BytesIO(changed(PICASA, picasa))]
    blobs = metadata.Blobs(exif=changed(EXIF, exif), xmp=changed(XMP, xmp), iptc=changed(IPTC, iptc))

    assert_storable(where.located(metadata.read(blobs, told, orientation=orientation, beside=beside)))


@given(some.binary(max_size=300), some.sampled_from([b"", b"Exif\0\0II*\0\x08\0\0\0", b"<x:xmpmeta>", b"8BIM\4\4\0\0"]))
@EACH
def test_anything_at_all_can_be_kept(content: bytes, start: bytes) -> None:
    """The same bytes as every source at once."""
    whole = start + content
    told = metadata.Told(file_name="a.jpg", stored_name="photo.jpg", beside=("xmp", "picasa"))
    beside = [io.BytesIO(whole), io.BytesIO(b"[photo.jpg]\nfaces=" + whole + b"\ncaption=" + whole)]

    assert_storable(
        metadata.read(metadata.Blobs(exif=whole, xmp=whole, iptc=whole), told, orientation=1, beside=beside)
    )


@given(
    some.floats(allow_nan=False, allow_infinity=False),
    some.floats(allow_nan=False, allow_infinity=False),
    some.none() | some.datetimes(datetime(1826, 1, 1), datetime(2100, 12, 31)),  # noqa: DTZ001 - the wall's clock
    some.sampled_from(["DateTimeOriginal", "GPSDateTime", "FileModifyDate", "FileName"]),
    some.none() | some.integers(-840, 840),
)
@EACH
def test_every_position_can_be_located(
    latitude: float, longitude: float, at: datetime | None, source: str, minutes: int | None
) -> None:
    """No position, even off the globe, and no moment make the search for the place fail."""
    seen = Metadata(
        gps_latitude=latitude,
        gps_longitude=longitude,
        taken_at=at,
        taken_from=source,
        offset_minutes=minutes,
        offset_from=None if minutes is None else source,
    )

    found = where.located(seen)

    assert found.offset_minutes is None or abs(found.offset_minutes) <= 24 * 60


def assert_storable(seen: Metadata) -> None:
    """What Postgres takes as text and JSON, of a decent length, every number in its range."""
    told = msgspec.to_builtins(seen)
    assert not [text for text in strings(told) if "\0" in text or any("\ud800" <= one <= "\udfff" for one in text)]
    assert len(msgspec.json.encode(seen)) < MOST_SAID
    assert seen.taken_at is None or seen.taken_at.year in YEARS
    assert seen.offset_minutes is None or abs(seen.offset_minutes) <= 14 * 60
    ranges = {
        "gps_latitude": (-90, 90),
        "gps_longitude": (-180, 180),
        "altitude": (-100_000, 100_000),
        "f_number": (0.1, 1000),
        "iso_speed": (1, 1e7),
        "focal_length": (0.1, 1e5),
        "exposure": (-100, 100),
        "rating": (0, 5),
        "motion_length": (1, 1 << 40),
    }
    assert all(low <= told[name] <= high for name, (low, high) in ranges.items() if told[name] is not None)
    assert all(0 <= side <= 1 for face in seen.faces for side in (face.left, face.top, face.width, face.height))


def strings(value: Any) -> Iterator[str]:
    """Every text in plain values."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from strings([*value, *value.values()])
    elif isinstance(value, list | tuple):
        for one in value:
            yield from strings(one)
