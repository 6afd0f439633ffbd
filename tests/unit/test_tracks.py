"""Whether a file moves or only sounds is what its tracks say, whatever its container and its brand are."""

import struct

import pytest

from common import formats, sniff, tracks
from common.formats import Format
from tests.support import clips, films, recordings
from tests.support.boxes import box

FILMS = {
    "mp4": ("h264", formats.MP4),
    "mov": ("h264", formats.MOV),
    "3gp": ("h263", formats.THREE_GP),
    "mkv": ("h264", formats.MKV),
    "webm": ("vp9", formats.WEBM),
    "avi": ("mpeg4", formats.AVI),
    "ts": ("h264", formats.MPEG_TS),
    "m2ts": ("h264", formats.MPEG_TS),
    "mpg": ("mpeg2video", formats.MPEG_PS),
    "wmv": ("wmv2", formats.WMV),
    "flv": ("flv1", formats.FLV),
}
RECORDINGS = {
    "mp3": formats.MP3,
    "flac": formats.FLAC,
    "vorbis": formats.OGG,
    "opus": formats.OGG,
    "ogg flac": formats.OGG,
    "m4a": formats.M4A,
    "alac": formats.M4A,
    "aac": formats.AAC,
    "wav": formats.WAV,
    "wav float": formats.WAV,
    "rf64": formats.WAV,
    "aiff": formats.AIFF,
    "aifc": formats.AIFF,
    "mp4": formats.M4A,
    "3gp": formats.M4A,
    "mov": formats.M4A,
    "webm": formats.WEBA,
    "mkv": formats.MKA,
    "wma": formats.WMA,
}
PIECES = [b"\0", b"\xff", b"\x01", b"\x1a\x45\xdf\xa3\x81", b"\0\0\0\x08trak", b"\x18\x53\x80\x67\x81\xae\x81"]


def known(content: bytes) -> Format | None:
    """What a whole file is."""
    found = sniff.sniff(content[: sniff.HEAD_BYTES])
    return found and tracks.settled(found, lambda start, length: content[start : start + length], len(content))


@pytest.mark.parametrize("container", FILMS)
@pytest.mark.parametrize("channels", [0, 2])
def test_what_moves_is_a_video(container: str, channels: int) -> None:
    """A film is one with and without sound, in every container."""
    codec, wanted = FILMS[container]
    has_room = codec != "h263"

    found = known(films.film(container, codec, size=(352, 288), seconds=0.5, channels=channels if has_room else 0))

    assert found is wanted


@pytest.mark.parametrize("kind", RECORDINGS)
@pytest.mark.parametrize("tags", [{}, {"title": "An album's title " * 400}], ids=["", "tagged"])
def test_what_only_sounds_is_a_recording(kind: str, tags: dict[str, str]) -> None:
    """A recording is one in every container that videos come in too, however long its tags are."""
    assert known(recordings.recording(kind, seconds=1, tags=tags)) is RECORDINGS[kind]


def test_an_index_is_found_wherever_it_is() -> None:
    """Fast or slow to start, a file is the same; also one without a single picture."""
    assert known(films.film("mp4", seconds=0.5, starts_fast=True)) is formats.MP4
    assert known(films.film("mp4", seconds=0)) is formats.MP4


def test_a_film_without_a_brand_is_one() -> None:
    """QuickTime once began with whatever came first; there must be an index for all that."""
    film = films.film("mov", seconds=0.5)
    bare = film[struct.unpack_from(">I", film)[0] :]

    assert known(bare) is formats.MOV
    assert known(clips.edited(bare, lambda kind, inside: b"" if kind == b"moov" else box(kind, inside))) is None


@pytest.mark.parametrize("behind", [b"", b"\xff\xd8\xff\xe0" + bytes(4000), b"<html>" * 100])
def test_a_tag_with_something_else_behind_it_is_nothing(behind: bytes) -> None:
    """A tag alone makes no recording."""
    assert known(b"ID3\x04\0\0\0\0\x20\0" + bytes(4096) + behind) is None


def test_aac_and_flac_behind_a_tag() -> None:
    """A tag of the kind that MP3 files have stands before others, too."""
    tag = b"ID3\x04\0\0\0\0\x01\0" + bytes(128)

    assert known(tag + recordings.recording("aac", seconds=0.5)) is formats.AAC
    assert known(tag + recordings.recording("flac", seconds=0.5)) is formats.FLAC


@pytest.mark.parametrize("found", [formats.MP4, formats.MKV, formats.WMV, formats.MP3])
@pytest.mark.parametrize("piece", PIECES)
def test_no_file_makes_us_read_without_end(found: Format, piece: bytes) -> None:
    """Whatever the bytes are, few of them are read."""
    places = []

    def read(start: int, length: int) -> bytes:
        places.append(start)
        return (piece * (length + 1))[start % len(piece) :][:length]

    tracks.settled(found, read, 1 << 60)

    assert len(places) <= tracks.MOST_READS
