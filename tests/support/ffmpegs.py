"""ffmpeg as the processor runs it, for tests that say themselves what it is to do."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from processor import ffmpeg
from processor.ffmpeg import LIMITS, Ffmpeg
from processor.narrow import Limits

PERL = "/usr/bin/perl"
QUIET = ("-hide_banner", "-nostdin", "-v", "error", "-nostats", "-progress", "pipe:1", "-stats_period", "0.1", "-y")
ENDLESS = ("-re", "-f", "lavfi", "-i", "testsrc=d=3600:s=64x64")
RAW = ("-f", "rawvideo", "-fd", "TARGET", "fd:")


@dataclass
class Run:
    """A program, the open file that it writes, and what was told of its progress."""

    program: Ffmpeg
    target: int
    told: list[ffmpeg.Said] = field(default_factory=list)

    async def __call__(self, *arguments: str, limits: Limits = LIMITS) -> str:
        """Run ffmpeg with `TARGET` standing for the output's descriptor."""
        known = [argument.replace("TARGET", str(self.target)) for argument in arguments]
        nothing = os.open(os.devnull, os.O_RDONLY)
        try:
            return await self.program.run(
                [*QUIET, *known], standard_input=nothing, descriptors=[self.target], told=self.hear, limits=limits
            )
        finally:
            os.close(nothing)

    async def hear(self, said: ffmpeg.Said) -> None:
        """Keep what is told."""
        self.told.append(said)

    def length(self) -> int:
        return os.fstat(self.target).st_size


@asynccontextmanager
async def running(path: Path) -> AsyncIterator[Run]:
    """ffmpeg whose output is a new file."""
    target = os.open(path, os.O_CREAT | os.O_RDWR)
    async with ffmpeg.opened() as program:
        yield Run(program, target)
    os.close(target)
