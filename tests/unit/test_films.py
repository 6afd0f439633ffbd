"""What is known and shown of videos of every codec in every sensible container."""

import errno
import os
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from common import sniff
from processor import clips as reader
from processor import probes, videos
from processor.probes import Probe
from processor.unreadable import Unreadable
from processor.videos import Video
from tests.support import clips, films, media, recordings
from tests.support.films import film

CASES = [
    *((container, codec) for container in ("mp4", "mov", "mkv") for codec in ("h264", "hevc", "mpeg4")),
    *((container, "av1") for container in ("mp4", "mkv", "webm")),
    *(("mkv", codec) for codec in ("vp9", "vp8", "mpeg2video", "mjpeg", "ffv1", "prores")),
    *(("mov", codec) for codec in ("prores", "mjpeg")),
    *(("webm", codec) for codec in ("vp9", "vp8")),
    *(("avi", codec) for codec in ("mpeg4", "mjpeg", "h264", "msmpeg4v3")),
    *((container, codec) for container in ("ts", "m2ts") for codec in ("h264", "hevc", "mpeg2video")),
    *(("mpg", codec) for codec in ("mpeg2video", "mpeg1video")),
    *(("3gp", codec) for codec in ("h263", "h264", "mpeg4")),
    *(("flv", codec) for codec in ("flv1", "h264")),
    *(("wmv", codec) for codec in ("wmv1", "wmv2")),
    *(("avi", codec) for codec in ("msmpeg4v2", "cinepak", "huffyuv")),
    ("mov", "svq1"),
]
NAMES = {media.RED: "red", media.GREEN: "green", media.BLUE: "blue", media.GREY: "grey"}
CORNERS = ["red", "green", "blue", "grey"]
CIF, SECONDS, RATE = (352, 288), 1, 25
HALF = 0.5
LAX = {"wmv": 0.11, "m2ts": 0.1, "ts": 0.1, "mpg": 0.15}
"""How far durations may be off, in seconds, where a container counts its own delays in or does not tell them."""


def saved(path: Path, content: bytes) -> tuple[Path, str]:
    path.write_bytes(content)
    known = sniff.sniff(content[: sniff.HEAD_BYTES])
    assert known is not None
    return path, known.mime_type


def rendered(path: Path, content: bytes) -> Video:
    where, mime = saved(path, content)
    with where.open("rb") as file:
        return videos.render(file, mime)


def probed(path: Path, content: bytes) -> Probe:
    where, mime = saved(path, content)
    with where.open("rb") as file:
        return probes.probe(file, mime)


def corners(video: Video) -> list[str]:
    """The colours of the large thumbnail's corners from the left above on."""
    shown = np.asarray(Image.open(BytesIO(video.thumbnails["large"].data))).astype(int)
    spots = [shown[y, x] for y in (9, -10) for x in (9, -10)]
    return [NAMES[min(NAMES, key=lambda name: float(np.abs(spot - name).sum()))] for spot in spots]


@pytest.mark.parametrize(("container", "codec"), CASES)
def test_every_codec_in_every_container(tmp_path: Path, container: str, codec: str) -> None:
    """Size, duration, rate, sound and the colours of the poster are right."""
    channels = 0 if codec == "h263" else 2

    seen = rendered(tmp_path / "film", film(container, codec, size=CIF, seconds=SECONDS, rate=RATE, channels=channels))

    assert (seen.trouble, corners(seen)) == (None, CORNERS)
    assert (seen.width, seen.height, seen.codec) == (384 if codec == "h263" else 352, 288, codec)
    assert seen.duration == pytest.approx(SECONDS, abs=LAX.get(container, 1 / RATE + 0.025))
    assert seen.frame_rate == pytest.approx(RATE, abs=0.1)
    assert (seen.is_variable_frame_rate, seen.audio_channels) == (False, channels or None)
    assert seen.bitrate


@pytest.mark.parametrize("container", ["mp4", "mov"])
@pytest.mark.parametrize(
    ("turned", "stored"), [(0, (320, 240)), (90, (240, 320)), (180, (320, 240)), (270, (240, 320))]
)
def test_turned_films(tmp_path: Path, container: str, turned: int, stored: tuple[int, int]) -> None:
    """A film is told and shown as it is held, whichever way the camera was."""
    content = film(container, turned=turned)

    seen, probe = rendered(tmp_path / "film", content), probed(tmp_path / "film", content)

    assert corners(seen) == CORNERS
    assert (seen.width, seen.height, seen.stored_width, seen.stored_height) == (320, 240, *stored)
    assert seen.rotation == turned
    assert probe.video
    assert probe.video.orientation == {0: 1, 90: 6, 180: 3, 270: 8}[turned]


