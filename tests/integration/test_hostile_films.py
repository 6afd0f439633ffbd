"""Films that mean harm end in a verdict or in a harmless film: nobody is called, nothing is opened, nothing stays."""

import os
import resource
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from common import sniff
from common.db import Pool
from common.stages import Reject, Stage
from processor import commands, ffmpeg, probes, sandbox
from processor.clips import DEMUXERS
from processor.ffmpeg import Ffmpeg
from processor.probes import Probe, VideoTrack
from processor.recipes import Recipe
from processor.sandbox import Sandbox
from processor.unreadable import Unreadable
from tests.support import films, traps
from tests.support.given import Repository, User
from tests.support.placing import originals
from tests.support.processes import encoders
from tests.support.rows import claim, row
from tests.support.transcodes import made, transcodable, transcoder

SECONDS = 30
TYPES = {demuxer: mime for mime, demuxer in DEMUXERS.items() if mime.startswith("video/")}
PICTURES = VideoTrack(
    index=0, codec="h264", profile=None, pixels="yuv420p", width=320, height=240, frame_rate=30, hdr=None
)
REMADE = Recipe(mime="video/mp4", video="encode", audio=None)
NAMES = tuple(traps.lists(Path("/secret/film.mp4"), 1))
HARMLESS = {"an endless duration", "a million pictures a second", "60 fonts"}
"""What is made into a film all the same."""


@pytest.fixture
async def program() -> AsyncIterator[Ffmpeg]:
    async with ffmpeg.opened() as opened:
        yield opened


@pytest.fixture
def canary() -> Iterator[socket.socket]:
    """Somebody listens and would like to hear of it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening
        with pytest.raises(BlockingIOError):
            listening.accept()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """Somebody else's film."""
    path = tmp_path / "secret.mp4"
    path.write_bytes(films.film("mp4"))
    return path


@pytest.mark.parametrize("name", NAMES)
async def test_a_list_of_other_files_is_no_film(
    box: Sandbox, program: Ffmpeg, canary: socket.socket, secret: Path, name: str
) -> None:
    """It is no format that we take; and whichever it is taken for, the sandbox and ffmpeg find nothing in it."""
    content = traps.lists(secret, canary.getsockname()[1])[name]
    path = secret.parent / "film.mp4"
    path.write_bytes(content)

    assert sniff.sniff(content) is None
    for demuxer, mime in TYPES.items():
        with pytest.raises(Unreadable):
            await box.run(probes.probe, path, mime, owner=1, limits=sandbox.VIDEO)
        assert await leaked(program, path, demuxer, mime) == b""


async def leaked(program: Ffmpeg, path: Path, demuxer: str, mime: str) -> bytes:
    """What ffmpeg makes of a file, were the probe deceived."""
    probe = Probe(demuxer=demuxer, mime=mime, duration=1, video=PICTURES, audio=None, starts_fast=False)
    target = path.parent / "target"
    target.write_bytes(b"")
    with path.open("rb") as source, target.open("r+b") as writing, target.open("rb") as reading:
        arguments = commands.compose(REMADE, probe, source=source.fileno(), target=writing.fileno(), threads=1)
        with pytest.raises(ffmpeg.Failed):
            await program.run(
                arguments,
                standard_input=reading.fileno(),
                descriptors=[source.fileno(), writing.fileno()],
                told=hear_nothing,
            )
    return target.read_bytes()


async def hear_nothing(_: ffmpeg.Said) -> None:
    """Progress is of no interest."""


async def test_pictures_that_lie_in_another_file_stay_there(
    pool: Pool, repository: Repository, user: User, secret: Path
) -> None:
    """A film that says that its pictures are in somebody else's file is read in its own bytes, which are noise."""
    secret.write_bytes(films.film("mov", "mpeg4", size=(480, 320)))
    trap = secret.with_name("trap.mov")
    trap.write_bytes(traps.elsewhere(secret))
    asked = ["-v", "verbose", "-enable_drefs", "1", "-use_absolute_path", "1", "-i", str(trap), "-f", "null", "-"]
    careless = subprocess.run([ffmpeg.bundled(), *asked], capture_output=True, text=True, check=True)
    assert f"Opening '{secret}'" in careless.stderr
    await transcodable(pool, repository, user, trap.read_bytes(), "film.mov")

    async with transcoder(pool, policy="always") as work:
        with pytest.raises(Reject):
            await work.transcode(await claim(pool, Stage.TRANSCODE))

    assert made(repository) == []


@pytest.mark.parametrize("name", traps.BOMBS)
async def test_a_bomb_ends_soon(pool: Pool, repository: Repository, user: User, name: str) -> None:
    """For little work there is a harmless film or a sentence, no process and no file more; the next film is made."""
    content, before = traps.BOMBS[name](), worked()
    await transcodable(pool, repository, user, content)
    async with transcoder(pool, policy="always") as work:
        verdict = ""
        try:
            await work.transcode(await claim(pool, Stage.TRANSCODE))
        except Reject as rejection:
            verdict = str(rejection)
        assert os.listdir(os.path.join(work.ffmpeg.folder, "cwd")) == []
        assert os.listdir(work.ffmpeg.folder) == ["cwd"]
        assert "0x" not in verdict
        assert "fd:" not in verdict
        assert encoders() == []
        assert len(made(repository)) == (0 if verdict else 1)
        assert content in originals(repository).values()
        if name in HARMLESS:
            assert verdict == ""

        good = await transcodable(pool, repository, user, films.film("avi", "mpeg4", size=(64, 48), seconds=0.5))
        await work.transcode(await claim(pool, Stage.TRANSCODE))
        assert (await row(pool, good, Stage.TRANSCODE))["state"] == "done"
    assert worked() - before < SECONDS


def worked() -> float:
    """Seconds of processor time that children took which have ended, and theirs: no busy machine makes them more."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
