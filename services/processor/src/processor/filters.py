"""How a video looks in its version for browsers: its size, its colours and its timing as filters over its pictures."""

from typing import TypeAlias

import ffmpeg

from processor.encoders import Encoder
from processor.probes import HLG, MATRICES, PQ, SD_LINES, UNSAID, VideoTrack

LONG_SIDE, SHORT_SIDE = 1920, 1080
FASTEST, TOLERATED = 60, 60.5
"""Pictures a second; cameras that mean 60 write a little more or less."""
APART = "isnan(prev_selected_t)+gte(t-prev_selected_t,0.0155)"
"""Leaves out what comes sooner than a screen can show it, as phones write where they slow down a part of a film."""
BT709, BT470BG, SMPTE170M, BT2020 = 1, 5, 6, 9
SRGB = 13
WIDE = {9, 12}
"""Primaries that a plain screen does not have: BT.2020 and Display P3."""
TRANSFERS = {"pq": PQ, "hlg": HLG}
REFERENCE_WHITE, PEAK = 203, 1000  # nits, as for posters
KNEE = 0.46
"""Where light starts to be bent, as a share of white; so bent, greys are as in posters but for a few steps of 255."""
CAN_BE_INTERLACED = {"h264", "mpeg2video", "mpeg4", "dvvideo", "vc1", "prores", "dnxhd", "mjpeg"}

DOTS = "if(between(sar,0.25,4),sar,1)"
FACTOR = f"min(1,min({LONG_SIDE}/max(iw*{DOTS},ih),{SHORT_SIDE}/min(iw*{DOTS},ih)))"
WIDTH, HEIGHT = f"max(2,2*round(iw*{DOTS}*{FACTOR}/2))", f"max(2,2*round(ih*{FACTOR}/2))"
"""With square dots, as far as they fit browsers, even; ffmpeg has turned the pictures by then."""

Pictures: TypeAlias = ffmpeg.nodes.FilterableStream


def shown(pictures: Pictures, track: VideoTrack, encoder: Encoder) -> Pictures:
    """Upright pictures with square dots that any browser shows in the right colours, as this encoder takes them."""
    timed = _timed(pictures, track)
    toned = _toned(timed, track) if is_strange(track) else _plain(timed, track)
    ready = toned.filter("format", encoder.pixels).filter("setsar", 1)
    return ready.filter("hwupload") if encoder.is_uploaded else ready


def is_strange(track: VideoTrack) -> bool:
    """Whether its numbers stand for light or colours that a plain screen does not have."""
    return track.hdr is not None or track.primaries in WIDE


def matrix(track: VideoTrack) -> int:
    """How its brightness and colours are told apart; small pictures that say nothing we know are as television was."""
    if track.matrix not in MATRICES:
        return BT709 if track.height > SD_LINES else SMPTE170M
    return track.matrix


def _timed(pictures: Pictures, track: VideoTrack) -> Pictures:
    """Each picture one moment, and not more of them than screens show."""
    if track.is_interlaced or (track.is_interlaced is None and track.codec in CAN_BE_INTERLACED):
        pictures = pictures.filter("bwdif", mode="send_frame", deint="interlaced")
    if track.is_variable:
        return pictures.filter("select", APART)
    return pictures.filter("fps", FASTEST) if (track.frame_rate or 0) > TOLERATED else pictures


def _plain(pictures: Pictures, track: VideoTrack) -> Pictures:
    """The colours as they are, their numbers in the range of television."""
    said = matrix(track)
    kept = said if said in {BT470BG, SMPTE170M} else BT709
    if track.matrix not in MATRICES and not is_rgb(track):
        pictures = pictures.filter("setparams", colorspace=said)
    scaled = pictures.filter("scale", w=WIDTH, h=HEIGHT, out_color_matrix=kept, out_range="tv").filter(
        "format", "yuv420p"
    )
    return _told(scaled, kept)


def is_rgb(track: VideoTrack) -> bool:
    return track.pixels is not None and track.pixels.startswith(("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "pal"))


def _toned(pictures: Pictures, track: VideoTrack) -> Pictures:
    """What a plain screen shows of bright or wide colours, much as `tones` brings posters to it."""
    said = track.matrix if track.matrix in MATRICES or (is_rgb(track) and track.matrix != UNSAID) else BT2020
    light = (
        pictures.filter("setparams", colorspace=said)
        .filter("scale", w=WIDTH, h=HEIGHT)
        .filter(
            "setparams",
            color_primaries=BT2020 if track.primaries == UNSAID else track.primaries,
            color_trc=TRANSFERS[track.hdr] if track.hdr else SRGB,
            colorspace=said,
        )
        .filter("zscale", transfer="linear", npl=REFERENCE_WHITE)
        .filter("format", "gbrpf32le")
        .filter("zscale", primaries=BT709)
    )
    if track.hdr is not None:
        light = light.filter("tonemap", "mobius", param=KNEE, desat=0, peak=round(PEAK / REFERENCE_WHITE, 3))
    numbers = light.filter("zscale", transfer=SRGB, matrix=BT709, range="limited").filter("format", "yuv420p")
    return _told(numbers, BT709)


def _told(pictures: Pictures, matrix: int) -> Pictures:
    """With the right colours said of them, and nothing else that cameras add."""
    return pictures.filter("sidedata", "delete").filter(
        "setparams", color_primaries=BT709, color_trc=BT709, colorspace=matrix, range="tv"
    )
