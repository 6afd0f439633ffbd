"""Clips and recordings of every kind in a real browser: they play, are seen and heard, and one can seek in them."""

import os
import re
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image

from tests.support import browser, media
from tests.support.browser import Browser
from tests.support.client import Client, signed_in
from tests.support.films import film
from tests.support.recordings import TONE, recording
from tests.support.stack import running_stack
from tests.support.waiting import until

PROGRAM = browser.found()
PLAYER = (Path(__file__).parents[1] / "support/player.html").read_text()
QUADRANTS = (media.RED, media.GREEN, media.BLUE, media.GREY)
NEAR_COLOUR, NEAR_POSTER, NEAR_PLACE, NEAR_PITCH = 24, 32, 0.06, 12
PACKET = 0.1
SHARE, FAR = 0.8, 5_000_000

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),  # one server and one browser for all
    pytest.mark.skipif(PROGRAM is None, reason=f"no browser here: none of {', '.join(browser.NAMES)} is in PATH"),
]


class Clip(NamedTuple):
    """A video, and how a browser is to show it."""

    make: Callable[[], bytes]
    size: tuple[int, int] = (320, 240)
    stored: int | None = None
    """How wide it is stored, where its dots are not square."""
    seconds: float = 2
    rate: int = 30
    is_heard: bool = False
    is_bright: bool = False
    """Whether its colours are mapped to what a screen can show, which is to look like its poster."""
    is_far: bool = False
    """Whether there is so much of it that a browser has to ask for the part that it goes to."""


class Playing(NamedTuple):
    """A person at a server, with a browser."""

    client: Client
    browser: Browser


SAID = "colorprim=smpte170m:transfer=smpte170m:colormatrix=smpte170m"
TAGGED_264 = {"preset": "ultrafast", "x264-params": SAID}
TAGGED_265 = {"preset": "ultrafast", "x265-params": f"log-level=none:{SAID}"}
"""Of large pictures that do not say so, everybody believes that their colours are coded in another way."""
EVEN = {"preset": "ultrafast", "x264-params": "nal-hrd=cbr:bitrate=100:vbv-maxrate=100:vbv-bufsize=200:keyint=20"}

