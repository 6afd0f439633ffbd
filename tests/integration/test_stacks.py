"""Pictures that belong together find each other, whichever comes first, and nobody else's."""

import asyncio
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from PIL.ExifTags import Base

from common import passwords
from common.db import Pool
from common.stages import Stage
from processor.handlers import Processor
from processor.sandbox import Sandbox
from tests.support import given, media, motions, photos, placing, playing, raws
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.rows import ask, claim, do

STILL, VIDEO = motions.live_still("live-A-1"), motions.live_video("live-A-1")
MADE = b"a version for browsers"
BURST = "00001IMG_0000{}_BURST20190101120000123{}.jpg"


async def developed(seed: int = 0, *, second: str = raws.TAKEN, model: str = "Model 1") -> bytes:
    """A JPEG of the camera and the moment of our raw files."""
    exif = media.exif({Base.Make: "Maker", Base.Model: model}, {Base.DateTimeOriginal: second})
    return photos.jpeg(80, 60, seed=seed, exif=exif)


async def took(
    pool: Pool, repository: Repository, user: User, processor: Processor, *sent: tuple[str, bytes]
) -> list[UUID]:
    """Assets of these files, one after the other."""
    assets = []
    for name, content in sent:
        assets.append(await placing.placed(pool, repository, user, content, name))
        await processor.render(await claim(pool, Stage.RENDER))
    return assets


async def stacks(api: Api, asset: UUID) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api.client.get(f"/api/v1/assets/{asset}")).json()["data"]["stacks"]
    return found


def live(still: UUID, video: UUID) -> list[dict[str, Any]]:
    """The one stack of a Live Photo."""
    members = [{"asset_id": str(still), "role": "still"}, {"asset_id": str(video), "role": "motion"}]
    return [{"kind": "live", "cover_asset_id": str(still), "members": members}]


@pytest.mark.parametrize("first", ["still", "video"])
async def test_a_live_photo_is_one_in_either_order(
    api: Api, pool: Pool, repository: Repository, user: User, processor: Processor, first: str
) -> None:
    """The still stands for both, its list entry names the video, and its motion is that video."""
    sent = [("IMG_1.JPG", STILL), ("IMG_1.MOV", VIDEO)]
    assets = await took(pool, repository, user, processor, *(sent if first == "still" else sent[::-1]))
    still, video = assets if first == "still" else assets[::-1]

    assert await stacks(api, still) == await stacks(api, video) == live(still, video)
    listed = {shown["asset_id"]: shown for shown in (await api.client.get("/api/v1/assets")).json()["data"]["assets"]}
    assert (listed[str(still)]["live_video_id"], listed[str(still)]["has_motion"]) == (str(video), True)
    assert (listed[str(video)]["live_video_id"], listed[str(video)]["has_motion"]) == (None, False)
    moving = await api.client.get(f"/api/v1/assets/{still}/motion", headers={"Range": "bytes=10-19"})
    assert (moving.status_code, moving.content, moving.headers["content-type"]) == (
        206,
        VIDEO[10:20],
        "video/quicktime",
    )


async def test_the_motion_of_a_live_photo_plays_in_browsers(
    api: Api, pool: Pool, repository: Repository, user: User, processor: Processor
) -> None:
    """Once there is a version of its video for them, that one is the still's motion; until then it is the original."""
    still, video = await took(pool, repository, user, processor, ("IMG_1.JPG", STILL), ("IMG_1.MOV", VIDEO))
    before = await api.client.get(f"/api/v1/assets/{still}/motion")
    await playing.keep(pool, repository, video, "web", MADE, "video/mp4")

    after = await api.client.get(f"/api/v1/assets/{still}/motion")

    assert (before.content, before.headers["cache-control"]) == (VIDEO, "private, no-cache")
    assert (after.content, after.headers["content-type"]) == (MADE, "video/mp4")


async def test_a_live_photo_is_one_when_both_are_read_at_once(
    api: Api, pool: Pool, repository: Repository, user: User, box: Sandbox
) -> None:
    """Two workers that know nothing of each other make the same stack, and again when they repeat it."""
    still = await placing.placed(pool, repository, user, STILL, "IMG_1.JPG")
    video = await placing.placed(pool, repository, user, VIDEO, "IMG_1.MOV")
    for _ in range(3):
        claims = [await claim(pool, Stage.RENDER), await claim(pool, Stage.RENDER)]
        await asyncio.gather(*(Processor(pool, box).render(claimed) for claimed in claims))
        assert await stacks(api, still) == await stacks(api, video) == live(still, video)
        await do(pool, "update asset_stages set state = 'pending', next_at = now() where stage = 'render'")

    assert await ask(pool, "select count(*) from stack_keys where kind = 'live'") == [2]


