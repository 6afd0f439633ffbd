"""Encoders in hardware are used where they work, through their devices and nothing else."""

import shutil
import subprocess

from processor import ffmpeg, narrow
from processor.narrow import Limits


async def test_a_device_is_there_for_whom_it_was_named() -> None:
    """A program reads the devices that it was given and no others."""
    program = shutil.which("head")
    assert program

    async with ffmpeg.opened() as opened:

        def read(limits: Limits) -> bytes:
            command = narrow.command(opened.folder, limits, program, "-c", "1", "/dev/zero")
            done = subprocess.run(command, env={}, capture_output=True, check=False)
            return done.stdout or done.stderr

        assert read(Limits(devices=("/dev/zero",))) == b"\0"
        assert b"Permission denied" in read(Limits())