CLIPS = {
    "h264.mp4": Clip(partial(film, channels=2), is_heard=True),
    "h264.mov": Clip(partial(film, "mov", channels=1), is_heard=True),
    "hevc.mp4": Clip(partial(film, codec="hevc", channels=6), is_heard=True),
    "hevc.mov": Clip(partial(film, "mov", "hevc")),
    "av1.mp4": Clip(partial(film, codec="av1", channels=2), is_heard=True),
    "mpeg4.mp4": Clip(partial(film, codec="mpeg4")),
    "h264.mkv": Clip(partial(film, "mkv", channels=2), is_heard=True),
    "hevc.mkv": Clip(partial(film, "mkv", "hevc", channels=6, sound="ac3"), is_heard=True),
    "av1.mkv": Clip(partial(film, "mkv", "av1", channels=2, sound="flac"), is_heard=True),
    "vp9.webm": Clip(partial(film, "webm", "vp9", channels=2), is_heard=True),
    "vp8.webm": Clip(partial(film, "webm", "vp8")),
    "mpeg4.avi": Clip(partial(film, "avi", "mpeg4", channels=2), is_heard=True),
    "motion.avi": Clip(partial(film, "avi", "mjpeg", channels=1, sound="pcm_s16le"), is_heard=True),
    "h264.ts": Clip(partial(film, "ts", channels=2), is_heard=True),
    "camcorder.m2ts": Clip(partial(film, "m2ts", channels=6), is_heard=True),
    "windows.wmv": Clip(partial(film, "wmv", "wmv2", channels=2), is_heard=True),
    "flash.flv": Clip(partial(film, "flv", "flv1", channels=1, sound="libmp3lame"), is_heard=True),
    "mpeg2.mpg": Clip(partial(film, "mpg", "mpeg2video", channels=2), is_heard=True),
    "h264.flv": Clip(partial(film, "flv", channels=2), is_heard=True),
    "h263.3gp": Clip(
        partial(film, "3gp", "h263", size=(352, 288), channels=1), size=(384, 288), stored=352, is_heard=True
    ),
    "prores.mov": Clip(partial(film, "mov", "prores", channels=2, sound="pcm_s16le"), is_heard=True),
    "turned 90.mov": Clip(partial(film, "mov", turned=90)),
    "turned 180.mp4": Clip(partial(film, codec="hevc", turned=180)),
    "turned 270.mov": Clip(partial(film, "mov", "hevc", turned=270)),
    "portrait.mp4": Clip(partial(film, codec="hevc", size=(478, 850), options=TAGGED_265), size=(478, 850)),
    "odd.mp4": Clip(partial(film, size=(321, 241)), size=(322, 242)),
    "variable.mp4": Clip(partial(film, codec="hevc", is_variable=True, channels=2), is_heard=True),
    "hdr10.mov": Clip(partial(film, "mov", "hevc", hdr="pq"), is_bright=True),
    "hlg.mov": Clip(partial(film, "mov", "hevc", hdr="hlg"), is_bright=True),
    "index first.mp4": Clip(partial(film, starts_fast=True)),
    "large.mp4": Clip(
        partial(film, size=(2560, 1440), seconds=0.5, options=TAGGED_264), size=(1920, 1080), seconds=0.5
    ),
    "three seconds.mp4": Clip(partial(film, seconds=3, channels=2), seconds=3, is_heard=True),
    "twenty minutes.mp4": Clip(
        partial(film, size=(128, 96), seconds=1200, rate=2, options=EVEN),
        size=(128, 96),
        seconds=1200,
        rate=2,
        is_far=True,
    ),
}
REAL = ("quicktime-hvc1.mov", "mp42-hvc1.mp4", "mp4v-avc1.mp4")
RECORDINGS = {
    "a.mp3": "mp3",
    "a.flac": "flac",
    "vorbis.ogg": "vorbis",
    "a.opus": "opus",
    "flac.ogg": "ogg flac",
    "aac.m4a": "m4a",
    "alac.m4a": "alac",
    "a.aac": "aac",
    "a.wav": "wav",
    "deep.wav": "wav 24",
    "float.wav": "wav float",
    "a.aiff": "aiff",
    "a.aifc": "aifc",
    "phone.3gp": "3gp",
    "sound only.mp4": "mp4",
    "sound only.webm": "webm",
    "a.wma": "wma",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def playing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Playing]:
    """A page of a front end at the server's address, whose requests say who asks, as the browser's user signed in."""
    assert PROGRAM is not None
    folder = tmp_path_factory.mktemp("playing")
    async with (
        running_stack(folder) as stack,
        signed_in(stack) as client,
        browser.browsing(folder, PROGRAM) as window,
    ):
        await window.open(f"{stack.base_url}/player", PLAYER, Authorization=client.http.headers["Authorization"])
        yield Playing(client, window)


async def given(client: Client, name: str, content: bytes) -> str:
    """An uploaded file, once a browser's version of it is there if it needs one."""
    sent = await client.http.post("/assets", files={"file": (name, content)})
    assert sent.status_code == 200, sent.text
    asset = sent.json()["data"]["asset_id"]

    async def is_through() -> bool:
        states = {stage["stage"]: stage["state"] for stage in await stages(client, asset)}
        assert "failed" not in states.values(), await stages(client, asset)
        return states.get("transcode") == "done"

    await until(is_through, seconds=60, what=f"{name} is transcoded")
    return str(asset)


async def stages(client: Client, asset: object) -> list[dict[str, Any]]:
    return list((await client.get(f"/assets/{asset}")).json()["data"]["stages"])


async def shown(window: Browser, kind: str, asset: str) -> dict[str, Any]:
    """What the browser says of it once it is ready to be played to its end."""
    window.responses.clear()
    return dict(await window.run(f"show('{kind}', '/api/v1/assets/{asset}/{kind}/web')"))


def answers(window: Browser) -> list[dict[str, Any]]:
    """What the server answered when the element asked."""
    return [answer for answer in window.responses if answer["url"].endswith("/web")]


def begin(answer: dict[str, Any]) -> int:
    """Where the part begins that the server answered with."""
    found = re.match(
        r"bytes (\d+)-", {name.lower(): value for name, value in answer["headers"].items()}["content-range"]
    )
    assert found is not None
    return int(found[1])


