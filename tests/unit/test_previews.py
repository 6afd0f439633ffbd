"""An animated preview is short, small, upright and in the right colours; what holds no more than a picture has none."""

from io import BytesIO

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image, ImageSequence

from processor import atoms, clips, posters, previews, timing
from tests.support import films, media
from tests.support.films import film
from tests.support.media import Pixels

MIMES = {"mp4": "video/mp4", "mov": "video/quicktime", "mkv": "video/x-matroska", "avi": "video/x-msvideo"}
NAMES = {media.RED: "red", media.GREEN: "green", media.BLUE: "blue", media.GREY: "grey"}


def preview_of(content: bytes, kind: str = "mp4", *, after: float | None = None) -> bytes | None:
    """The preview of a clip that was read to some time, where a poster was found."""
    with clips.opened(BytesIO(content), MIMES[kind]) as container:
        stream = clips.stream_of(container)
        if after is not None:
            posters.frame_at(container, stream, after)
        return previews.preview(container, stream, timing.seconds(container))


def opened(data: bytes | None) -> tuple[list[Pixels], list[int], int]:
    """Every picture of an animation, for how many milliseconds it is shown, and how often all is repeated."""
    assert data is not None
    assert len(data) <= previews.MOST_BYTES
    pictures, delays = [], []
    image = Image.open(BytesIO(data))
    for frame in ImageSequence.Iterator(image):
        pictures.append(np.asarray(frame.convert("RGB")))
        delays.append(frame.info["duration"])
    return pictures, delays, image.info["loop"]


def corners(picture: Pixels) -> list[str]:
    """The colours of the corners from the left above on."""
    spots = [picture[y, x].astype(int) for y in (9, -10) for x in (9, -10)]
    return [NAMES[min(NAMES, key=lambda name: float(np.abs(spot - name).sum()))] for spot in spots]


def snow(*, frames: int = 90, size: tuple[int, int] = (480, 360)) -> bytes:
    """A clip that no encoder can make small."""
    random, buffer = np.random.default_rng(0), BytesIO()
    with av.open(buffer, "w", format="mp4") as made:
        stream = made.add_stream("mpeg4", rate=30, options={"q:v": "1"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = size
        for _ in range(frames):
            pixels = random.integers(0, 256, (size[1], size[0], 3), np.uint8)
            made.mux(stream.encode(VideoFrame.from_ndarray(pixels, format="rgb24")))
        made.mux(stream.encode())
    return buffer.getvalue()


def test_three_seconds_loop_for_ever() -> None:
    """Ten pictures a second, three seconds of them, over and over."""
    pictures, delays, loop = opened(preview_of(film(seconds=5), after=0.5))

    assert (len(pictures), sum(delays), loop) == (30, 3000, 0)
    assert 60 <= min(delays) <= max(delays) <= 140
    assert not np.array_equal(pictures[0], pictures[-1])


def test_it_goes_on_from_the_poster() -> None:
    """The reading goes on where it stands, whether or not a key frame is there."""
    content = film(seconds=5, options={"g": "300"})

    first, later = (opened(preview_of(content, after=seconds))[0][0] for seconds in (0, 1))

    assert not np.array_equal(first, later)


def test_what_hardly_compresses_is_shown_worse_or_with_fewer_pictures() -> None:
    """No preview is larger than 500 kB, not even that of snow, and it lasts as long."""
    pictures, delays, _ = opened(preview_of(snow()))

    assert len(pictures) > 1
    assert sum(delays) == pytest.approx(3000, abs=100)


@pytest.mark.parametrize("seconds", [0.2, 1, 2.5])
def test_a_short_clip_is_shown_whole(seconds: float) -> None:
    """From its first picture to its last, wherever the poster was found."""
    _, delays, _ = opened(preview_of(film(seconds=seconds), after=seconds / 2))

    assert sum(delays) == pytest.approx(1000 * seconds, abs=100)


@pytest.mark.parametrize("turned", [0, *films.UNTURNED])
@pytest.mark.parametrize("size", [(320, 240), (478, 850)])
def test_it_is_upright(turned: int, size: tuple[int, int]) -> None:
    """However the camera was held, no side is longer than 480 pixels and the colours are where they belong."""
    pictures, _, _ = opened(preview_of(film(size=size, seconds=0.5, turned=turned)))

    height, width, _ = pictures[0].shape
    assert (width, height) == ((320, 240) if size == (320, 240) else (270, 480))
    assert corners(pictures[0]) == corners(pictures[-1]) == ["red", "green", "blue", "grey"]


@pytest.mark.parametrize("orientation", atoms.UPRIGHT.values())
def test_pictures_are_turned_and_flipped(orientation: int) -> None:
    """Each orientation undoes what a camera did."""
    upright = media.quadrants()
    stored = upright.transpose(media.UNDO[orientation]) if orientation in media.UNDO else upright

    assert np.array_equal(previews.turned(np.asarray(stored), orientation), np.asarray(upright))


@pytest.mark.parametrize("frames", [0, 1])
def test_a_still_has_none(frames: int) -> None:
    """What holds no picture or one does not move."""
    assert preview_of(film(seconds=frames / 30)) is None


def test_a_clip_that_breaks_off_is_shown_as_far_as_it_goes() -> None:
    """Damage further on costs what lies behind it, and where hardly anything is left there is no preview."""
    whole = film("mkv", seconds=3)

    _, delays, _ = opened(preview_of(films.cut(whole, 0.5), "mkv"))

    assert 500 < sum(delays) < 2500
    assert preview_of(films.cut(whole, 0.1), "mkv") is None


@pytest.mark.parametrize("limit", ["PROCESSOR_SECONDS", "WALL_SECONDS"])
def test_decoding_ends_when_its_time_is_up(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    """Whatever a clip takes, its preview takes no more than this, even if there is none in the end."""
    content = film(seconds=2)
    monkeypatch.setattr(previews, limit, 0.0)

    assert preview_of(content) is None


def test_it_does_not_begin_in_the_dark() -> None:
    """The dark beginning of a short clip is left out; a clip that is dark throughout is shown as it is."""
    pictures, delays, _ = opened(preview_of(film(seconds=2, dark=1)))

    assert corners(pictures[0]) == ["red", "green", "blue", "grey"]
    assert sum(delays) == pytest.approx(1000, abs=100)
    assert preview_of(film(seconds=2, dark=2)) is not None


def test_pictures_that_come_irregularly_are_shown_when_they_come() -> None:
    """A pause of the camera is a pause of the preview."""
    _, delays, _ = opened(preview_of(film("mkv", seconds=2, rate=10, is_variable=True), "mkv"))

    assert sum(delays) == pytest.approx(2000, abs=100)
    assert len(set(delays)) > 1
