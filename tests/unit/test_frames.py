"""Frames are spread over a film, small, upright, none like another, and cost next to nothing."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from processor import clips, frames, images, posters, timing
from processor.clips import Patience
from processor.images import Options
from tests.support import films, media
from tests.support.clips import clip
from tests.support.films import film

MIMES = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "mkv": "video/x-matroska",
    "avi": "video/x-msvideo",
    "ts": "video/mp2t",
    "flv": "video/x-flv",
    "mpg": "video/mpeg",
    "wmv": "video/x-ms-wmv",
    "webm": "video/webm",
}
NAMES = {media.RED: "red", media.GREEN: "green", media.BLUE: "blue", media.GREY: "grey"}
EVERY_SECOND = {"g": "10", "bf": "2"}


class Watched(BytesIO):
    """A file that knows how far it was read."""

    furthest = 0

    def read(self, length: int | None = -1) -> bytes:
        """So many bytes."""
        data = super().read(length)
        self.furthest = max(self.furthest, self.tell())
        return data


def spread_of(content: bytes | BytesIO, kind: str = "mp4", *, small: int = 400) -> dict[int, Image.Image]:
    """The frames of a film after its poster was found."""
    patience, options = Patience(), Options(small=small)
    file = content if isinstance(content, BytesIO) else BytesIO(content)
    with clips.opened(file, MIMES[kind], patience) as container:
        stream = clips.stream_of(container)
        duration = timing.seconds(container)
        poster = images.shrunk(posters.poster(container, stream, duration), options.large)
        found = frames.spread(container, stream, duration, poster=poster, patience=patience, asked=options)
    return {at: Image.open(BytesIO(data)) for at, data in found.items()}


def corners(picture: Image.Image) -> list[str]:
    """The colours of the corners from the left above on."""
    pixels = np.asarray(picture.convert("RGB")).astype(int)
    spots = [pixels[y, x] for y in (9, -10) for x in (9, -10)]
    return [NAMES[min(NAMES, key=lambda name: float(np.abs(spot - name).sum()))] for spot in spots]


def test_they_are_spread_evenly_and_at_most_eight() -> None:
    """Two seconds apart in a short film, further in a longer one, and none in a very short one."""
    short, long = (spread_of(film(seconds=seconds, rate=10, options=EVERY_SECOND)) for seconds in (10, 45))

    assert list(short) == [2000, 4000, 6000, 8000]
    assert list(long) == [5000, 10000, 15000, 20000, 25000, 30000, 35000, 40000]
    assert spread_of(film(seconds=3, rate=10, options=EVERY_SECOND)) == {}


@pytest.mark.parametrize("turned", [0, 90])
def test_they_are_small_and_upright(turned: int) -> None:
    """As large as the small thumbnail is to be, however the camera was held."""
    found = spread_of(film(size=(240, 320), seconds=5, rate=10, turned=turned, options=EVERY_SECOND), small=160)

    assert {picture.size for picture in found.values()} == {(120, 160)}
    assert {picture.format for picture in found.values()} == {"JPEG"}
    assert all(corners(picture) == ["red", "green", "blue", "grey"] for picture in found.values())


@pytest.mark.parametrize(
    ("kind", "codec"),
    [
        *(("mov", "hevc"), ("mkv", "h264"), ("webm", "vp9"), ("ts", "h264"), ("mov", "prores"), ("mp4", "av1")),
        *(("avi", "mpeg4"), ("flv", "flv1"), ("mpg", "mpeg2video"), ("wmv", "wmv2")),
    ],
)
def test_every_container_and_codec_has_some(kind: str, codec: str) -> None:
    """A key frame is shown at once, whatever a decoder would wait for, and wherever an index lies or not."""
    found = spread_of(film(kind, codec, seconds=7, rate=10 if kind != "mpg" else 25, options={"g": "10"}), kind)

    assert len(found) == 2
    assert all(corners(picture) == ["red", "green", "blue", "grey"] for picture in found.values())


def test_where_key_frames_are_rare_there_are_fewer() -> None:
    """Each is shown once: pictures between them would cost what all before them cost."""
    content = film(seconds=12, rate=10, options={"g": "70", "sc_threshold": "0"})

    assert list(spread_of(content)) == [7000]


def test_what_shows_nothing_else_is_left_out() -> None:
    """Neither dark pictures nor such that look as the poster or another frame does."""
    dark = spread_of(film(seconds=10, rate=10, dark=5, options=EVERY_SECOND))
    still = spread_of(clip(picture=media.quadrants(), frames=300, options=EVERY_SECOND))

    assert list(dark) == [6000, 8000]
    assert still == {}


def test_a_damaged_film_has_those_that_are_left() -> None:
    """What breaks off has frames as far as it goes, and holes cost no more than what lay in them."""
    whole = film("mkv", seconds=10, rate=10, options=EVERY_SECOND)

    assert set(spread_of(films.cut(whole, 0.6), "mkv")) <= {2000, 4000}
    holed = bytearray(whole)
    holed[len(whole) // 2 : len(whole) // 2 + len(whole) // 10] = bytes(len(whole) // 10)
    assert spread_of(bytes(holed), "mkv")


@pytest.mark.parametrize("limit", ["PROCESSOR_SECONDS", "WALL_SECONDS"])
def test_they_end_when_their_time_is_up(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    """Whatever a film takes, what there is by then is kept."""
    monkeypatch.setattr(frames, limit, 0.0)

    assert len(spread_of(film(seconds=10, rate=10, options=EVERY_SECOND))) < 2


def test_a_film_without_an_index_is_not_read_to_its_end_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """When time is up it seems to have ended, also to a reader that looks for a picture in all of it."""
    content = film("flv", "flv1", seconds=60, rate=10, options={"g": "10"})
    patient, hasty = Watched(content), Watched(content)

    spread_of(patient, "flv")
    monkeypatch.setattr(frames, "WALL_SECONDS", -1.0)
    spread_of(hasty, "flv")

    assert hasty.furthest < len(content) / 2 < patient.furthest