async def poster(client: Client, asset: str) -> list[list[int]]:
    """The colours in the middles of the four quarters of its poster."""
    answer = await client.get(f"/assets/{asset}/thumbnail", size="medium")
    picture = Image.open(BytesIO(answer.content)).convert("RGB")
    places = [(x * picture.width // 4, y * picture.height // 4) for y in (1, 3) for x in (1, 3)]
    return [list(cast("tuple[int, int, int]", picture.getpixel(place))) for place in places]


def distance(ones: Sequence[Sequence[int]], others: Sequence[Sequence[int]]) -> int:
    """How far two lists of colours are apart, at worst, in one of their parts."""
    return int(np.abs(np.array(ones) - np.array(others)).max())


def wanders(clip: Clip) -> float:
    """Where the white square is after the sought share of the clip, as `film` draws it."""
    width = clip.stored or clip.size[0]
    number = round(SHARE * clip.seconds * clip.rate)
    return (number * 4 % (width - 16) + 8) / width


@pytest.mark.parametrize("name", CLIPS)
async def test_a_clip_plays_with_seeking(playing: Playing, name: str) -> None:
    """It is shown upright in its size, length and colours, runs, sounds, and shows the very picture that is sought."""
    clip, window = CLIPS[name], playing.browser
    asset = await given(playing.client, name, clip.make())

    facts = await shown(window, "video", asset)
    ran = await window.run("play()")
    pitch = await window.run("listen()") if clip.is_heard else TONE
    place = await window.run(f"seek({SHARE})")
    seen = await window.run("look()")

    assert (facts["width"], facts["height"]) == clip.size
    assert facts["duration"] == pytest.approx(clip.seconds, abs=PACKET if clip.is_heard else 1.5 / clip.rate)
    assert ran > 0
    assert pitch == pytest.approx(TONE, abs=NEAR_PITCH)
    assert place == pytest.approx(SHARE * facts["duration"], abs=1 / clip.rate)
    assert seen["white"] == pytest.approx(wanders(clip), abs=NEAR_PLACE)
    assert distance(seen["quarters"], await poster(playing.client, asset)) <= NEAR_POSTER
    assert clip.is_bright or distance(seen["quarters"], QUADRANTS) <= NEAR_COLOUR
    assert {answer["status"] for answer in answers(window)} == {206}
    assert clip.is_far == any(begin(answer) > FAR for answer in answers(window))


@pytest.mark.skipif("LUMILIO_TEST_MEDIA" not in os.environ, reason="real videos are not here")
@pytest.mark.parametrize("name", REAL)
async def test_a_real_clip_plays_with_seeking(playing: Playing, name: str) -> None:
    """What a phone or a camera wrote is upright and as long as it was, and can be played from its middle."""
    content = Path(os.environ["LUMILIO_TEST_MEDIA"], "video", name).read_bytes()
    asset = await given(playing.client, name, content)
    known = (await playing.client.get(f"/assets/{asset}")).json()["data"]

    facts = await shown(playing.browser, "video", asset)
    ran = await playing.browser.run("play()")
    place = await playing.browser.run("seek(0.5)")

    assert (facts["width"], facts["height"]) == (known["width"], known["height"])
    assert facts["duration"] == pytest.approx(known["duration"], abs=PACKET)
    assert ran > 0
    assert place == pytest.approx(facts["duration"] / 2, abs=0.04)


@pytest.mark.parametrize("name", RECORDINGS)
async def test_a_recording_plays_with_seeking(playing: Playing, name: str) -> None:
    """It is as long as it was, and its tone is heard from the start and from where one goes."""
    window = playing.browser
    asset = await given(playing.client, name, recording(RECORDINGS[name], seconds=3))

    facts = await shown(window, "audio", asset)
    ran = await window.run("play()")
    pitches = [await window.run("listen()")]
    place = await window.run("seek(0.5)")
    await window.run("media.play()")
    pitches.append(await window.run("listen()"))

    assert facts["duration"] == pytest.approx(3, abs=PACKET)
    assert ran > 0
    assert place == pytest.approx(0.5 * facts["duration"], abs=0.01)
    assert pitches == pytest.approx([TONE, TONE], abs=NEAR_PITCH)
    assert {answer["status"] for answer in answers(window)} == {206}
