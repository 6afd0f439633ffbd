"""The command lines of ffmpeg: which file is read and written is told by descriptors, never by a name."""

import ffmpeg

from processor import listening
from processor.probes import Probe
from processor.recipes import LONG_SIDE, SHORT_SIDE, Recipe

QUIET = ("-hide_banner", "-nostdin", "-v", "error", "-nostats", "-progress", "pipe:1", "-stats_period", "1")
Options = dict[str, object]
VIDEO: dict[str, Options] = {
    "copy": {"c:v": "copy"},
    "encode": {"c:v": "libx264", "crf": 23, "preset": "veryfast", "pix_fmt": "yuv420p"},
}
RATES: Options = {"maxrate": "5M", "bufsize": "10M"}
AUDIO: dict[str, Options] = {"copy": {"c:a": "copy"}, "encode": {"c:a": "aac", "b:a": "128k"}}
MUXERS: dict[str, Options] = {
    "video/mp4": {"f": "mp4", "movflags": "+faststart"},
    "audio/mpeg": {"f": "mp3"},
}


def compose(recipe: Recipe, probe: Probe, *, source: int, target: int, threads: int) -> list[str]:
    """The arguments that make it out of `source` in `target`, of which standard input must be a second opening."""
    wanted: Options = {"fd": target, "threads": threads, "map_metadata": -1, "dn": None, "sn": None}
    given = ffmpeg.input(
        "fd:",
        f=probe.demuxer,
        fd=source,
        protocol_whitelist="fd,pipe",
        format_whitelist=probe.demuxer,
        max_streams=64,
        threads=threads,
    )
    tracks = []
    if recipe.video is not None and probe.video is not None:
        track = given[str(probe.video.index)]
        if recipe.video == "encode":
            track = _fitted(track)
            wanted |= RATES
        tracks.append(track)
        wanted |= VIDEO[recipe.video]
    if recipe.audio is not None and probe.audio is not None:
        tracks.append(given[str(probe.audio.index)])
        is_heard_only = recipe.video is None and recipe.audio == "encode"
        wanted |= listening.encoding(probe.audio) if is_heard_only else AUDIO[recipe.audio]
    made = ffmpeg.output(*tracks, "fd:", **wanted | MUXERS[recipe.mime])
    return [*QUIET, *made.get_args()]


def _fitted(track: ffmpeg.nodes.FilterableStream) -> ffmpeg.nodes.FilterableStream:
    """No longer and no wider than browsers like it, with even sides."""
    factor = f"min(1,min({LONG_SIDE}/max(iw,ih),{SHORT_SIDE}/min(iw,ih)))"
    return track.filter("scale", w=f"2*round(iw*{factor}/2)", h=f"2*round(ih*{factor}/2)")
