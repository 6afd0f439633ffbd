"""Videos are shown upright and described, through the real sandbox, and hostile ones end in a verdict."""

import os
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common import sniff
from common.db import Pool
from common.stages import Reject, Stage
from lumilio.verify import verify
from processor import sandbox, videos
from processor.atoms import UPRIGHT
from processor.handlers import Processor
from processor.sandbox import Sandbox
from processor.unreadable import Unreadable
from processor.videos import Video
from tests.support import boxes, clips, films, media, placing, webs
from tests.support.clips import clip
from tests.support.given import Repository, User
from tests.support.rows import ask, claim

APPLE = {
    "creation_time": "2023-09-22T16:34:05Z",
    "com.apple.quicktime.creationdate": "2023-09-22T18:34:05+0200",
    "com.apple.quicktime.location.ISO6709": "+52.4597+013.3220+051.178/",
    "com.apple.quicktime.make": "Apple",
    "com.apple.quicktime.model": "iPad mini",
    "com.apple.quicktime.content.identifier": "9C4F",
}
HOSTILE = {
    "tracks": (clips.crowded(clip(), 1000), "more than 64 tracks"),
    "cut": (clip()[:-300], "damaged"),
    "cut at once": (clip()[:28], "damaged"),
    "no boxes": (clip()[:28] + bytes(range(256)) * 1000, "damaged"),
    "no codec": (clip().replace(b"avc1", b"zzzz"), "this version knows"),
    "no video": (
        clips.edited(clip(), lambda kind, inside: boxes.box(kind, b"" if kind == b"trak" else inside)),
        "no video in it",
    ),
}


async def rendered(box: Sandbox, path: Path, content: bytes = b"", mime: str = "video/quicktime") -> Video:
    if content:
        path.write_bytes(content)
    return await box.run(videos.render, path, mime, owner=1, limits=sandbox.VIDEO)


def corners(video: Video) -> list[str]:
    """The colours of the large thumbnail's corners from the left above on."""
    shown = np.asarray(Image.open(BytesIO(video.thumbnails["large"].data))).astype(int)
    names = {media.RED: "red", media.GREEN: "green", media.BLUE: "blue", media.GREY: "grey"}
    spots = [shown[y, x] for y in (9, -10) for x in (9, -10)]
    return [names[min(names, key=lambda name: float(np.abs(spot - name).sum()))] for spot in spots]


@pytest.mark.parametrize(("matrix", "orientation"), UPRIGHT.items())
async def test_a_turned_clip_is_shown_upright(
    box: Sandbox, tmp_path: Path, matrix: tuple[int, int, int, int], orientation: int
) -> None:
    """However a camera was held, posters are upright and in the right colours, and so is the size."""
    upright = media.quadrants()
    stored = upright.transpose(media.UNDO[orientation]) if orientation in media.UNDO else upright

    video = await rendered(box, tmp_path / "clip.mov", clip(picture=stored, matrix=matrix))

    assert corners(video) == ["red", "green", "blue", "grey"]
    assert (video.width, video.height, video.stored_width, video.stored_height) == (480, 320, *stored.size)


async def test_a_dark_beginning_is_passed_over(box: Sandbox, tmp_path: Path) -> None:
    """The poster is a later picture where the first is black; where all are, it is black."""
    fading = await rendered(box, tmp_path / "clip.mov", clip(frames=90, dark=20))
    night = await rendered(box, tmp_path / "clip.mov", clip(dark=30))

    assert corners(fading) == ["red", "green", "blue", "grey"]
    assert night.trouble is None
    assert night.thumbnails


async def test_what_a_phone_says_of_a_clip(box: Sandbox, tmp_path: Path) -> None:
    """Its clock with its zone comes before the one in Greenwich; place, camera and what pairs it with its still."""
    seen = (await rendered(box, tmp_path / "clip.mov", clip(tags=APPLE))).metadata

    assert seen.taken_at is not None
    assert (seen.taken_at.isoformat(), seen.offset_minutes, seen.taken_from) == (
        "2023-09-22T18:34:05",
        120,
        "creationdate",
    )
    assert (seen.gps_latitude, seen.gps_longitude, seen.altitude) == (52.4597, 13.322, 51.178)
    assert (seen.camera_make, seen.camera_model, seen.content_identifier) == ("Apple", "iPad mini", "9C4F")
    assert seen.notes == ()


