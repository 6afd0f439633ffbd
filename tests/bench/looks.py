"""What clips look like and recordings sound like: the product's confined code beside bare loops over PyAV."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO
from unittest.mock import patch

import av

from processor import audios, frames, previews, sandbox, videos
from processor.sandbox import VIDEO, Sandbox
from processor.videos import Video
from tests.bench import clips
from tests.bench.figures import Bench, Results

ROUNDS = 5
CLIP_SECONDS, RECORDING_SECONDS = 10, 600
OWNER = 1
RECORDINGS = {"mp3": "audio/mpeg", "m4a": "audio/mp4", "flac": "audio/flac"}

Figures = AsyncIterator[tuple[str, float]]


async def posters(bench: Bench) -> Results:
    """Milliseconds from a phone's clip to its facts and thumbnails, with and without its preview and frames."""
    async with sandbox.open(1, modules=(*sandbox.DECODERS, __name__)) as box:
        return {name: value async for name, value in _posters(box, bench.folder)}


async def waveforms(bench: Bench) -> Results:
    """How much faster than it plays a recording of ten minutes is read to its end."""
    async with sandbox.open(1) as box:
        return {name: value async for name, value in _waveforms(box, bench.folder)}


async def _posters(box: Sandbox, folder: Path) -> Figures:
    for codec in clips.CODECS:
        path = await asyncio.to_thread(clips.phone, folder / f"{codec}.mp4", codec, seconds=CLIP_SECONDS)
        alone, moving, whole, bare = [], [], [], []
        for _ in range(ROUNDS):
            bare.append(await asyncio.to_thread(_seconds, still, path))
            alone.append(await _confined(box, poster_alone, path, "video/mp4"))
            moving.append(await _confined(box, without_frames, path, "video/mp4"))
            whole.append(await _confined(box, videos.render, path, "video/mp4"))
        yield f"clips: facts and poster of {codec}, ms (<= 200)", 1000 * min(alone)
        yield f"clips: one bare picture of {codec}, ms", 1000 * min(bare)
        yield f"clips: ratio of the two, {codec}", _ratio(alone, bare)
        yield f"clips: facts, poster and preview of {codec}, ms", 1000 * min(moving)
        yield f"clips: the same with frames of {codec}, ms", 1000 * min(whole)


async def _waveforms(box: Sandbox, folder: Path) -> Figures:
    for extension, mime in RECORDINGS.items():
        path = await asyncio.to_thread(clips.recording, folder / f"ten.{extension}", seconds=RECORDING_SECONDS)
        ours, bare = [], []
        for _ in range(ROUNDS // 2):
            bare.append(await asyncio.to_thread(_seconds, heard, path))
            ours.append(await _confined(box, audios.render, path, mime))
        yield f"recordings: {extension}, times real time (>= 300)", RECORDING_SECONDS / min(ours)
        yield f"recordings: {extension}, bare decoding, times real time", RECORDING_SECONDS / min(bare)
        yield f"recordings: {extension}, ratio", _ratio(bare, ours)


async def _confined(box: Sandbox, function: Callable[..., object], path: Path, mime: str) -> float:
    began = time.monotonic()
    await box.run(function, path, mime, owner=OWNER, limits=VIDEO)
    return time.monotonic() - began


def _ratio(some: list[float], others: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(some, others, strict=True))


def _seconds(work: Callable[[Path], object], path: Path) -> float:
    began = time.monotonic()
    work(path)
    return time.monotonic() - began


def poster_alone(file: BinaryIO, mime: str) -> Video:
    """What rendering a clip cost if it made no animation and no frames."""
    with patch.object(previews, "preview", return_value=None):
        return without_frames(file, mime)


def without_frames(file: BinaryIO, mime: str) -> Video:
    """What rendering a clip cost if it made no frames."""
    with patch.object(frames, "spread", return_value={}):
        return videos.render(file, mime)


def still(path: Path) -> object:
    """One picture at a second, as small as the large thumbnail is."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_count = 1
        container.seek(av.time_base)
        later = (frame for frame in container.decode(stream) if frame.time is not None and frame.time >= 1)
        return next(later).to_ndarray(width=1920, height=1080, format="rgb24")


def heard(path: Path) -> int:
    """Everything decoded and nothing made of it."""
    with av.open(path) as container:
        return sum(frame.samples for frame in container.decode(audio=0))


ALL = (posters, waveforms)
