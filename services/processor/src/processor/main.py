"""Processor: reads metadata, renders thumbnails, and makes versions of videos and recordings for browsers."""

import asyncio
from typing import Annotated

from msgspec import Meta

from common import cores, memory, process, streams
from common.rendering import Format, Large, Medium, Policy, Quality, Small
from common.settings import NotNegative, Settings
from common.stages import Stage, Work
from common.streams import Durable
from common.worker import Worker
from processor import decoders, exiftool, ffmpeg, hardware, options, sandbox
from processor.encoders import Hardware
from processor.handlers import Processor
from processor.images import Options
from processor.narrow import Priority
from processor.transcoding import Transcoder
from processor.write_back import WriteBack

NOBODY = 0
SIDECARS = 2
"""How many sidecars are written at once."""
MOST_THREADS = 16
"""More of them make one film hardly faster, and take memory."""

PHOTO_BYTES = 1 << 29
FILM_BYTES = 2 << 30
"""What a container needs for each photo that is decoded, as few need more, and each version that is made meanwhile."""

# Thumbnails of what was accepted may take the reserve of uploads, down to what the database needs to go on.
SPARE = 1 << 28


Program = Annotated[str, Meta(pattern="^(/.*)?$")]


class ProcessorSettings(Settings, frozen=True, kw_only=True):
    """What the processor needs to know; 0 workers means one for each core there is for it.

    Repositories may say otherwise of thumbnails, by the same names.
    """

    reserve_bytes: NotNegative = 2 * 1024**3
    """What versions for browsers leave free on a disk; thumbnails leave 256 MiB of it."""
    workers: NotNegative = 0
    """How many photos are rendered at once; 0 is one for each core, or fewer by what a container may use."""
    require_sandbox: bool = False
    """`true` refuses to run where the kernel cannot confine decoders fully."""
    exiftool: Program = ""
    """Where exiftool lies, `/usr/bin/exiftool`, to have it look at photos of which nobody else knows the time or the
    camera ([operations.md](operations.md#a-second-look-by-exiftool)).
    """
    thumbnail_format: Format = "webp"
    """What small and medium thumbnails are; large ones are JPEG."""
    thumbnail_quality: Quality = 80
    """How well those two are kept."""
    thumbnail_large_quality: Quality = 85
    """How well the large ones are kept."""
    thumbnail_small: Small = 400
    """The longest edge of small thumbnails in pixels."""
    thumbnail_medium: Medium = 800
    """The same of the medium ones."""
    thumbnail_large: Large = 1920
    """The same of the large ones; each is made of the next larger one, so none gets larger than that."""
    web_policy: Policy = "smart"
    """Of which videos and recordings a version for browsers is made: `smart` of those that need one, `always` of all,
    `never` of none.
    """
    renders: bool = True
    """`false` for a processor that only makes versions for browsers, on another machine say."""
    transcodes: NotNegative = 1
    """How many of those are made at once; 0 leaves them to another processor."""
    transcode_priority: Priority = "low"
    """`low` lets everything else have the processors first, thumbnails too; `idle` uses processors and disks only while
    nobody else does.
    """
    hardware_encoder: Hardware = "auto"
    """What encodes videos: `auto` is the first in hardware that works at the start, else software; `none` is software;
    or one by its name.
    """


async def serve(config: ProcessorSettings, stop: asyncio.Event) -> None:
    """Render, write sidecars and transcode until told to stop; not where a decoder could run that nobody named."""
    workers = config.workers or photos_at_once(cores.count(), memory.limit(), films=config.transcodes)
    async with (
        sandbox.open(workers, require=config.require_sandbox) as box,
        exiftool.opened(config.exiftool) as (second_look, told),
        ffmpeg.opened() as program,
        hardware.sought(program, config.hardware_encoder) as (encoder, missed),
        process.core("processor", config, stop, notes=[*_notes(box.status), *told, *missed]) as core,
        asyncio.TaskGroup() as tasks,
    ):
        await box.run(decoders.self_test, None, owner=NOBODY)

        def begin(durable: Durable, stage: Stage, work: Work, slots: int) -> None:
            worker = Worker(core.pool, core.bus, core.relay, config, durable, stage, work, slots)
            tasks.create_task(worker.run(stop))

        wanted = options.adjusted(Options(), config)
        processor = Processor(core.pool, box, min(config.reserve_bytes, SPARE), wanted, second_look)
        transcoder = Transcoder(
            core.pool,
            box,
            program,
            hardware=encoder,
            policy=config.web_policy,
            threads=min(cores.count(), MOST_THREADS),
            spare=config.reserve_bytes,
            priority=config.transcode_priority,
        )
        if config.renders:
            # One photo is fetched or written while the others are decoded, so that no decoder waits.
            begin(streams.RENDER, Stage.RENDER, processor.render, workers + 1)
            begin(streams.SIDECAR, Stage.SIDECAR, WriteBack(core.pool, box).write, SIDECARS)
        if config.transcodes:
            begin(streams.TRANSCODE, Stage.TRANSCODE, transcoder.transcode, config.transcodes)


def photos_at_once(most: int, limit: int | None, *, films: int) -> int:
    """As many as there are cores, as far as the memory of a container is enough for them beside so many films."""
    return most if limit is None else max(1, min(most, (limit - films * FILM_BYTES) // PHOTO_BYTES))


def _notes(status: sandbox.Status) -> list[str]:
    return [] if status.level == "full" else [f"sandbox: reduced, {status.reason}"]


def main() -> None:
    """Run the processor until a signal ends it."""
    process.run("processor", ProcessorSettings, serve)