async def test_what_makes_no_sense_is_noted(box: Sandbox, tmp_path: Path) -> None:
    """A date, a place and a duration that cannot be are not believed; how long it plays is counted then."""
    prefix = "com.apple.quicktime."
    tags = {prefix + "creationdate": "2023-99-22T18:34:05+0200", prefix + "location.ISO6709": "+152.4+013.3/"}

    video = await rendered(box, tmp_path / "clip.mov", clips.endless(clip(tags=tags)))

    assert (video.duration, video.metadata.taken_at, video.metadata.gps_latitude) == (1.0, None, None)
    assert len(video.metadata.notes) == 2
    assert corners(video) == ["red", "green", "blue", "grey"]


@pytest.mark.parametrize("codec", ["libx265", "mpeg4"])
async def test_other_codecs_are_shown(box: Sandbox, tmp_path: Path, codec: str) -> None:
    """H.264 is not the only one that cameras write."""
    assert corners(await rendered(box, tmp_path / "clip.mov", clip(codec=codec))) == ["red", "green", "blue", "grey"]


async def test_every_container_is_read_behind_the_walls(box: Sandbox, tmp_path: Path) -> None:
    """No decoder wants anything at the last moment that a confined process cannot have."""
    codecs = {"webm": "vp9", "mpg": "mpeg2video", "wmv": "wmv2", "flv": "flv1"}
    for container in films.CONTAINERS:
        content = films.film(container, codecs.get(container, "h264"), channels=2)
        (tmp_path / "film").write_bytes(content)
        known = sniff.sniff(content[: sniff.HEAD_BYTES])
        assert known is not None

        video = await box.run(videos.render, tmp_path / "film", known.mime_type, owner=1, limits=sandbox.VIDEO)

        assert (container, corners(video)) == (container, ["red", "green", "blue", "grey"])
        assert video.audio_channels == 2


@pytest.mark.parametrize(("container", "subtitles"), [("mkv", "srt"), ("mkv", "ass"), ("mp4", "mov_text")])
async def test_a_film_with_subtitles_is_shown(box: Sandbox, tmp_path: Path, container: str, subtitles: str) -> None:
    """Subtitles beside the pictures are left alone, and ask for nothing that a confined process cannot have."""
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:00,000 --> 00:00:01,000\nGood morning\n")
    beside = ("-i", "IN", "-i", str(words), "-c", "copy", "-c:s", subtitles)
    content = webs.remade(tmp_path, films.film(container), *beside, f"subtitled.{container}")

    video = await rendered(box, tmp_path / "film", content, webs.MIMES[container])

    assert corners(video) == ["red", "green", "blue", "grey"]


@pytest.mark.parametrize(("transfer", "white"), [("arib-std-b67", 191), ("smpte2084", 148)])
async def test_a_bright_clip_is_shown_as_bright_as_it_is(
    box: Sandbox, tmp_path: Path, transfer: str, white: int
) -> None:
    """What such a clip calls white is white on a plain screen, and not the grey that the number would be there."""
    coded = f"log-level=none:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc"
    flat = Image.new("RGB", (160, 120), (white, white, white))

    video = await rendered(
        box,
        tmp_path / "clip.mov",
        clip(picture=flat, frames=3, codec="libx265", pixels="yuv420p10le", options={"x265-params": coded}),
    )

    level = np.asarray(Image.open(BytesIO(video.thumbnails["large"].data))).mean()
    assert 215 < level < 256


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_container_ends_in_a_verdict(box: Sandbox, tmp_path: Path, name: str) -> None:
    """A sentence, within moments, and the process that read it lives."""
    content, reason = HOSTILE[name]

    with pytest.raises(Unreadable, match=reason):
        await rendered(box, tmp_path / "clip.mov", content)


