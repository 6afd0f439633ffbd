"""Finds out at the start which encoder in hardware works on this machine, by letting each encode a few pictures."""

import asyncio
import glob
import os
import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from msgspec import structs

from common import log
from processor import commands, ffmpeg
from processor.encoders import HARDWARE, Encoder, Hardware
from processor.ffmpeg import Ffmpeg

TRIAL_SECONDS = 10.0


@asynccontextmanager
async def sought(
    program: Ffmpeg, wanted: Hardware, candidates: Sequence[Encoder] = HARDWARE
) -> AsyncIterator[tuple[Encoder | None, list[str]]]:
    """The first encoder of those wanted that works, and what is to be told where the one that was named does not."""
    named = [one for one in candidates if wanted in ("auto", one.name)]
    found = await first_working(program, named)
    if wanted != "none":
        log.get().info("encoder of videos chosen", encoder=found.name if found else "x264, in software")
    is_missed = found is None and wanted not in ("auto", "none")
    yield found, [f"videos are encoded in software: {wanted} does not work here"] if is_missed else []


async def first_working(program: Ffmpeg, candidates: Sequence[Encoder]) -> Encoder | None:
    """The first that encodes, with the devices that are there; one whose device is missing is not even tried."""
    for candidate in candidates:
        devices = present(candidate.devices)
        if devices is None:
            continue
        encoder = structs.replace(candidate, devices=devices)
        complaint = await _tried(program, encoder)
        if complaint is None:
            return encoder
        log.get().info("encoder does not work", encoder=encoder.name, reason=complaint)
    return None


def present(patterns: Sequence[str]) -> tuple[str, ...] | None:
    """The devices that are there; None where there are none of the first kind."""
    found = [sorted(path for path in glob.glob(pattern) if _is_device(path)) for pattern in patterns]
    if found and not found[0]:
        return None
    return tuple(dict.fromkeys(path for paths in found for path in paths))


def _is_device(path: str) -> bool:
    return stat.S_ISCHR(os.stat(path).st_mode)


async def _tried(program: Ffmpeg, encoder: Encoder) -> str | None:
    """Why it does not encode; None where it does."""

    async def told(_: ffmpeg.Said) -> None: ...

    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        async with asyncio.timeout(TRIAL_SECONDS):
            await program.run(
                commands.trial(encoder), standard_input=nothing, descriptors=[], told=told, devices=encoder.devices
            )
    except TimeoutError:
        return "it does not answer"
    except (ffmpeg.Failed, ffmpeg.Killed, ffmpeg.Endless, ffmpeg.NotBegun, ffmpeg.Stopped, OSError) as failure:
        return str(failure)
    finally:
        os.close(nothing)
    return None
