"""A picture near a time is had from a key frame where one is near, and from what leads there where none is."""

from io import BytesIO

import pytest

from processor import clips, posters, seeking
from tests.support.films import film

MIMES = {"mp4": "video/mp4", "mkv": "video/x-matroska", "avi": "video/x-msvideo"}


def found(content: bytes, seconds: float, kind: str = "mp4") -> tuple[bool, float]:
    """Whether a key frame does, and when the picture that is found is shown."""
    with clips.opened(BytesIO(content), MIMES[kind]) as container:
        stream = clips.stream_of(container)
        is_near = seeking.stand_near(container, stream, seconds)
        frame = posters.frame_at(container, stream, seconds)
        assert frame is not None
        assert frame.time is not None
        return is_near, round(frame.time - float((stream.start_time or 0) * (stream.time_base or 0)), 3)


@pytest.mark.parametrize("kind", ["mp4", "mkv"])
@pytest.mark.parametrize(("seconds", "key"), [(0, 0), (0.9, 1), (1, 1), (1.2, 1), (1.75, 2)])
def test_a_key_frame_that_is_near_does(kind: str, seconds: float, key: float) -> None:
    """Nothing else is decoded, whether it comes before the time or after it."""
    assert found(film(kind, seconds=3, options={"g": "30"}), seconds, kind) == (True, key)


@pytest.mark.parametrize("kind", ["mp4", "mkv", "avi"])
@pytest.mark.parametrize("codec", ["h264", "mpeg4"])
def test_without_one_the_pictures_that_lead_there_are_decoded(kind: str, codec: str) -> None:
    """Where the only key frame is the first, the picture is the one of that time all the same."""
    is_near, shown = found(film(kind, codec, seconds=3, options={"g": "300"}), 1, kind)

    assert not is_near
    assert shown == pytest.approx(1, abs=0.11)


def test_behind_the_end_the_last_picture_is_found() -> None:
    """A container may promise more than it has."""
    is_near, shown = found(film(seconds=1, options={"g": "300"}), 5)

    assert not is_near
    assert shown > 0.9
