"""The video inside a motion photo is found by its boxes, taken out once, and served; nothing else is."""

import os
from io import BytesIO
from pathlib import Path
from uuid import UUID

import av
import pytest
from blake3 import blake3

from common import layout
from common.db import Pool
from common.stages import LeaseLost, Stage
from ingest import leftovers
from lumilio.verify import verify
from processor import images
from processor.handlers import Processor
from processor.motion import Motion
from processor.sandbox import Sandbox
from tests.support import boxes, clips, motions, placing
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.rows import ask, claim, do, expire

VIDEO = clips.clip(kind="mp4")
CARRIERS = {"Google, first": motions.google_1, "Google": motions.google_2, "Samsung": motions.samsung}
GARBAGE = {
    "a list of files": b"ffconcat version 1.0\nfile '/etc/passwd'\n" * 20,
    "a picture": motions.still(),
    "noise": os.urandom(5000),
    "a video that ends too early": VIDEO[:-7],
    "a video with something behind it": VIDEO + b"ffconcat version 1.0\n",
    "a container of pictures": motions.avif(),
    "a video that nothing describes": VIDEO[: VIDEO.index(b"moov") - 4],
    "boxes that go on for ever": VIDEO[:32] + boxes.box(b"free", b"") * 10_000,
}


async def found(box: Sandbox, path: Path, content: bytes, mime: str = "image/jpeg") -> Motion | None:
    """Where the video is found in such a file."""
    path.write_bytes(content)
    return (await box.run(images.render, path, mime, owner=1)).motion


async def rendered(pool: Pool, repository: Repository, user: User, processor: Processor, content: bytes) -> UUID:
    """A photo that has its place and its thumbnails."""
    asset = await placing.placed(pool, repository, user, content, "IMG_1.jpg")
    await processor.render(await claim(pool, Stage.RENDER))
    return asset


@pytest.mark.parametrize("maker", CARRIERS)
async def test_a_motion_photo_of_every_maker_has_its_video(box: Sandbox, tmp_path: Path, maker: str) -> None:
    """By what its XMP says or by its maker's own directory: just the bytes of the video."""
    content = CARRIERS[maker](VIDEO)

    motion = await found(box, tmp_path / "photo.jpg", content)

    assert motion == Motion(start=content.index(VIDEO), length=len(VIDEO), mime="video/mp4")


async def test_a_video_in_a_box_of_its_own_is_found(box: Sandbox, tmp_path: Path) -> None:
    """HEIC and AVIF keep it among their other boxes."""
    content = motions.in_heif(motions.avif(), VIDEO)

    motion = await found(box, tmp_path / "photo.avif", content, "image/avif")

    assert motion == Motion(start=content.index(VIDEO), length=len(VIDEO), mime="video/mp4")


@pytest.mark.parametrize("maker", CARRIERS)
@pytest.mark.parametrize("what", GARBAGE)
async def test_what_is_no_video_to_its_end_is_none(box: Sandbox, tmp_path: Path, maker: str, what: str) -> None:
    """Whatever a file says of the bytes at its end, only the boxes of a video are believed."""
    assert await found(box, tmp_path / "photo.jpg", CARRIERS[maker](GARBAGE[what])) is None


async def test_a_video_that_nothing_speaks_of_stays_where_it_is(box: Sandbox, tmp_path: Path) -> None:
    """Bytes behind a picture are the picture's own affair."""
    assert await found(box, tmp_path / "photo.jpg", motions.still() + VIDEO) is None


@pytest.mark.skipif("LUMILIO_TEST_MEDIA" not in os.environ, reason="real photos are not here")
async def test_a_real_motion_photo(box: Sandbox, tmp_path: Path) -> None:
    """A Samsung's HEIC: the box that its maker put the video in, without what follows it."""
    content = Path(os.environ["LUMILIO_TEST_MEDIA"], "formats/motionphoto/samsung-one-ui-6.heic").read_bytes()

    motion = await found(box, tmp_path / "photo.heic", content, "image/heic")

    assert motion == Motion(start=452_284, length=3_226_469, mime="video/mp4")
    with av.open(BytesIO(content[motion.start : motion.start + motion.length])) as video:
        assert len(video.streams.video) == 1


async def test_the_video_is_taken_out_once_and_served(
    api: Api, pool: Pool, repository: Repository, user: User, processor: Processor, database_url: str
) -> None:
    """Byte for byte, with its type and name, in parts too; the list knows of it, and so does verify."""
    asset = await rendered(pool, repository, user, processor, motions.google_2(VIDEO))
    path = f"/api/v1/assets/{asset}/motion"

    whole, part = await api.client.get(path), await api.client.get(path, headers={"Range": "bytes=100-199"})
    same = await api.client.get(path, headers={"If-None-Match": whole.headers["etag"]})

    assert (whole.status_code, whole.content) == (200, VIDEO)
    assert (whole.headers["content-type"], whole.headers["etag"]) == ("video/mp4", f'"{blake3(VIDEO).hexdigest()}"')
    assert "IMG_1.mp4" in whole.headers["content-disposition"]
    assert (part.status_code, part.content, same.status_code) == (206, VIDEO[100:200], 304)
    assert list(placing.paths(repository, layout.MOTION).values()) == [VIDEO]
    assert [shown["has_motion"] for shown in (await api.client.get("/api/v1/assets")).json()["data"]["assets"]] == [
        True
    ]
    assert await verify(database_url)


