"""Rendering a video leaves its preview on the disk under a name of its claim, within what the sandbox allows."""

import os
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from blake3 import blake3
from PIL import Image

from common import layout
from common.db import Pool
from common.stages import LeaseLost, Stage
from ingest import leftovers
from lumilio.verify import verify
from processor import previews, sandbox, videos
from processor.handlers import Processor
from processor.sandbox import Sandbox
from processor.videos import Video
from tests.support import clips, motions, placing
from tests.support.films import film
from tests.support.given import Repository, User
from tests.support.rows import ask, claim, do, expire

MIMES = {"mp4": "video/mp4", "mov": "video/quicktime", "mkv": "video/x-matroska", "webm": "video/webm"}


async def rendered(box: Sandbox, path: Path, content: bytes) -> Video:
    path.write_bytes(content)
    return await box.run(videos.render, path, MIMES[path.suffix[1:]], owner=1, limits=sandbox.VIDEO)


def picture(video: Video) -> Image.Image:
    """The first picture of a video's preview."""
    assert video.preview is not None
    return Image.open(BytesIO(video.preview)).convert("RGB")


@pytest.mark.parametrize(("kind", "codec"), [("mov", "hevc"), ("mkv", "h264"), ("webm", "vp9"), ("mov", "prores")])
async def test_every_codec_has_a_preview_in_the_sandbox(box: Sandbox, tmp_path: Path, kind: str, codec: str) -> None:
    """A confined process can import and open nothing, and has all that previews take."""
    video = await rendered(box, tmp_path / f"clip.{kind}", film(kind, codec, seconds=1, turned=90, size=(240, 320)))

    assert picture(video).size == (240, 320)
    assert (video.width, video.height) == (240, 320)


@pytest.mark.parametrize(("transfer", "white"), [("arib-std-b67", 191), ("smpte2084", 148)])
async def test_a_bright_clip_is_as_bright_as_its_poster(
    box: Sandbox, tmp_path: Path, transfer: str, white: int
) -> None:
    """Light that a plain screen has not is toned down the same way in both."""
    coded = f"log-level=none:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc"
    flat = Image.new("RGB", (160, 120), (white, white, white))
    content = clips.clip(picture=flat, codec="libx265", pixels="yuv420p10le", options={"x265-params": coded})

    video = await rendered(box, tmp_path / "clip.mov", content)

    poster = np.asarray(Image.open(BytesIO(video.thumbnails["large"].data))).mean()
    assert abs(np.asarray(picture(video)).mean() - poster) < 3


async def test_a_film_of_4k_has_one_within_the_limits(box: Sandbox, tmp_path: Path) -> None:
    """Its pictures are made small one by one."""
    content = film("mp4", "hevc", size=(3840, 2160), seconds=0.2, pixels="yuv420p10le")

    assert picture(await rendered(box, tmp_path / "clip.mp4", content)).size == (480, 270)


@pytest.mark.skipif("LUMILIO_TEST_MEDIA" not in os.environ, reason="real videos are not here")
@pytest.mark.parametrize(
    ("name", "size"),
    [("mp42-hvc1.mp4", (263, 480)), ("mp4v-avc1.mp4", (480, 312)), ("quicktime-hvc1.mov", (270, 480))],
)
async def test_real_videos_have_a_preview(box: Sandbox, tmp_path: Path, name: str, size: tuple[int, int]) -> None:
    """What phones and cameras write moves upright and looks as its poster does."""
    content = Path(os.environ["LUMILIO_TEST_MEDIA"], "video", name).read_bytes()

    video = await rendered(box, tmp_path / f"clip{Path(name).suffix}", content)

    shown = picture(video)
    poster = Image.open(BytesIO(video.thumbnails["small"].data)).convert("RGB").resize(shown.size)
    assert shown.size == size
    assert np.abs(np.asarray(shown).astype(int).mean((0, 1)) - np.asarray(poster).mean((0, 1))).max() < 10


async def test_a_still_has_a_poster_and_no_preview(box: Sandbox, tmp_path: Path) -> None:
    """One picture does not move, and nothing is wrong with that."""
    video = await rendered(box, tmp_path / "clip.mp4", film(seconds=1 / 30))

    assert (video.preview, video.trouble, len(video.thumbnails)) == (None, None, 3)


async def test_a_preview_lies_on_the_disk_as_its_row_says(
    pool: Pool, repository: Repository, user: User, processor: Processor, database_url: str
) -> None:
    """Type, length and hash are those of the file, and verify agrees."""
    await placing.placed(pool, repository, user, film(seconds=1), "clip.mp4")

    await processor.render(await claim(pool, Stage.RENDER))

    ((name, data),) = placing.paths(repository, layout.PREVIEWS).items()
    assert name.endswith(".webp")
    assert len(data) <= previews.MOST_BYTES
    assert await ask(pool, "select kind, mime_type, bytes, hash from renditions") == [
        ("preview", "image/webp", len(data), blake3(data).digest())
    ]
    assert await verify(database_url)


async def test_a_photo_that_moves_has_none(
    pool: Pool, repository: Repository, user: User, processor: Processor
) -> None:
    """Photos are stills, also those with a video in them."""
    await placing.placed(pool, repository, user, motions.google_2(clips.clip(kind="mp4")), "IMG_1.jpg")

    await processor.render(await claim(pool, Stage.RENDER))

    assert await ask(pool, "select kind from renditions") == ["motion"]


async def test_rendering_again_replaces_it(
    pool: Pool, repository: Repository, user: User, processor: Processor
) -> None:
    """The row names the newer file, and the older goes with the daily clean-up."""
    await placing.placed(pool, repository, user, film(seconds=1), "clip.mp4")
    await processor.render(await claim(pool, Stage.RENDER))
    await do(pool, "update asset_stages set state = 'pending', next_at = now() where stage = 'render'")
    await processor.render(again := await claim(pool, Stage.RENDER))
    for path in Path(os.fsdecode(repository.root), os.fsdecode(layout.PREVIEWS)).rglob("*.webp"):
        os.utime(path, (0, 0))

    await leftovers.clean(pool, failed_seconds=1)

    (name,) = placing.paths(repository, layout.PREVIEWS)
    assert name.endswith(f"_{again.epoch}.webp")


async def test_a_stale_worker_leaves_no_preview(
    pool: Pool, repository: Repository, user: User, processor: Processor
) -> None:
    """Its file goes when its claim turns out to be old."""
    await placing.placed(pool, repository, user, film(seconds=1), "clip.mp4")
    stale = await claim(pool, Stage.RENDER)
    await expire(pool)
    newer = await claim(pool, Stage.RENDER)

    await processor.render(newer)
    with pytest.raises(LeaseLost):
        await processor.render(stale)

    (name,) = placing.paths(repository, layout.PREVIEWS)
    assert name.endswith(f"_{newer.epoch}.webp")