@pytest.mark.skipif("LUMILIO_TEST_MEDIA" not in os.environ, reason="real videos are not here")
@pytest.mark.parametrize(
    ("name", "size", "codec"),
    [
        ("mp42-hvc1.mp4", (464, 848), "h264"),
        ("mp4v-avc1.mp4", (640, 416), "h264"),
        ("quicktime-hvc1.mov", (720, 1280), "hevc"),
    ],
)
async def test_real_videos(box: Sandbox, name: str, size: tuple[int, int], codec: str) -> None:
    """What phones and cameras write comes out of the sandbox with its poster."""
    video = await rendered(box, Path(os.environ["LUMILIO_TEST_MEDIA"], "video", name))

    assert ((video.width, video.height), video.codec, video.trouble) == (size, codec, None)
    assert video.rotation == (90 if name.startswith("quicktime") else 0)
    assert (video.audio_codec or "aac", video.hdr, video.is_variable_frame_rate) == ("aac", None, False)
    assert video.duration == pytest.approx(1, abs=0.2)
    assert len(video.thumbnails) == 3


async def test_a_video_is_rendered_as_photos_are(
    pool: Pool, repository: Repository, user: User, box: Sandbox, database_url: str
) -> None:
    """Thumbnails, the contract's facts and the announcement; the claim comes from the same stage."""
    await placing.placed(pool, repository, user, clip(tags=APPLE), "IMG_1.MOV")

    await Processor(pool, box).render(await claim(pool, Stage.RENDER))

    ((facts, width, height),) = await ask(
        pool, "select facts, width, height from assets join asset_metadata using (asset_id)"
    )
    assert (width, height) == (480, 320)
    assert facts | {"city": "", "region": ""} == {
        "codec": "h264",
        "duration": 1.0,
        "profile": "High",
        "frame_rate": 30.0,
        "is_variable_frame_rate": False,
        "rotation": 0,
        "has_audio": False,
        "bitrate": facts["bitrate"],
        "recorded_time": "2023-09-22T18:34:05",
        "camera_make": "Apple",
        "camera_model": "iPad mini",
        "gps_latitude": 52.4597,
        "gps_longitude": 13.322,
        "altitude": 51.178,
        "dimensions": "480x320",
        "stored_dimensions": "480x320",
        "content_identifier": "9C4F",
        "country": "Germany",
        "country_code": "DE",
        "region": "",
        "city": "",
        "time_zone": "Europe/Berlin",
    }
    assert await ask(pool, "select count(*) from thumbnails") == [3]
    assert "lumilio.asset.processed" in await ask(pool, "select subject from outbox")
    assert await verify(database_url)


async def test_a_clock_in_greenwich_is_read_where_the_video_was_taken(
    pool: Pool, repository: Repository, user: User, box: Sandbox
) -> None:
    """A container that knows only the instant shows the time that clocks showed there, if it knows where."""
    tags = {"creation_time": "2023-09-22T16:34:05Z", "location": "+52.4597+013.3220/"}
    await placing.placed(pool, repository, user, clip(kind="mp4", tags=tags), "20230922.mp4")

    await Processor(pool, box).render(await claim(pool, Stage.RENDER))

    assert await ask(pool, "select taken_at::text, taken_offset_minutes from assets") == [("2023-09-22 18:34:05", 120)]


async def test_a_video_without_pictures_keeps_what_it_says(
    pool: Pool, repository: Repository, user: User, box: Sandbox
) -> None:
    """Where no picture can be decoded the stage fails with a sentence, and what the container said is saved with it."""
    await placing.placed(pool, repository, user, clips.unshowable(clip(tags=APPLE)), "IMG_1.MOV")
    work = await claim(pool, Stage.RENDER)

    with pytest.raises(Reject, match="none of its pictures") as rejected:
        await Processor(pool, box).render(work)
    assert rejected.value.save is not None
    async with pool.connection() as conn:
        await rejected.value.save(conn)

    assert await ask(pool, "select facts ->> 'camera_model' from asset_metadata") == ["iPad mini"]
