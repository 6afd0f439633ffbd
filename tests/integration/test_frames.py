"""Rendering a film leaves frames of it on the disk, for models to look at and for nobody to play."""

import os
from io import BytesIO
from pathlib import Path

import numpy as np
from blake3 import blake3
from PIL import Image

from common import layout
from common.db import Pool
from common.stages import Stage
from ingest import leftovers
from lumilio.verify import verify
from processor import sandbox, videos
from processor.handlers import Processor
from processor.sandbox import Sandbox
from tests.support import placing
from tests.support.films import film
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.rows import ask, claim, do

EVERY_SECOND = {"g": "10"}
FRAMES = "select kind, path from renditions where kind like 'frame_%' order by kind"


async def test_frames_lie_on_the_disk_as_their_rows_say(
    pool: Pool, repository: Repository, user: User, processor: Processor, database_url: str, api: Api
) -> None:
    """Each says when it is shown, verify agrees, and nobody is offered them as something to play."""
    asset = await placing.placed(pool, repository, user, film(seconds=7, rate=10, options=EVERY_SECOND), "clip.mp4")

    await processor.render(await claim(pool, Stage.RENDER))

    files = placing.paths(repository, b"")
    rows = await ask(pool, "select kind, mime_type, recipe, path, bytes, hash from renditions order by kind")
    assert [row[:3] for row in rows[:2]] == [
        ("frame_1", "image/jpeg", "at 2000"),
        ("frame_2", "image/jpeg", "at 4000"),
    ]
    for number, (*_, path, length, digest) in enumerate(rows[:2], start=1):
        assert path.startswith(layout.FRAMES + b"/%d/" % number)
        assert (len(files[os.fsdecode(path)]), blake3(files[os.fsdecode(path)]).digest()) == (length, digest)
        assert Image.open(BytesIO(files[os.fsdecode(path)])).size == (320, 240)
    assert await verify(database_url)
    detail = (await api.client.get(f"/api/v1/assets/{asset}")).json()["data"]
    assert [made["kind"] for made in detail["renditions"]] == ["preview"]


async def test_rendering_again_replaces_them(
    pool: Pool, repository: Repository, user: User, processor: Processor
) -> None:
    """The rows name the newer files, also where there are fewer, and the older go with the daily clean-up."""
    await placing.placed(pool, repository, user, film(seconds=5, rate=10, options=EVERY_SECOND), "clip.mp4")
    await processor.render(first := await claim(pool, Stage.RENDER))
    ((_, path),) = await ask(pool, FRAMES)
    await do(
        pool,
        "insert into renditions select asset_id, 'frame_7', repository_id, path, mime_type, bytes, hash, recipe"
        " from renditions where kind = 'frame_1'",
    )
    await do(pool, "update asset_stages set state = 'pending', next_at = now() where stage = 'render'")
    await processor.render(again := await claim(pool, Stage.RENDER))
    for one in Path(os.fsdecode(repository.root), os.fsdecode(layout.FRAMES)).rglob("*.jpg"):
        os.utime(one, (0, 0))

    await leftovers.clean(pool, failed_seconds=1)

    newer = path.replace(b"_%d." % first.epoch, b"_%d." % again.epoch)
    assert await ask(pool, FRAMES) == [("frame_1", newer)]
    assert list(placing.paths(repository, layout.FRAMES)) == [os.fsdecode(newer.removeprefix(layout.FRAMES + b"/"))]


async def test_a_bright_film_has_frames_as_bright_as_its_poster(box: Sandbox, tmp_path: Path) -> None:
    """A confined process has all that it takes to read on in the middle, and tones down both the same way."""
    path = tmp_path / "clip.mov"
    path.write_bytes(film("mov", "hevc", seconds=5, rate=10, hdr="pq", options={"g": "10"}))

    video = await box.run(videos.render, path, "video/quicktime", owner=1, limits=sandbox.VIDEO)

    frame, poster = (
        np.asarray(Image.open(BytesIO(data)).convert("RGB")).mean()
        for data in (video.frames[2000], video.thumbnails["small"].data)
    )
    assert abs(frame - poster) < 3
