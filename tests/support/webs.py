"""Makes the version of a video for browsers as the processor does, but out of the bytes of a file."""

from pathlib import Path
from typing import NamedTuple

from common.rendering import Policy
from processor import commands, encoders, ffmpeg, probes, recipes
from processor.encoders import Encoder
from processor.probes import Probe
from processor.recipes import Recipe

MIMES = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "3gp": "video/3gpp",
    "mkv": "video/x-matroska",
    "webm": "video/webm",
    "avi": "video/x-msvideo",
    "ts": "video/mp2t",
    "m2ts": "video/mp2t",
    "mpg": "video/mpeg",
    "wmv": "video/x-ms-wmv",
    "flv": "video/x-flv",
}


class Web(NamedTuple):
    """What was made of a video, and how."""

    source: Probe
    recipe: Recipe
    probe: Probe
    path: Path


async def web(
    folder: Path, content: bytes, container: str, policy: Policy = "smart", encoder: Encoder = encoders.SOFTWARE
) -> Web:
    """The version for browsers of a video in this container; an `AssertionError` where none is wanted."""
    original, made = folder / "original", folder / "web.mp4"
    original.write_bytes(content)
    with original.open("rb") as source, made.open("w+b") as target, made.open("rb") as reading:
        probe = probes.probe(source, MIMES[container])
        recipe = recipes.choose(probe, policy)
        assert recipe is not None
        source.seek(0)
        files = [source.fileno(), target.fileno()]
        arguments = commands.compose(recipe, probe, source=files[0], target=files[1], threads=2, encoder=encoder)

        async def told(_: dict[str, str]) -> None: ...

        async with ffmpeg.opened() as program:
            await program.run(arguments, standard_input=reading.fileno(), descriptors=files, told=told)
        return Web(probe, recipe, probes.probe(reading, "video/mp4"), made)
