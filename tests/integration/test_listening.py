"""Of which recordings browsers get an MP3, and that it sounds as the recording does."""

import math
import os
import struct
from io import BytesIO
from pathlib import Path

import av
import pytest
from av.container import InputContainer
from msgspec import structs

from common.db import Pool
from common.stages import Stage
from processor import commands, ffmpeg, mp3, probes, recipes
from processor.probes import Probe
from tests.support import recordings, transcodes
from tests.support.given import Repository, User
from tests.support.recordings import recording
from tests.support.rows import ask, claim

PLAYED = {"mp3": "audio/mpeg", "m4a": "audio/mp4", "flac": "audio/flac", "aac": "audio/aac", "wav": "audio/wav"}
NOT_PLAYED = {
    "vorbis": "audio/ogg",
    "opus": "audio/ogg",
    "alac": "audio/mp4",
    "wav 24": "audio/wav",
    "wav float": "audio/wav",
    "aiff": "audio/aiff",
}


def probed(path: Path, content: bytes, mime: str) -> Probe:
    path.write_bytes(content)
    with path.open("rb") as file:
        return probes.probe(file, mime)


async def made(path: Path, mime: str) -> InputContainer:
    """What the bundled program makes of a recording."""
    web = path.with_suffix(".web")
    with path.open("rb") as source, web.open("w+b") as target, web.open("rb") as reading:
        probe = probes.probe(source, mime)
        recipe = recipes.choose(probe, "always")
        assert recipe is not None
        assert recipe.mime == "audio/mpeg"
        source.seek(0)
        arguments = commands.compose(recipe, probe, source=source.fileno(), target=target.fileno(), threads=1)

        async def told(_: dict[str, str]) -> None: ...

        async with ffmpeg.opened() as program:
            files = [source.fileno(), target.fileno()]
            await program.run(arguments, standard_input=reading.fileno(), descriptors=files, told=told)
    return av.open(BytesIO(web.read_bytes()), "r", format="mp3")


@pytest.mark.parametrize(("kind", "mime"), PLAYED.items())
@pytest.mark.parametrize("channels", [1, 2])
def test_what_every_browser_plays_stays_as_it_is(tmp_path: Path, kind: str, mime: str, channels: int) -> None:
    """No second copy of what needs none."""
    probe = probed(tmp_path / "sound", recording(kind, channels=channels), mime)

    assert recipes.choose(probe, "smart") is None
    assert recipes.choose(probe, "never") is None
    assert recipes.choose(probe, "always") is not None


@pytest.mark.parametrize(("kind", "mime"), NOT_PLAYED.items())
def test_what_some_browser_does_not_play_becomes_an_mp3(tmp_path: Path, kind: str, mime: str) -> None:
    """Whatever the container and the codec."""
    recipe = recipes.choose(probed(tmp_path / "sound", recording(kind), mime), "smart")

    assert recipe is not None
    assert (recipe.mime, recipe.video, recipe.audio) == ("audio/mpeg", None, "encode")


def test_a_huge_wav_becomes_an_mp3(tmp_path: Path) -> None:
    """A browser need not fetch more than 64 MB of plain samples."""
    probe = probed(tmp_path / "sound", recording("wav"), "audio/wav")

    assert recipes.choose(structs.replace(probe, duration=330), "smart") is None
    assert recipes.choose(structs.replace(probe, duration=340), "smart") is not None


@pytest.mark.parametrize("kind", [*PLAYED, *NOT_PLAYED])
@pytest.mark.parametrize("channels", [1, 2])
async def test_a_version_for_browsers_has_the_same_sound(tmp_path: Path, kind: str, channels: int) -> None:
    """As long as the recording, one channel of one and two of two, its rate kept, and no words in it."""
    path, mime = tmp_path / "sound", (PLAYED | NOT_PLAYED)[kind]
    path.write_bytes(recording(kind, channels=channels, tags={"title": "Bees", "artist": "A"}))

    with await made(path, mime) as web:
        sound = web.streams.audio[0]
        heard = sum(frame.samples for frame in web.decode(sound)) / sound.rate
        assert (sound.codec_context.name.removesuffix("float"), sound.codec_context.channels, sound.rate) == (
            "mp3",
            channels,
            48_000,
        )
        assert heard == pytest.approx(2, abs=0.06)
        assert web.metadata.keys() <= {"encoder"}


async def test_six_channels_become_two_and_a_fast_rate_slower(tmp_path: Path) -> None:
    """An MP3 has no more."""
    path = tmp_path / "sound"
    path.write_bytes(recording("flac", channels=6, rate=96_000))

    with await made(path, "audio/flac") as web:
        sound = web.streams.audio[0]
        assert (sound.codec_context.channels, sound.rate) == (2, 48_000)


@pytest.mark.parametrize(
    ("given", "taken"), [(8000, 8000), (44100, 44100), (88200, 44100), (96000, 48000), (7350, 8000), (37800, 44100)]
)
def test_the_rate_of_an_mp3(given: int, taken: int) -> None:
    """One that it can have, the recording's own where it can."""
    assert mp3.rate(given) == taken


def test_a_cover_is_no_video(tmp_path: Path) -> None:
    """A recording with a picture in it stays a recording."""
    plain = tmp_path / "sound"
    plain.write_bytes(recording("mp3"))
    covered = recordings.converted(
        plain.read_bytes(),
        *("-f", "lavfi", "-i", "color=red:s=64x64:d=1", "-map", "0", "-map", "1", "-frames:v", "1", "-c:a", "copy"),
        *("-c:v", "mjpeg", "-disposition:v", "attached_pic", "-f", "mp3"),
    )

    assert probed(plain, covered, "audio/mpeg").video is None


@pytest.mark.parametrize("strange", [math.nan, math.inf, -math.inf, 1e38])
async def test_samples_that_are_no_numbers(tmp_path: Path, strange: float) -> None:
    """What a program left in plain fractions that stands for no loudness costs its moment, and not the recording."""
    plain, content = tmp_path / "sound.wav", recording("wav float", channels=1)
    half = len(content) // 2 // 4 * 4
    plain.write_bytes(content[:half] + struct.pack("<f", strange) * 100 + content[half + 400 :])

    with await made(plain, "audio/wav") as web:
        assert sum(frame.samples for frame in web.decode(web.streams.audio[0])) == pytest.approx(96_000, abs=3000)


@pytest.mark.parametrize(("kind", "way"), [("aiff", "encode"), ("opus", "encode"), ("flac", None)])
async def test_the_stage_makes_what_browsers_need(
    pool: Pool, repository: Repository, user: User, kind: str, way: str | None
) -> None:
    """An MP3 beside the original; ffmpeg starts at the beginning, wherever the probe of the same open file left off."""
    await transcodes.transcodable(pool, repository, user, recording(kind, channels=1), f"sound.{kind}")

    async with transcodes.transcoder(pool) as transcoder:
        await transcoder.transcode(await claim(pool, Stage.TRANSCODE))

    made = await ask(pool, "select mime_type, path from renditions where kind = 'web'")
    assert [mime for mime, _ in made] == (["audio/mpeg"] if way else [])
    for _, path in made:
        assert bytes(path).startswith(b".lumilio/assets/audios/web/")
        assert heard(Path(os.fsdecode(repository.root)) / os.fsdecode(bytes(path))) == pytest.approx(2, abs=0.06)


def heard(path: Path) -> float:
    """How many seconds of one channel can be decoded."""
    with av.open(str(path), "r", format="mp3") as web:
        sound = web.streams.audio[0]
        assert sound.codec_context.channels == 1
        return sum(frame.samples for frame in web.decode(sound)) / sound.rate
