"""The tags of recordings: whoever wrote them, the same words come out; what makes no sense is noted."""

import struct
import zlib
from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from processor import audios, tags, waveforms
from processor.audios import Audio
from processor.metadata import recordings
from processor.metadata.recordings import Music
from processor.waveforms import BLOCK, Peaks
from tests.support import hostile
from tests.support.recordings import recording
from tests.support.tagging import cover, tagged

TYPES = {
    **dict.fromkeys(("mp3", "mp3 2.3", "mp3 v1", "mp3 ape"), "audio/mpeg"),
    "aac": "audio/aac",
    "flac": "audio/flac",
    **dict.fromkeys(("vorbis", "opus"), "audio/ogg"),
    **dict.fromkeys(("m4a", "alac"), "audio/mp4"),
    "wav": "audio/wav",
    "aiff": "audio/aiff",
    "wma": "audio/x-ms-wma",
}
BEES = Music(
    artist="Ann",
    album="Hive",
    album_artist="Everybody",
    composer="Bert",
    genre="Folk",
    year=2019,
    track=3,
    track_count=12,
    disc=1,
    disc_count=2,
)
IN_V1 = {"artist": "Ann", "album": "Hive", "genre": "Folk", "year": 2019, "track": 3}


def sound(kind: str) -> bytes:
    return recording(kind.partition(" ")[0], seconds=0.3, channels=1)


def seen(path: Path, content: bytes, mime: str) -> Audio:
    path.write_bytes(content)
    with path.open("rb") as file:
        return audios.render(file, mime)


@pytest.mark.parametrize(("kind", "mime"), TYPES.items())
def test_tags_come_out_as_they_were_written(tmp_path: Path, kind: str, mime: str) -> None:
    """Of every format the same; ID3v1 has room for some of them."""
    audio = seen(tmp_path / "sound", tagged(kind, sound(kind)), mime)

    assert audio.music == (Music(**IN_V1) if kind == "mp3 v1" else BEES)  # type: ignore[arg-type]
    assert (audio.metadata.title, audio.metadata.description) == ("Bees", None if kind == "mp3 v1" else "In May")
    assert (audio.metadata.notes, audio.metadata.taken_at, audio.trouble) == ((), None, None)


@pytest.mark.parametrize(("kind", "mime"), [one for one in TYPES.items() if one[0] != "mp3 v1"])
def test_the_cover_is_shown(tmp_path: Path, kind: str, mime: str) -> None:
    """Three thumbnails in its colour, and its fingerprints."""
    audio = seen(tmp_path / "sound", tagged(kind, sound(kind), ((3, cover("red")),)), mime)

    assert sorted(audio.thumbnails) == ["large", "medium", "small"]
    assert colour_of(audio) == "red"
    assert audio.thumbhash
    assert audio.phash is not None
    assert audio.metadata.notes == ()


def colour_of(audio: Audio) -> str:
    red, _, blue = Image.open(BytesIO(audio.thumbnails["large"].data)).convert("RGB").resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
    return "red" if red > blue else "blue"


def test_the_front_is_shown_before_larger_pictures(tmp_path: Path) -> None:
    """And the largest where none says that it is the front."""
    small, large = cover("red", 32), cover("blue", 512)

    front = seen(tmp_path / "sound", tagged("flac", sound("flac"), ((4, large), (3, small))), "audio/flac")
    others = seen(tmp_path / "sound", tagged("flac", sound("flac"), ((5, small), (4, large))), "audio/flac")

    assert (colour_of(front), colour_of(others)) == ("red", "blue")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