@pytest.mark.parametrize(
    ("container", "codec", "size"),
    [
        ("mp4", "h264", (321, 241)),
        ("mp4", "hevc", (321, 241)),
        ("webm", "vp9", (321, 241)),
        ("avi", "mpeg4", (321, 241)),
        ("mov", "mjpeg", (321, 241)),
        ("mp4", "h264", (478, 850)),
        ("mp4", "hevc", (478, 850)),
        ("mp4", "h264", (16, 16)),
    ],
)
def test_odd_sizes(tmp_path: Path, container: str, codec: str, size: tuple[int, int]) -> None:
    """No side has to be even, and none the longer one."""
    seen = rendered(tmp_path / "film", film(container, codec, size=size))

    assert (seen.trouble, seen.width, seen.height) == (None, *size)
    assert size == (16, 16) or corners(seen) == CORNERS


@pytest.mark.parametrize("container", ["mp4", "mov", "mkv", "webm", "ts", "flv"])
def test_uneven_times_are_noticed(tmp_path: Path, container: str) -> None:
    """Pictures that come when there is something new are told from those that come by a clock."""
    content = film(container, "vp9" if container == "webm" else "h264", is_variable=True)

    seen = rendered(tmp_path / "film", content)

    assert seen.is_variable_frame_rate
    assert seen.frame_rate == pytest.approx(30, abs=1)
    assert seen.duration == pytest.approx(2, abs=0.05)


@pytest.mark.parametrize(("hdr", "word"), [("pq", "HDR10"), ("hlg", "HLG")])
@pytest.mark.parametrize(("container", "codec"), [("mp4", "hevc"), ("mp4", "av1"), ("mkv", "hevc"), ("ts", "hevc")])
def test_kinds_of_light(tmp_path: Path, container: str, codec: str, hdr: films.Hdr, word: str) -> None:
    """What a plain screen cannot show is told by its name, and its poster is not dark."""
    seen = rendered(tmp_path / "film", film(container, codec, hdr=hdr, seconds=1))

    assert (seen.hdr, seen.trouble) == (word, None)
    assert rendered(tmp_path / "film", film(container, codec, seconds=1)).hdr is None


def test_dolby_vision_is_told(tmp_path: Path) -> None:
    """By the box that says so; where nobody else can show its colours there is a note."""
    plain = film("mp4", "hevc", hdr="hlg", seconds=1)

    shown = rendered(tmp_path / "film", clips.in_dolby_vision(plain, profile=8))
    unshown = rendered(tmp_path / "film", clips.in_dolby_vision(plain, profile=5))

    assert (shown.hdr, shown.metadata.notes) == ("Dolby Vision", ())
    assert (unshown.hdr, len(unshown.metadata.notes)) == ("Dolby Vision", 1)


@pytest.mark.parametrize("channels", [0, 1, 2, 6])
def test_sound(tmp_path: Path, channels: int) -> None:
    """None, one, two or six channels are counted."""
    probe = probed(tmp_path / "film", film(channels=channels))
    seen = rendered(tmp_path / "film", film(channels=channels))

    assert (probe.audio.channels if probe.audio else 0) == channels
    assert (seen.audio_codec, seen.audio_channels) == (("aac", channels) if channels else (None, None))


def test_where_the_index_is(tmp_path: Path) -> None:
    """A film whose index comes last cannot start at once."""
    assert not probed(tmp_path / "film", film()).starts_fast
    assert probed(tmp_path / "film", film(starts_fast=True)).starts_fast


@pytest.mark.parametrize(
    ("container", "muxing"), [("webm", {"live": "1"}), ("flv", {"flvflags": "no_duration_filesize"})]
)
def test_a_duration_that_no_header_tells_is_counted(tmp_path: Path, container: str, muxing: dict[str, str]) -> None:
    """What was written while it was recorded has no end in its header."""
    codec = "vp9" if container == "webm" else "h264"

    seen = rendered(tmp_path / "film", film(container, codec, seconds=3, muxing=muxing))

    assert seen.duration == pytest.approx(3, abs=0.04)
    assert (seen.trouble, corners(seen)) == (None, CORNERS)
    assert seen.bitrate


def test_a_long_film(tmp_path: Path) -> None:
    """Twenty minutes are twenty minutes."""
    seen = rendered(tmp_path / "film", film(seconds=1200, rate=1, size=(160, 120)))

    assert (seen.duration, seen.frame_rate, seen.is_variable_frame_rate) == (1200, 1, False)


@pytest.mark.parametrize("container", films.CONTAINERS)
def test_a_dark_start_is_passed_over(tmp_path: Path, container: str) -> None:
    """Wherever a stream's clock begins, the poster is a later picture where the first is black."""
    codec = {"webm": "vp9", "mpg": "mpeg2video", "wmv": "wmv2", "flv": "flv1"}.get(container, "mpeg4")

    seen = rendered(tmp_path / "film", film(container, codec, seconds=6, rate=10, dark=1.2))

    assert (seen.trouble, corners(seen)) == (None, CORNERS)


