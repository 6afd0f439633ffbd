"""The command lines of ffmpeg: which file is read and written is told by descriptors, never by a name."""

import ffmpeg

from processor import encoders, filters, mp3
from processor.encoders import BUFFERED_BITS, MOST_BITS, Encoder
from processor.probes import LOOKED_AT, MOST_STREAMS, OF_DEMUXER, AudioTrack, Probe, VideoTrack
from processor.recipes import Recipe, Way

QUIET = ("-hide_banner", "-nostdin", "-v", "error", "-nostats", "-progress", "pipe:1", "-stats_period", "1")
STRICT = ("-abort_on", "empty_output")
KEY_SECONDS = 3
"""How far key frames are apart at most, for seeking goes to them."""
FORCED = f"expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t+{KEY_SECONDS}))"
FASTEST_SOUND = 48_000

Options = dict[str, object]
Part = tuple[ffmpeg.nodes.FilterableStream, Options]
"""A track, and how it is to be written."""
MUXERS: dict[str, Options] = {"video/mp4": {"f": "mp4", "movflags": "+faststart"}, "audio/mpeg": {"f": "mp3"}}


def compose(
    recipe: Recipe, probe: Probe, *, source: int, target: int, threads: int, encoder: Encoder = encoders.SOFTWARE
) -> list[str]:
    """The arguments that make it out of `source` in `target`, of which standard input must be a second opening."""
    given = ffmpeg.input(
        "fd:",
        f=probe.demuxer,
        fd=source,
        protocol_whitelist="fd,pipe",
        format_whitelist=probe.demuxer,
        max_streams=MOST_STREAMS,
        threads=threads,
        fflags="+discardcorrupt",  # what a file ends amid would end its playing with an error
        **LOOKED_AT,
        **OF_DEMUXER.get(probe.demuxer, {}),
    )
    parts: list[Part] = []
    if recipe.video is not None and probe.video is not None:
        parts.append(_seen(given[str(probe.video.index)], probe.video, recipe.video, encoder))
    if recipe.audio is not None and probe.audio is not None:
        heard = _heard_alone if recipe.video is None else _heard
        parts.append(heard(given[str(probe.audio.index)], probe.audio, recipe.audio))
    wanted: Options = {"fd": target, "threads": threads, "map_metadata": -1, "map_chapters": -1}
    for _, how in parts:
        wanted |= how
    made = ffmpeg.output(*(track for track, _ in parts), "fd:", **wanted | MUXERS[recipe.mime])
    return [*QUIET, *STRICT, *opening(encoder), "-filter_complex_threads", str(threads), *made.get_args()]


def trial(encoder: Encoder) -> list[str]:
    """The arguments that encode a few pictures of ours for nobody, which fails where the encoder does not work."""
    pictures = ffmpeg.input("color=size=640x360:rate=30", f="lavfi").filter("format", encoder.pixels)
    pictures = pictures.filter("hwupload") if encoder.is_uploaded else pictures
    made = ffmpeg.output(pictures, "-", f="null", **_encoded(encoder), **{"frames:v": 3})
    return [*QUIET, *STRICT, *opening(encoder), *made.get_args()]


def opening(encoder: Encoder) -> list[str]:
    """What opens the encoder's device."""
    return [f"-{encoder.opening}", encoder.devices[0]] if encoder.opening else []


def _seen(pictures: ffmpeg.nodes.FilterableStream, track: VideoTrack, way: Way, encoder: Encoder) -> Part:
    if way == "copy":
        return pictures, {"c:v": "copy"}
    # Every picture at its own time, however irregular; otherwise times would be rounded to those of a steady rate.
    timed: Options = {"fps_mode": "vfr", "enc_time_base": "filter", "force_key_frames": FORCED}
    return filters.shown(pictures, track, encoder), _encoded(encoder) | timed


def _encoded(encoder: Encoder) -> Options:
    return {"c:v": encoder.name, "maxrate": MOST_BITS, "bufsize": BUFFERED_BITS, **encoder.options}


def _heard(sound: ffmpeg.nodes.FilterableStream, track: AudioTrack, way: Way) -> Part:
    """The sound of a video; gaps in it become silence, so that what follows them stays with its pictures."""
    if way == "copy":
        return sound, {"c:a": "copy"}
    fitting: Options = {"ac": min(track.channels, 2), "ar": min(track.sample_rate, FASTEST_SOUND)}
    return _numbers(sound, track).filter("aresample", **{"async": 1}), fitting | {"c:a": "aac", "b:a": "128k"}


def _heard_alone(sound: ffmpeg.nodes.FilterableStream, track: AudioTrack, way: Way) -> Part:
    return (sound, {"c:a": "copy"}) if way == "copy" else (_numbers(sound, track), mp3.encoding(track))


def _numbers(sound: ffmpeg.nodes.FilterableStream, track: AudioTrack) -> ffmpeg.nodes.FilterableStream:
    """Samples that are numbers: plain fractions may be none, or endless, which ends encoders."""
    if not track.codec.startswith("pcm_f"):
        return sound
    return sound.filter("aformat", sample_fmts="s32").filter("aformat", sample_fmts="fltp")