def test_covers_of_every_format_are_shown(tmp_path: Path, kind: str) -> None:
    """Whatever type the tag declares, its first bytes decide."""
    audio = seen(tmp_path / "sound", tagged("mp3", sound("mp3"), ((3, cover("red", kind=kind)),)), "audio/mpeg")

    assert colour_of(audio) == "red"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (hostile.png(30_000, depth=1), "megapixels"),
        (cover("red")[:60], "damaged"),
        (b"%PDF-1.7 nothing", "nobody knows what it is"),
        (b"II*\0\x08\0\0\0" + bytes(64), "TIFF"),
    ],
)
def test_a_cover_that_cannot_be_shown_is_noted(tmp_path: Path, data: bytes, reason: str) -> None:
    """The recording has its words and its waveform all the same, and the next cover is shown."""
    alone = seen(tmp_path / "sound", tagged("mp3", sound("mp3"), ((3, data),)), "audio/mpeg")
    beside = seen(tmp_path / "sound", tagged("mp3", sound("mp3"), ((3, data), (4, cover("blue")))), "audio/mpeg")

    assert (alone.thumbnails, alone.trouble, alone.music) == ({}, None, BEES)
    assert any(reason in note for note in alone.metadata.notes)
    assert alone.waveform is not None
    assert colour_of(beside) == "blue"


def id3_of(*bodies: bytes, flags: bytes = b"\0\0", name: bytes = b"TXXX", size: int | None = None) -> bytes:
    """An ID3 tag of these frames; it may lie about its size."""
    content = b"".join(name + synchsafe(len(body)) + flags + body for body in bodies)
    return b"ID3\4\0\0" + synchsafe(len(content) if size is None else size) + content


def synchsafe(value: int) -> bytes:
    return bytes((value >> shift) & 127 for shift in (21, 14, 7, 0))


