"""One confined process takes many clips one after the other, and keeps nothing of them."""

from io import BytesIO
from pathlib import Path

import av
import psutil

from processor import posters, sandbox, videos
from tests.support.films import film

ENOUGH = 24  # of the 64 that a process may take


async def test_many_clips_of_one_owner_are_rendered_in_a_row(tmp_path: Path) -> None:
    """What one clip needed is free again for the next."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(film(size=(478, 850), seconds=1))
    async with sandbox.open(1) as box:
        for _ in range(ENOUGH):
            video = await box.run(videos.render, path, "video/mp4", owner=1, limits=sandbox.VIDEO)
            assert video.trouble is None
            assert video.preview is not None


def test_looking_how_a_picture_is_turned_does_not_keep_it() -> None:
    """Of twenty large pictures that were looked at, next to nothing stays in memory."""
    content = film(size=(3840, 2160), seconds=0.7, turned=90)
    picture, before = 3840 * 2160 * 3 // 2, psutil.Process().memory_info().rss

    with av.open(BytesIO(content), "r") as container:
        container.streams.video[0].thread_count = 1
        turned = [posters.orientation_of(frame) for frame in container.decode(video=0)]

    assert turned == [6] * 21
    assert psutil.Process().memory_info().rss - before < 12 * picture