def test_a_stream_that_starts_anywhere(tmp_path: Path) -> None:
    """What was recorded from the air starts late on its clock and before its first key frame."""
    whole = film("ts", seconds=3, dark=0.5, muxing={"output_ts_offset": "5000"}, options={"g": "15"})

    seen = rendered(tmp_path / "film", whole[188 * 12 :])

    assert (seen.trouble, corners(seen)) == (None, CORNERS)
    assert seen.duration == pytest.approx(3, abs=0.5)


@pytest.mark.parametrize(("container", "codec"), [("mp4", "h264"), ("mkv", "h264"), ("avi", "mpeg4")])
def test_no_pictures_at_all(tmp_path: Path, container: str, codec: str) -> None:
    """A film without a picture has one clear verdict."""
    try:
        seen = rendered(tmp_path / "film", film(container, codec, seconds=0))
    except Unreadable as verdict:
        reason = str(verdict)
    else:
        reason, duration = str(seen.trouble), seen.duration
        assert duration is None
    assert "none of its pictures" in reason or "no video in it" in reason or "damaged" in reason


@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
@pytest.mark.parametrize("container", films.CONTAINERS)
def test_cut_films(tmp_path: Path, container: str, share: float) -> None:
    """What is missing costs a verdict, or nothing but itself."""
    codec = {"webm": "vp9", "mpg": "mpeg2video", "wmv": "wmv2", "flv": "flv1"}.get(container, "mpeg4")
    content = films.cut(film(container, codec, channels=1), share)

    try:
        seen = rendered(tmp_path / "film", content)
    except Unreadable as verdict:
        reason = str(verdict)
    else:
        reason = seen.trouble or ""
        assert reason or share < HALF or corners(seen) == CORNERS
    assert "\n" not in reason


@pytest.mark.parametrize(
    ("container", "kept", "reason"),
    [
        ("mp4", 0.5, "the file is damaged: its index is missing"),
        ("mov", 0.5, "the file is damaged: its index is missing"),
        ("mkv", 0.001, "the file is damaged: what is in it makes no sense"),
    ],
)
def test_damage_is_told_in_words_for_people(tmp_path: Path, container: str, kept: float, reason: str) -> None:
    """They are those of the version for browsers, whatever the library calls it."""
    with pytest.raises(Unreadable) as verdict:
        rendered(tmp_path / "film", films.cut(film(container, "mpeg4"), kept))

    assert str(verdict.value) == reason


def test_theora_in_ogg(tmp_path: Path) -> None:
    """Ogg is a video where pictures begin in it."""
    arguments = ("-c:v", "libtheora", "-q:v", "8", "-c:a", "libvorbis", "-f", "ogg")
    content = recordings.converted(film("mkv", channels=2), *arguments)

    seen = rendered(tmp_path / "film", content)

    assert (seen.codec, seen.audio_codec, seen.trouble, corners(seen)) == ("theora", "vorbis", None, CORNERS)
    assert seen.duration == pytest.approx(2, abs=0.05)


def test_a_recording_has_no_moving_picture(tmp_path: Path) -> None:
    """Sound in the container of a video is refused as a video in a sentence."""
    with pytest.raises(Unreadable, match="no video in it"):
        rendered(tmp_path / "film", recordings.recording("mp4"))


@pytest.mark.parametrize("length", [0, 1 << 62, (1 << 64) - 1])
def test_a_length_that_leads_nowhere(tmp_path: Path, length: int) -> None:
    """A container that sends its reader before the start or far behind the end is shown as far as it goes."""
    content = film("wmv", "wmv2")
    data = int.from_bytes(content[16:24], "little")  # behind the header's object

    seen = rendered(tmp_path / "film", content[: data + 16] + length.to_bytes(8, "little") + content[data + 24 :])

    assert (seen.trouble, corners(seen)) == (None, CORNERS)


def test_an_error_without_a_name_is_told_in_words(tmp_path: Path) -> None:
    """Readers of some containers end with numbers of their own, which tell nobody anything."""
    path = tmp_path / "clip"
    path.write_bytes(film())

    with (
        path.open("rb") as file,
        pytest.raises(Unreadable, match=r"^the file is damaged: what is in it makes no sense$"),
        reader.opened(file, "video/mp4"),
    ):
        raise av.FFmpegError(-16753216, "Error number -16753216 occurred")


def test_a_machine_that_has_no_thread_to_spare_is_no_verdict(tmp_path: Path) -> None:
    """What may go well the next time is not said of the file: whoever asked tries again."""
    path = tmp_path / "clip"
    path.write_bytes(film())

    with path.open("rb") as file, pytest.raises(av.BlockingIOError), reader.opened(file, "video/mp4"):
        raise av.BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")


def test_a_clip_is_made_without_haste() -> None:
    """Whatever an encoder does to the process that calls it, servers of later tests get their turn."""
    before = os.sched_getscheduler(0)

    film("webm", "av1", seconds=0.1)

    assert os.sched_getscheduler(0) == before
