"""Clips and recordings as phones make them, by the ffmpeg that comes with the product."""

import subprocess
from pathlib import Path
from typing import Literal

from processor import ffmpeg

Codec = Literal["hevc", "h264"]
GRAIN = "noise=alls=12:allf=t,format=yuv420p"
PIECE_SECONDS = 2  # a film is this piece again and again: nothing is easier about the second time
LOOP_SECONDS = 20
CODECS: dict[Codec, tuple[str, ...]] = {
    "hevc": ("libx265", "-preset", "ultrafast", "-tag:v", "hvc1", "-x265-params", "log-level=error"),
    "h264": ("libx264", "-preset", "ultrafast"),
}


def phone(path: Path, codec: Codec, *, seconds: int) -> Path:
    """A clip of 1920 x 1080 with grain at 30 pictures and 12 megabits a second, a key frame each and the index last."""
    piece = path.with_suffix(".piece.mp4")
    picture = ("-f", "lavfi", "-i", f"testsrc2=s=1920x1080:r=30:d={PIECE_SECONDS}")
    sound = ("-f", "lavfi", "-i", f"sine=440:d={PIECE_SECONDS}")
    run(*picture, *sound, "-vf", GRAIN, "-c:v", *CODECS[codec], "-g", "30", "-b:v", "12M", "-c:a", "aac", str(piece))
    run("-stream_loop", str(seconds // PIECE_SECONDS - 1), "-i", str(piece), "-c", "copy", str(path))
    piece.unlink()
    return path


def recording(path: Path, *, seconds: int) -> Path:
    """Stereo sound that changes, of so many seconds, encoded as the name says."""
    piece = path.with_stem("piece")
    sound = f"aevalsrc=sin(600*t*(1+sin(t)))/2+random(0)/8|sin(500*t)*sin(t)/2:d={LOOP_SECONDS}:s=44100"
    run("-f", "lavfi", "-i", sound, str(piece))
    run("-stream_loop", str(seconds // LOOP_SECONDS - 1), "-i", str(piece), "-c", "copy", str(path))
    piece.unlink()
    return path


def run(*arguments: str) -> None:
    """The bare program."""
    subprocess.run([ffmpeg.bundled(), "-y", "-nostdin", "-v", "error", *arguments], check=True)
