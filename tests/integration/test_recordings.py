"""Recordings are heard, described and drawn, through the real sandbox, and hostile ones end in a verdict."""

from io import BytesIO
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from common.db import Pool
from common.stages import Stage
from processor import audios, sandbox
from processor.audios import Audio
from processor.handlers import Processor
from processor.sandbox import Sandbox
from tests.support import placing
from tests.support.given import Repository, User
from tests.support.recordings import recording
from tests.support.rows import ask, claim

FRAME = 0.05
LOUD, LOUDEST = 0.5 * 32767, 0.62 * 32767
TYPES = {
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    **dict.fromkeys(("vorbis", "opus", "ogg flac"), "audio/ogg"),
    **dict.fromkeys(("m4a", "alac"), "audio/mp4"),
    "aac": "audio/aac",
    **dict.fromkeys(("wav", "wav 24", "wav float", "rf64"), "audio/wav"),
    **dict.fromkeys(("aiff", "aifc"), "audio/aiff"),
}
LOSSLESS = {"flac": 16, "ogg flac": None, "alac": 24, "wav": 16, "wav 24": 24, "wav float": 32, "rf64": 16} | {
    "aiff": 16,
    "aifc": 32,
}


def half(second: float) -> float:
    """Loud for a second, then silent."""
    return 0.5 if second < 1 else 0.0


async def rendered(box: Sandbox, path: Path, content: bytes, mime: str) -> Audio:
    path.write_bytes(content)
    return await box.run(audios.render, path, mime, owner=1, limits=sandbox.limits_of(mime, len(content)))


def peaks(audio: Audio) -> np.ndarray:
    """A row of pairs, the least and the greatest sample of each."""
    assert audio.waveform is not None
    told = msgspec.json.decode(audio.waveform.json)
    assert told["length"] * 2 == len(told["data"])
    return np.array(told["data"]).reshape(-1, 2)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("kind", TYPES)
async def test_every_format_is_heard(box: Sandbox, tmp_path: Path, kind: str, channels: int) -> None:
    """Its codec, length, rate and channels are those of the sound; it is drawn loud where it is loud."""
    audio = await rendered(box, tmp_path / "sound", recording(kind, channels=channels, loudness=half), TYPES[kind])

    heard, middle = peaks(audio), len(peaks(audio)) // 2
    assert (audio.trouble, audio.sample_rate, audio.channels, audio.metadata.notes) == (None, 48_000, channels, ())
    assert audio.duration == pytest.approx(2, abs=FRAME)
    assert (audio.is_lossless, audio.bits_per_sample) == (kind in LOSSLESS, LOSSLESS.get(kind))
    assert audio.bitrate is not None
    assert -LOUDEST < heard[: middle - 90].min() < -0.95 * LOUD
    assert 0.95 * LOUD < heard[: middle - 90].max() < LOUDEST
    assert np.abs(heard[middle + 90 :]).max() < 40


async def test_the_json_is_what_players_read(box: Sandbox, tmp_path: Path) -> None:
    """The names of audiowaveform's version 2, between one and two thousand peaks of sixteen bits."""
    audio = await rendered(box, tmp_path / "sound", recording("wav"), "audio/wav")

    assert audio.waveform is not None
    told = msgspec.json.decode(audio.waveform.json)
    assert {name: value for name, value in told.items() if name != "data"} == {
        "version": 2,
        "channels": 1,
        "sample_rate": 48_000,
        "samples_per_pixel": 64,
        "bits": 16,
        "length": 1500,
        "duration": 2.0,
    }


async def test_the_picture_shows_where_it_is_loud(box: Sandbox, tmp_path: Path) -> None:
    """1200 x 200 pixels of one colour: high where it is loud, a line where it is silent, else nothing."""
    audio = await rendered(box, tmp_path / "sound", recording("wav", loudness=half), "audio/wav")

    assert audio.waveform is not None
    picture = Image.open(BytesIO(audio.waveform.png))
    covered = np.asarray(picture)[..., 3] / 255
    assert (picture.size, picture.mode) == ((1200, 200), "RGBA")
    assert (np.asarray(picture)[..., :3] == (0x3B, 0x82, 0xF6)).all()
    assert covered[:, 10:500].sum(axis=0).min() > 190
    assert covered[:, 700:].sum(axis=0) == pytest.approx(1, abs=0.05)


async def test_a_recording_is_rendered_as_photos_are(
    pool: Pool, repository: Repository, user: User, box: Sandbox
) -> None:
    """Its waveform on the disk, the contract's facts and the announcements; without a cover there are no thumbnails."""
    tags = {"title": "Bees", "artist": "Ann", "album": "Hive", "genre": "Folk", "date": "2019", "track": "3/12"}
    await placing.placed(pool, repository, user, recording("flac", tags=tags | {"comment": "In May"}), "bees.flac")

    await Processor(pool, box).render(await claim(pool, Stage.RENDER))

    ((facts, title),) = await ask(pool, "select facts, facts ->> 'title' from asset_metadata")
    assert title == "Bees"
    assert {name: value for name, value in facts.items() if name not in {"recorded_time", "bitrate"}} == {
        "codec": "flac",
        "duration": 2.0,
        "sample_rate": 48_000,
        "channels": 2,
        "bits_per_sample": 16,
        "is_lossless": True,
        "title": "Bees",
        "description": "In May",
        "artist": "Ann",
        "album": "Hive",
        "genre": "Folk",
        "year": 2019,
        "track": 3,
        "track_count": 12,
    }
    assert await ask(pool, "select kind, mime_type from renditions order by kind") == [
        ("waveform", "application/json"),
        ("waveform_image", "image/png"),
    ]
    assert await ask(pool, "select count(*) from thumbnails") == [0]
    assert await ask(pool, "select state from asset_stages where stage = 'transcode'") == ["pending"]
    assert "lumilio.asset.processed" in await ask(pool, "select subject from outbox")