async def test_a_photo_that_does_not_move_says_so(
    api: Api, pool: Pool, repository: Repository, user: User, processor: Processor
) -> None:
    """Before it was looked at, the answer is that nobody knows yet."""
    asset = await placing.placed(pool, repository, user, motions.still(), "IMG_1.jpg")
    before = await api.client.get(f"/api/v1/assets/{asset}/motion")
    await processor.render(await claim(pool, Stage.RENDER))
    after = await api.client.get(f"/api/v1/assets/{asset}/motion")

    assert (before.status_code, after.status_code) == (404, 404)
    assert "being found out" in before.text
    assert "no motion photo" in after.text


async def test_a_damaged_video_is_made_again(
    api: Api, pool: Pool, repository: Repository, user: User, processor: Processor
) -> None:
    """What does not match its row is not served, and the photo is rendered once more."""
    asset = await rendered(pool, repository, user, processor, motions.samsung(VIDEO))
    (path,) = Path(os.fsdecode(repository.root), os.fsdecode(layout.MOTION)).rglob("*.mp4")
    path.write_bytes(VIDEO[:100])

    damaged = await api.client.get(f"/api/v1/assets/{asset}/motion")
    await processor.render(await claim(pool, Stage.RENDER))
    mended = await api.client.get(f"/api/v1/assets/{asset}/motion")

    assert (damaged.status_code, mended.content) == (404, VIDEO)
    assert "made again" in damaged.text


async def test_verify_tells_of_a_damaged_video(
    pool: Pool, repository: Repository, user: User, processor: Processor, database_url: str
) -> None:
    """Other bytes of the same length are found as well, and called by their path."""
    await rendered(pool, repository, user, processor, motions.samsung(VIDEO))
    (path,) = Path(os.fsdecode(repository.root), os.fsdecode(layout.MOTION)).rglob("*.mp4")
    path.write_bytes(bytes(len(VIDEO)))
    said: list[str] = []

    assert not await verify(database_url, say=said.append)
    assert [line for line in said if path.name in line and "has other bytes" in line]


async def test_a_stale_worker_leaves_no_video(
    pool: Pool, repository: Repository, user: User, processor: Processor
) -> None:
    """Its file has a name of its own, and goes when its claim turns out to be old."""
    await placing.placed(pool, repository, user, motions.samsung(VIDEO), "IMG_1.jpg")
    stale = await claim(pool, Stage.RENDER)
    await expire(pool)
    newer = await claim(pool, Stage.RENDER)

    await processor.render(newer)
    with pytest.raises(LeaseLost):
        await processor.render(stale)

    (name,) = placing.paths(repository, layout.MOTION)
    assert name.endswith(f"_{newer.epoch}.mp4")


async def test_videos_that_no_row_names_go_after_a_day(
    pool: Pool, repository: Repository, user: User, processor: Processor
) -> None:
    """Rendering again leaves the older file behind, which the daily clean-up takes; the named one stays."""
    asset = await rendered(pool, repository, user, processor, motions.google_1(VIDEO))
    await do(pool, "update asset_stages set state = 'pending', next_at = now() where stage = 'render'")
    await processor.render(again := await claim(pool, Stage.RENDER))
    folder = Path(os.fsdecode(repository.root), os.fsdecode(layout.MOTION))
    for path in folder.rglob("*.mp4"):
        os.utime(path, (0, 0))

    await leftovers.clean(pool, failed_seconds=1)

    assert again.asset_id == asset
    assert [name.rsplit("_")[-1] for name in placing.paths(repository, layout.MOTION)] == [f"{again.epoch}.mp4"]


async def test_a_photo_that_stopped_moving_has_no_rendition(
    pool: Pool, repository: Repository, user: User, processor: Processor
) -> None:
    """What a better reader does not find any more is not served any more."""
    await placing.placed(pool, repository, user, motions.still(), "IMG_1.jpg")
    await do(
        pool,
        """
        insert into renditions (asset_id, kind, repository_id, path, mime_type, bytes, hash)
        select asset_id, 'motion', repository_id, 'x', 'video/mp4', 1, assets.content_hash
        from file_records join assets using (asset_id)
        """,
    )

    await processor.render(await claim(pool, Stage.RENDER))

    assert await ask(pool, "select count(*) from renditions") == [0]