async def test_halves_of_different_live_photos_are_no_pair(
    api: Api, pool: Pool, repository: Repository, user: User, processor: Processor
) -> None:
    """Names and times say nothing; neither do two stills of one, nor a still alone."""
    still, _, _ = await took(
        pool,
        repository,
        user,
        processor,
        *[
            ("IMG_1.JPG", STILL),
            ("IMG_1.MOV", motions.live_video("live-A-2")),
            ("IMG_2.JPG", motions.live_still("live-A-1", seed=1)),
        ],
    )

    assert await stacks(api, still) == []
    assert (await api.client.get(f"/api/v1/assets/{still}/motion")).status_code == 404


async def test_nobody_is_paired_with_somebody_else(
    api: Api, pool: Pool, repository: Repository, user: User, processor: Processor
) -> None:
    """What one owner has says nothing of what another has, whatever they share."""
    other = await given.new_user(pool, "berta", "x" * 12, password_hash=passwords.hashed("x" * 12))
    (still,) = await took(pool, repository, user, processor, ("IMG_1.JPG", STILL))
    await took(pool, repository, other, processor, ("IMG_1.MOV", VIDEO))

    assert await stacks(api, still) == []
    assert (await api.client.get(f"/api/v1/assets/{still}/motion")).status_code == 404


async def test_trash_takes_one_and_leaves_the_other(
    api: Api, pool: Pool, repository: Repository, user: User, processor: Processor
) -> None:
    """The stack is gone while its video is in the trash, and back with it; the still never moves."""
    still, video = await took(pool, repository, user, processor, ("IMG_1.JPG", STILL), ("IMG_1.MOV", VIDEO))

    assert (await api.client.delete(f"/api/v1/assets/{video}")).status_code == 200
    without = await stacks(api, still), await stacks(api, video)
    listed = (await api.client.get("/api/v1/assets")).json()["data"]["assets"]
    await api.client.post(f"/api/v1/assets/{video}/restore")

    assert without == ([], [])
    assert [(shown["asset_id"], shown["live_video_id"]) for shown in listed] == [(str(still), None)]
    assert await stacks(api, still) == live(still, video)


@pytest.mark.parametrize("order", list(permutations([0, 1])))
async def test_a_raw_file_and_its_jpeg_are_one(
    api: Api, pool: Pool, repository: Repository, user: User, processor: Processor, order: tuple[int, int]
) -> None:
    """Of one name, moment and camera, in either order; the JPEG stands for both."""
    sent = [("DSC_1.DNG", raws.dng()), ("dsc_1.jpg", await developed())]
    assets = await took(pool, repository, user, processor, *(sent[place] for place in order))
    raw, jpeg = (assets[order.index(place)] for place in (0, 1))

    (stack,) = await stacks(api, raw)

    assert (stack["kind"], stack["cover_asset_id"]) == ("raw", str(jpeg))
    assert [(member["asset_id"], member["role"]) for member in stack["members"]] == [
        (str(jpeg), "developed"),
        (str(raw), "raw"),
    ]


async def test_a_raw_file_and_another_jpeg_are_two(
    api: Api, pool: Pool, repository: Repository, user: User, processor: Processor
) -> None:
    """Another name, second or camera is another picture, and two JPEGs are no pair."""
    raw, *_ = await took(
        pool,
        repository,
        user,
        processor,
        ("DSC_1.DNG", raws.dng()),
        ("DSC_2.jpg", await developed()),
        ("DSC_1.jpg", await developed(1, second="2023:04:05 06:07:09")),
        ("DSC_1.jpg", await developed(2, model="Model 2")),
        ("DSC_1.jpg", photos.jpeg(80, 60, seed=3)),
    )

    assert await stacks(api, raw) == []


async def test_the_frames_of_a_burst_are_one(
    api: Api, pool: Pool, repository: Repository, user: User, processor: Processor
) -> None:
    """By the name that the camera gave them; the chosen one stands for them."""
    names = [BURST.format(1, ""), BURST.format(2, "_COVER"), BURST.format(3, ""), "IMG_0004.jpg"]
    sent = [(name, photos.jpeg(80, 60, seed=number)) for number, name in enumerate(names)]
    frames = await took(pool, repository, user, processor, *sent)

    (stack,) = await stacks(api, frames[0])

    assert (stack["kind"], stack["cover_asset_id"]) == ("burst", str(frames[1]))
    assert {member["asset_id"] for member in stack["members"]} == {str(frame) for frame in frames[:3]}
    assert await stacks(api, frames[3]) == []


async def test_a_burst_by_what_the_camera_wrote_into_it(
    api: Api, pool: Pool, repository: Repository, user: User, processor: Processor
) -> None:
    """Whatever the files are called; the first stands for them."""
    wrote = motions.packet(motions.CAMERA, 'GCamera:BurstID="b-1"')
    sent = [(f"{number}.jpg", motions.still(wrote) + bytes(number)) for number in range(2)]
    frames = await took(pool, repository, user, processor, *sent)

    assert [stack["kind"] for stack in await stacks(api, frames[0])] == ["burst"]
