"""Makes the version of a video for browsers as the processor does, but out of bytes, and looks at what came out."""

import subprocess
from pathlib import Path
from typing import NamedTuple

import av
import imageio_ffmpeg
import numpy as np
import numpy.typing as npt
import pyvips

from common.rendering import Policy
from processor import clips, commands, encoders, ffmpeg, pictures, posters, probes, recipes, tones
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
EIGHTHS = ((1, 1), (7, 1), (1, 7), (7, 7))
"""Where the four colours are, in eighths of the width and of the height."""


class Seen(NamedTuple):
    """What a player has of a file: the times of its pictures and key frames, when sound begins, how long that is."""

    size: tuple[int, int]
    """Of the upright picture."""
    turned: int
    times: list[float]
    keys: list[float]
    heard: tuple[float, float] | None


class Web(NamedTuple):
    """What was made of a video, and how."""

    original: Path
    source: Probe
    recipe: Recipe
    path: Path
    probe: Probe


async def web(
    folder: Path, content: bytes, container: str, policy: Policy = "smart", encoder: Encoder = encoders.SOFTWARE
) -> Web:
    """The version for browsers of a video in this container; an `AssertionError` where none is wanted."""
    original, made = folder / f"original.{container}", folder / "web.mp4"
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
        reading.seek(0)
        return Web(original, probe, recipe, made, probes.probe(reading, recipe.mime))


def remade(folder: Path, content: bytes, *arguments: str) -> bytes:
    """What the bundled ffmpeg makes of a file, which the arguments call IN, under a name, which they end with."""
    given, made = folder / "given", folder / arguments[-1]
    given.write_bytes(content)
    told = [str(given) if one == "IN" else one for one in arguments[:-1]]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", *told, str(made)], check=True)
    return made.read_bytes()


def seen(path: Path) -> Seen:
    """What a player has of a file."""
    with av.open(path) as container:
        frames = list(container.decode(video=0))
    with av.open(path) as container:
        sounds = list(container.decode(audio=0)) if container.streams.audio else []
    turned = frames[0].rotation
    size = (frames[0].width, frames[0].height)
    return Seen(
        size=size[::-1] if turned % 180 else size,
        turned=turned,
        times=[float(frame.time or 0) for frame in frames],
        keys=[float(frame.time or 0) for frame in frames if frame.key_frame],
        heard=(float(sounds[0].time or 0), sum(one.samples / one.sample_rate for one in sounds)) if sounds else None,
    )


def colours(path: Path, mime: str = recipes.MP4, *, seconds: float = 0) -> npt.NDArray[np.int_]:
    """The four colours of a picture as posters show them, upright, from the left above on."""
    with path.open("rb") as file, clips.opened(file, mime) as container:
        stream = clips.stream_of(container)
        frame = posters.frame_at(container, stream, seconds)
        assert frame is not None
        picture = posters.as_image(frame, stream)
        shown = tones.displayed(picture) if tones.is_strange(picture) else picture
        upright = pictures.described(shown, orientation=posters.orientation_of(frame)).autorot()
    return np.array([_mean(upright, *eighths) for eighths in EIGHTHS]).round().astype(int)


def _mean(picture: pyvips.Image, across: int, down: int) -> list[float]:
    left, top = picture.width * across // 8, picture.height * down // 8
    patch = picture.crop(left - 2, top - 2, 4, 4)
    return [float(patch[band].avg()) for band in range(3)]
