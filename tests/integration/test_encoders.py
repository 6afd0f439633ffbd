"""Encoders in hardware are used where they work, through their devices and nothing else."""

import dataclasses
import os
import shutil
import subprocess
from collections.abc import AsyncIterator

import av
import pytest
from msgspec import structs

from common.db import Pool
from common.settings import load
from common.stages import Stage
from processor import ffmpeg, hardware, narrow, sandbox
from processor.encoders import HARDWARE, SOFTWARE, Encoder
from processor.ffmpeg import Ffmpeg
from processor.handlers import Processor
from processor.main import ProcessorSettings
from processor.narrow import Limits
from processor.transcoding import Transcoder
from tests.support import placing
from tests.support.films import film
from tests.support.given import Repository, User
from tests.support.rows import ask, claim

WORKS = Encoder(name="mpeg4", options={"q:v": 5})
ALSO_WORKS = structs.replace(SOFTWARE, devices=("/dev/zero",))
UNKNOWN = Encoder(name="h264_of_nobody", options={})
BROKEN = Encoder(name="libx264", options={"preset": "of nobody"})
AWAY = structs.replace(SOFTWARE, devices=("/dev/nothing*", "/dev/zero"))


@pytest.fixture
async def program() -> AsyncIterator[Ffmpeg]:
    async with ffmpeg.opened() as opened:
        yield opened


async def test_a_device_is_there_for_whom_it_was_named(program: Ffmpeg) -> None:
    """A program reads the devices that it was given and no others."""
    head = shutil.which("head")
    assert head

    def read(limits: Limits) -> bytes:
        command = narrow.command(program.folder, limits, head, "-c", "1", "/dev/zero")
        done = subprocess.run(command, env={}, capture_output=True, check=False)
        return done.stdout or done.stderr

    assert read(Limits(devices=("/dev/zero",))) == b"\0"
    assert b"Permission denied" in read(Limits())


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        ([UNKNOWN, BROKEN, AWAY, WORKS, ALSO_WORKS], WORKS),
        ([ALSO_WORKS, WORKS], ALSO_WORKS),
        ([UNKNOWN, AWAY], None),
        ([], None),
    ],
)
async def test_the_first_encoder_that_works_is_taken(
    program: Ffmpeg, candidates: list[Encoder], expected: Encoder | None
) -> None:
    """One that nobody compiled in, one that fails, and one whose device is missing are passed over."""
    assert await hardware.first_working(program, candidates) == expected


async def test_a_program_that_cannot_be_started_has_no_encoder(program: Ffmpeg) -> None:
    """The processor starts all the same."""
    assert await hardware.first_working(dataclasses.replace(program, program="/nowhere/ffmpeg"), [WORKS]) is None


async def test_what_was_named_and_does_not_work_is_told(program: Ffmpeg) -> None:
    """Whoever relies on it sees it where the server says how it is; whoever named none, or any, is told of nothing."""
    async with hardware.sought(program, "h264_vaapi", [structs.replace(WORKS, name="h264_vaapi")]) as (found, told):
        assert (found, told) == (None, ["videos are encoded in software: h264_vaapi does not work here"])
    async with hardware.sought(program, "none", [WORKS]) as chosen:
        assert chosen == (None, [])
    async with hardware.sought(program, "auto", [UNKNOWN]) as chosen:
        assert chosen == (None, [])
    async with hardware.sought(program, "auto", [WORKS]) as chosen:
        assert chosen == (WORKS, [])


def test_every_encoder_can_be_named() -> None:
    """By the setting, as ffmpeg calls it."""
    given = {"LUMILIO_DATABASE_URL": "postgresql://", "LUMILIO_NATS_URL": "nats://"}
    for encoder in HARDWARE:
        said = load(ProcessorSettings, {**given, "LUMILIO_HARDWARE_ENCODER": encoder.name})
        assert said.hardware_encoder == encoder.name


@pytest.mark.parametrize(("encoder", "codec"), [(WORKS, "mpeg4"), (BROKEN, "h264"), (UNKNOWN, "h264")])
async def test_what_hardware_does_not_manage_is_done_in_software(
    pool: Pool, repository: Repository, user: User, program: Ffmpeg, encoder: Encoder, codec: str
) -> None:
    """The same run makes the version, by the encoder that works."""
    await placing.placed(pool, repository, user, film("mp4", "hevc", seconds=0.5), "film.mp4")
    async with sandbox.open(1) as box:
        await Processor(pool, box).render(await claim(pool, Stage.RENDER))
        await Transcoder(pool, box, program, hardware=encoder).transcode(await claim(pool, Stage.TRANSCODE))

    ((path, recipe),) = await ask(pool, "select path, recipe from renditions where kind = 'web'")
    assert recipe == "2 video/mp4 video=encode audio=None"
    with av.open(os.path.join(os.fsdecode(repository.root), os.fsdecode(path))) as made:
        assert made.streams.video[0].codec_context.name == codec
        assert sum(1 for _ in made.decode(video=0)) == 15
