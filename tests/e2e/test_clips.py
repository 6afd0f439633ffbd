"""Clips and recordings from a person's point of view: what is made of them, how that is followed, and what ends it."""

import os
import signal
import subprocess
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
from PIL import Image

from common import layout
from tests.support.client import Client, signed_in
from tests.support.films import film
from tests.support.processes import family, runs
from tests.support.recordings import recording
from tests.support.stack import Stack
from tests.support.waiting import until

LONG_SECONDS = 30


def long(folder: Path, seconds: int = LONG_SECONDS) -> bytes:
    """A clip that takes more than a moment to transcode, and little to make: a second of it, again and again."""
    (folder / "second.mp4").write_bytes(film(codec="hevc", size=(640, 360), seconds=1))
    program, target = imageio_ffmpeg.get_ffmpeg_exe(), folder / "long.mp4"
    told = ["-stream_loop", str(seconds - 1), "-i", str(folder / "second.mp4"), "-c", "copy", str(target)]
    subprocess.run([program, "-v", "error", *told], check=True)
    return target.read_bytes()


async def sent(client: Client, name: str, content: bytes) -> str:
    await client.send(content, name)
    return str(client.acks[-1].asset_id)


async def stage(client: Client, asset: str) -> dict[str, Any]:
    """How far the transcode is; empty while there is none."""
    shown = (await client.get(f"/assets/{asset}")).json()["data"]
    return next((dict(one) for one in shown["stages"] if one["stage"] == "transcode"), {})


async def until_transcoded(client: Client, asset: str, seconds: float = 90) -> None:
    async def is_done() -> bool:
        found = await stage(client, asset)
        assert found.get("state") != "failed", found
        return found.get("state") == "done"

    await until(is_done, seconds=seconds, what=f"{asset} is transcoded")


async def until_under_way(client: Client, asset: str) -> dict[str, Any]:
    """What is told of a transcode, once there is something to tell."""

    async def progress() -> dict[str, Any]:
        found = await stage(client, asset)
        assert found.get("state") not in {"done", "failed"}, found
        return found.get("progress") or {}

    return await until(progress, seconds=60, what="progress is told")


def transcoders(stack: Stack) -> list[int]:
    """The processes of this server that are ffmpeg."""
    return [pid for pid in family(stack.pid("processor")) if "ffmpeg" in _program(pid)]


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().partition(b"\0")[0].decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def renditions(stack: Stack) -> list[Path]:
    """All files where versions for browsers lie, whatever they are called."""
    folder = stack.repository / layout.WEB_VIDEOS.decode()
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_clip_gets_pictures_and_a_version_for_browsers(stack: Stack) -> None:
    """A phone's HEVC clip has three thumbnails and a preview that moves, is MP4 with H.264, and keeps its original."""
    content = film("mov", "hevc", channels=2, turned=90)
    async with signed_in(stack) as client:
        asset = await sent(client, "clip.mov", content)
        await until_transcoded(client, asset)

        sizes = [
            Image.open(BytesIO(await thumbnail(client, asset, size))).size for size in ("small", "medium", "large")
        ]
        preview = Image.open(BytesIO((await client.get(f"/assets/{asset}/preview")).content))
        web = await client.get(f"/assets/{asset}/video/web")
        original = await client.get(f"/assets/{asset}/original")

    assert sizes == [(320, 240)] * 3
    assert (preview.format, preview.n_frames > 1) == ("WEBP", True)  # type: ignore[attr-defined]  # of what moves
    assert (web.status_code, web.headers["content-type"]) == (200, "video/mp4")
    with av.open(BytesIO(web.content)) as played:
        codecs = [track.codec_context.codec.canonical_name for track in (*played.streams.video, *played.streams.audio)]
    assert codecs == ["h264", "aac"]
    assert original.content == content


async def thumbnail(client: Client, asset: str, size: str) -> bytes:
    return (await client.get(f"/assets/{asset}/thumbnail", size=size)).content


async def test_a_recording_tells_its_tags_and_shows_its_loudness(stack: Stack) -> None:
    """A recording that browsers do not play has its title, its waveform as numbers and as a picture, and an MP3."""
    content = recording("aiff", channels=1, tags={"title": "Rain on a roof"})
    async with signed_in(stack) as client:
        asset = await sent(client, "rain.aiff", content)
        await until_transcoded(client, asset)

        shown = (await client.get(f"/assets/{asset}")).json()["data"]
        waveform = (await client.get(f"/assets/{asset}/waveform")).json()
        picture = await client.get(f"/assets/{asset}/waveform", format="png")
        web = await client.get(f"/assets/{asset}/audio/web")

    assert shown["specific_metadata"]["title"] == "Rain on a roof"
    assert len(waveform["data"]) == 2 * waveform["length"] > 200
    assert Image.open(BytesIO(picture.content)).size == (1200, 200)
    with av.open(BytesIO(web.content)) as played:
        (track,) = played.streams.audio
        assert (track.codec_context.codec.canonical_name, track.codec_context.channels) == ("mp3", 1)


async def test_a_transcode_that_is_called_off_leaves_nothing(stack: Stack, tmp_path: Path) -> None:
    """Progress is told while it runs; DELETE ends its process, removes its file, and the original is what is played."""
    content, before = long(tmp_path, 600), renditions(stack)
    async with signed_in(stack) as client:
        asset = await sent(client, "long.mp4", content)
        told = await until_under_way(client, asset)
        running = transcoders(stack)

        answer = await client.http.delete(f"/assets/{asset}/transcode")
        await until_transcoded(client, asset)
        served = await client.get(f"/assets/{asset}/video/web")

    assert 0 <= told["percent"] < 100
    assert (answer.status_code, len(running)) == (200, 1)
    await until(lambda: not any(map(runs, running)), what="ffmpeg has ended")
    assert renditions(stack) == before
    assert served.content == content


async def test_a_killed_transcode_is_finished_by_the_next_processor(stack: Stack, tmp_path: Path) -> None:
    """kill -9 of the processor takes its ffmpeg along, the original is what is played, and the work is done again."""
    content = long(tmp_path)
    async with signed_in(stack) as client:
        asset = await sent(client, "long.mp4", content)
        running = await until(lambda: transcoders(stack), seconds=60, what="ffmpeg has begun")
        os.kill(running[0], signal.SIGSTOP)  # so that it cannot be done before it is killed

        killed = stack.kill_child("processor")
        await until(lambda: not any(map(runs, running)), what="ffmpeg has ended with the processor")
        served = await client.get(f"/assets/{asset}/video/web")
        await stack.until_replaced("processor", killed)
        await until_transcoded(client, asset)
        web = await client.get(f"/assets/{asset}/video/web")

    assert len(running) == 1
    assert served.content == content
    with av.open(BytesIO(web.content)) as played:
        assert played.streams.video[0].codec_context.codec.canonical_name == "h264"
        assert played.streams.video[0].frames == LONG_SECONDS * 30