HOSTILE: dict[str, Callable[[], bytes]] = {
    "thousands": lambda: id3_of(*(b"\3" + b"%d\0x" % number for number in range(10_000))),
    "packed": lambda: id3_of(synchsafe(50 << 20) + zlib.compress(bytes(50 << 20), 9), flags=b"\0\t"),
    "thousands beside a large one": lambda: id3_of(
        *(b"\3" + b"%d\0x" % number for number in range(10_000)), bytes(20 << 20)
    ),
    "nonsense": lambda: id3_of(bytes(range(256)) * 4, name=b"TIT2") + id3_of(b"\xff\xff\xff", name=b"APIC"),
    "no text": lambda: id3_of(b"", name=b"TIT2"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_tags_do_not_hurt_the_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The recording is heard whatever stands before it."""
    monkeypatch.setattr(tags, "MOST_SECONDS", 0.3)

    audio = seen(tmp_path / "sound", HOSTILE[name]() + sound("mp3"), "audio/mpeg")

    assert (audio.trouble, audio.codec, audio.sample_rate) == (None, "mp3", 48_000)
    assert audio.waveform is not None


def test_tags_of_more_than_64_mb_are_not_read(tmp_path: Path) -> None:
    """They leave a note, and the sound behind them is heard."""
    content = id3_of(size=65 << 20) + bytes(65 << 20) + sound("mp3")

    audio = seen(tmp_path / "sound", content, "audio/mpeg")

    assert audio.metadata.notes == ("tags of more than 64 MB were not read",)
    assert audio.waveform is not None


def test_strangers_words_are_cleaned_and_short(tmp_path: Path) -> None:
    """No control or bidirectional characters, names of 200 characters, a description of 4 KB."""
    words = {"artist": "A\u202en\x07n" + "x" * 10_000, "title": "B\nees", "comment": "long " * 10_000}

    audio = seen(tmp_path / "sound", tagged("flac", sound("flac"), words=words), "audio/flac")

    assert audio.music.artist == "Ann" + "x" * 197
    assert audio.metadata.title == "B ees"
    assert len((audio.metadata.description or "").encode()) <= 4096


@pytest.mark.parametrize(
    ("words", "moment"),
    [
        ({"date": "2024"}, None),
        ({"date": "2024-05"}, None),
        ({"date": "2024-05-17"}, ("2024-05-17T00:00:00", None)),
        ({"date": "2024-05-17T18:03:11"}, ("2024-05-17T18:03:11", None)),
        ({"date": "2024-05-17 18:03:11+02:00"}, ("2024-05-17T18:03:11", 120)),
        ({"date": "2024-05-17", "album": "Hive"}, None),
        ({"date": "2009-09-09T07:00:00Z", "album": "Hive"}, None),
        ({"date": "2024-05-17T18:03:11", "album": "Hive"}, ("2024-05-17T18:03:11", None)),
        ({"date": "2024-05-17", "creation_time": "18:03:11"}, ("2024-05-17T18:03:11", None)),
        ({"date": "2024:05:17", "creation_time": "18-03-11"}, ("2024-05-17T18:03:11", None)),
        ({"date": "0000-00-00"}, None),
        ({"date": "2024-13-40"}, None),
        ({"date": "yesterday"}, None),
    ],
)
def test_when_it_was_recorded(words: dict[str, str], moment: tuple[Any, ...] | None) -> None:
    """A full date is; a year is not, nor is the day on which an album was published."""
    said, _, _ = recordings.read([words])

    assert [(one.at.isoformat(), one.offset_minutes) for one in said.moments] == ([moment] if moment else [])


@pytest.mark.parametrize(
    ("written", "counted"),
    [
        ("3", (3, None)),
        ("3/12", (3, 12)),
        ("03 / 12", (3, 12)),
        ("0/0", (None, None)),
        ("A1", (None, None)),
        ("99999", (None, None)),
    ],
)
def test_the_number_of_a_track(written: str, counted: tuple[int | None, int | None]) -> None:
    """With how many there are, where that is said."""
    _, music, notes = recordings.read([{"track": written}])

    assert (music.track, music.track_count) == counted
    assert bool(notes) == (written in {"A1", "99999"})


def broadcast(content: bytes) -> bytes:
    """The WAV with what a broadcaster's recorder writes into it."""
    fields = [(b"Interview", 256), (b"Zoom F3", 32), (b"", 32), (b"2024-05-17", 10), (b"18:03:11", 8)]
    block = b"".join(text.ljust(length, b"\0") for text, length in fields) + bytes(8 + 2 + 64 + 190)
    chunk = b"bext" + struct.pack("<I", len(block)) + block
    return b"RIFF" + struct.pack("<I", len(content) - 8 + len(chunk)) + content[8:12] + chunk + content[12:]


def test_a_recorder_says_when_it_recorded(tmp_path: Path) -> None:
    """A broadcast WAV has the clock on the wall; a phone's M4A that of Greenwich, and where it was."""
    wav = seen(tmp_path / "sound", broadcast(sound("wav")), "audio/wav").metadata
    memo = recording("m4a", tags={"creation_time": "2024-05-17T16:03:11Z", "location": "+52.4597+013.3220/"})
    phone = seen(tmp_path / "sound", memo, "audio/mp4").metadata

    assert (wav.taken_at, wav.taken_from, wav.description) == (datetime(2024, 5, 17, 18, 3, 11), "date", "Interview")  # noqa: DTZ001 - by the clock on the wall
    assert (phone.taken_at, phone.taken_from) == (datetime(2024, 5, 17, 16, 3, 11), "creation_time")  # noqa: DTZ001


def test_a_wav_may_lie_about_its_length(tmp_path: Path) -> None:
    """What is there counts: recorders that lost their power write no sizes."""
    content = bytearray(recording("wav", seconds=1))
    content[4:8] = b"\xff\xff\xff\xff"
    at = bytes(content).index(b"data") + 4
    content[at : at + 4] = b"\xf0\xff\xff\x7f"

    assert seen(tmp_path / "sound", bytes(content), "audio/wav").duration == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("kind", ["mp3", "flac", "vorbis", "opus", "aac", "wav", "aiff"])
def test_half_a_file_is_half_heard(tmp_path: Path, kind: str) -> None:
    """Whatever ended too early is as long as what is left of it."""
    content = recording(kind, seconds=6)

    audio = seen(tmp_path / "sound", content[: len(content) // 2], TYPES[kind])

    assert audio.duration is not None
    assert 1 < audio.duration < 4
    assert audio.waveform is not None


@pytest.mark.parametrize("kind", ["mp3", "flac", "aac"])
def test_damage_in_the_middle_is_passed_over(tmp_path: Path, kind: str) -> None:
    """What stands before and after it is heard."""
    content = bytearray(recording(kind))
    middle = len(content) // 2
    content[middle : middle + 600] = np.random.default_rng(1).bytes(600)

    audio = seen(tmp_path / "sound", bytes(content), TYPES[kind])

    assert audio.duration is not None
    assert 1.6 < audio.duration < 2.2
    assert audio.trouble is None


def test_streams_in_a_row_are_one_recording(tmp_path: Path) -> None:
    """Radio stations chain Ogg streams, one for every song."""
    content = recording("vorbis") + recording("vorbis", seconds=1)

    assert seen(tmp_path / "sound", content, "audio/ogg").duration == pytest.approx(3, abs=0.1)


def test_a_recording_without_a_sample_is_in_trouble(tmp_path: Path) -> None:
    """Its stage fails with a sentence, and what its header says is kept."""
    audio = seen(tmp_path / "sound", recording("wav", seconds=0), "audio/wav")

    assert (audio.trouble, audio.codec, audio.waveform) == ("none of its sound can be decoded", "pcm_s16le", None)


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "i8", "f4", "f8"])
def test_samples_of_every_kind_have_the_same_peaks(dtype: str) -> None:
    """On the scale of sixteen bits; what is no number is silence."""
    shares = np.array([[-0.5, 0.0, 0.25, 0.5] * 8])
    scale = {"u1": 128, "i2": 1 << 15, "i4": 1 << 31, "i8": 1 << 63}.get(dtype, 1)
    values = (shares * scale + (128 if dtype == "u1" else 0)).astype(dtype)

    low, high = waveforms.levels(values, 16)

    assert low.tolist() == pytest.approx([-16384] * 2, abs=1)
    assert high.tolist() == pytest.approx([16384] * 2, abs=1)
    assert waveforms.scaled(np.array([np.nan, np.inf, -np.inf])).tolist() == [0, 32767, -32767]


@pytest.mark.parametrize("pieces", [1, 160, 1152, 4096, BLOCK, 3 * BLOCK + 5])
def test_peaks_do_not_depend_on_the_pieces_that_come(pieces: int) -> None:
    """Whatever a decoder gives at a time, every peak is that of its own samples."""
    length = 5000 if pieces == 1 else 300_000
    samples = np.random.default_rng(0).integers(-32768, 32767, (2, length), dtype=np.int16)
    peaks = Peaks()
    for start in range(0, length, pieces):
        peaks.add(samples[:, start : start + pieces])

    found, each = peaks.finished(), peaks.samples_per_peak

    assert found.shape[1] == -(-length // each)
    assert found[0].tolist() == [int(samples[:, at : at + each].min()) for at in range(0, length, each)]
    assert found[1].tolist() == [int(samples[:, at : at + each].max()) for at in range(0, length, each)]


def test_an_hour_takes_the_memory_of_a_minute() -> None:
    """Peaks fold: there are never more than two thousand, and each is that of its own samples."""
    peaks, second = Peaks(), np.zeros((1, 48_000), np.int16)
    for number in range(3600):
        second[0, 7] = number
        peaks.add(second)

    found = peaks.finished()

    assert 1024 <= found.shape[1] <= 2048
    assert found.shape[1] == -(-3600 * 48_000 // peaks.samples_per_peak)
    assert found[1].max() == 3599
    assert (np.diff(found[1][:-1].astype(int)) >= 0).all()


def test_a_change_of_form_in_the_middle_is_heard() -> None:
    """A broadcast may go on with other channels or other samples."""
    peaks = Peaks()
    peaks.add(np.full((2, 1000), 0.5, np.float32))
    peaks.add(np.full((1, 1000), -16384, np.int16))

    low, high = peaks.finished()

    assert (int(low[0]), int(low[-1])) == (16383, -16384)
    assert (int(high[0]), int(high[-1])) == (16383, -16384)
