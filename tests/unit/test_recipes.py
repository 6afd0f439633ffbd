"""Which videos are played as they are, which are only packed anew, and how the others are made: the rules as tables."""

from typing import Any

import pytest
from msgspec import structs

from common.rendering import Policy
from processor import commands, encoders, filters, recipes
from processor.encoders import Encoder
from processor.probes import AudioTrack, Hdr, Probe, VideoTrack
from processor.recipes import Recipe

VIDEO = VideoTrack(
    index=0,
    codec="h264",
    profile="High",
    level=40,
    pixels="yuv420p",
    width=1920,
    height=1080,
    frame_rate=30.0,
    hdr=None,
    is_interlaced=False,
)
AUDIO = AudioTrack(index=1, codec="aac", profile="LC", channels=2, sample_rate=48_000)
PLAYED = Probe(demuxer="mov", mime="video/mp4", duration=9.0, video=VIDEO, audio=AUDIO, starts_fast=True)
HEVC = structs.replace(VIDEO, codec="hevc", profile="Main")
PCM = structs.replace(AUDIO, codec="pcm_s16le", profile=None)


def ways(probe: Probe, policy: Policy = "smart") -> str:
    """What becomes of the pictures and of the sound; nothing where the original is played."""
    recipe = recipes.choose(probe, policy)
    return f"{recipe.video} {recipe.audio}" if recipe else ""


def seen(**changes: Any) -> Probe:
    return structs.replace(PLAYED, video=structs.replace(VIDEO, **changes))


def heard(**changes: Any) -> Probe:
    return structs.replace(PLAYED, audio=structs.replace(AUDIO, **changes))


def command(probe: Probe, *, policy: Policy = "smart", encoder: Encoder = encoders.SOFTWARE) -> list[str]:
    recipe = recipes.choose(probe, policy)
    assert recipe is not None
    return commands.compose(recipe, probe, source=3, target=4, threads=2, encoder=encoder)


def option(arguments: list[str], name: str) -> str:
    return arguments[arguments.index(name) + 1]


@pytest.mark.parametrize(
    ("probe", "expected"),
    [
        (PLAYED, ""),
        (structs.replace(PLAYED, audio=None), ""),
        (seen(width=1080, height=1920), ""),
        (seen(width=478, height=850), ""),
        (seen(width=1440, height=1080), ""),
        (seen(width=1920, height=1088), "encode copy"),
        (seen(width=2000, height=800), "encode copy"),
        (seen(width=3840, height=2160), "encode copy"),
        (seen(width=1200, height=1200), "encode copy"),
        (seen(profile="Constrained Baseline"), ""),
        (seen(profile="Main", level=52), ""),
        (seen(profile="Main", level=None, is_interlaced=None), ""),
        (seen(profile="High 10", pixels="yuv420p10le"), "encode copy"),
        (seen(profile="High 4:2:2", pixels="yuv422p"), "encode copy"),
        (seen(profile=None), "encode copy"),
        (seen(level=60), "encode copy"),
        (seen(pixels="yuvj420p"), "encode copy"),
        (seen(is_interlaced=True), "encode copy"),
        (seen(hdr="hlg"), "encode copy"),
        (seen(codec="hevc"), "encode copy"),
        (seen(codec="av1"), "encode copy"),
    ],
)
def test_which_pictures_are_played(probe: Probe, expected: str) -> None:
    """H.264 of 8 bits up to 1080p, standing or lying, one moment a picture; whatever else is encoded."""
    assert ways(probe) == expected


@pytest.mark.parametrize(
    ("probe", "expected"),
    [
        (heard(profile="HE-AAC"), ""),
        (heard(profile="HE-AACv2"), ""),
        (heard(channels=1), ""),
        (heard(channels=6), ""),
        (heard(channels=8), "copy encode"),
        (heard(codec="ac3", channels=0), "copy None"),
        (heard(codec="ac3", sample_rate=0), "copy None"),
        (heard(profile="Main"), "copy encode"),
        (heard(profile="xHE-AAC"), "copy encode"),
        (heard(codec="mp3", profile=None, sample_rate=22_050), ""),
        (heard(codec="pcm_s16le", profile=None), "copy encode"),
        (heard(codec="ac3", profile=None, channels=6), "copy encode"),
        (heard(codec="opus", profile=None), "copy encode"),
        (heard(codec="amr_nb", profile=None, sample_rate=8_000), "copy encode"),
    ],
)
def test_which_sound_is_played(probe: Probe, expected: str) -> None:
    """AAC up to 5.1, which every browser mixes down, and MP3; for another the pictures are not encoded again."""
    assert ways(probe) == expected


@pytest.mark.parametrize(
    ("demuxer", "mime", "starts_fast", "expected"),
    [
        ("mov", "video/mp4", True, ""),
        ("mov", "video/mp4", False, "copy copy"),
        ("mov", "video/quicktime", True, "copy copy"),
        ("mov", "video/3gpp", True, "copy copy"),
        ("matroska", "video/x-matroska", True, "copy copy"),
        ("flv", "video/x-flv", True, "copy copy"),
        ("mpegts", "video/mp2t", True, "copy copy"),
        ("avi", "video/x-msvideo", True, "encode encode"),
        ("asf", "video/x-ms-wmv", True, "encode encode"),
        ("mpeg", "video/mpeg", True, "encode encode"),
    ],
)
def test_which_containers_are_packed_anew(demuxer: str, mime: str, starts_fast: bool, expected: str) -> None:
    """Where only the container or its index is wrong nothing is encoded, unless its timestamps cannot be believed."""
    assert ways(structs.replace(PLAYED, demuxer=demuxer, mime=mime, starts_fast=starts_fast)) == expected


def test_remarks_of_cameras_are_not_handed_on() -> None:
    """A file that is played as it is stays as it is; a version made of one is encoded, which leaves them out."""
    probe = seen(has_remarks=True)

    assert ways(probe) == ""
    assert ways(structs.replace(probe, starts_fast=False)) == "encode copy"


@pytest.mark.parametrize(
    ("policy", "played", "other"),
    [("smart", "", "encode encode"), ("always", "encode copy", "encode encode"), ("never", "", "")],
)
def test_what_people_wish_for_counts(policy: Policy, played: str, other: str) -> None:
    """Smart makes what is needed, always encodes the pictures of any, never makes nothing."""
    assert ways(PLAYED, policy) == played
    assert ways(structs.replace(PLAYED, video=HEVC, audio=PCM), policy) == other


def test_a_name_says_all_that_makes_a_difference() -> None:
    """Two recipes have one name only when they make the same; the encoder is nobody's business."""
    made = [
        Recipe(mime=recipes.MP4, video=video, audio=audio)
        for video in (None, "copy", "encode")
        for audio in (None, "copy", "encode")
    ]

    assert len({recipe.name for recipe in made}) == len(made)
    assert recipes.Recipe(mime=recipes.MP4, video="encode", audio="copy").name == "2 video/mp4 video=encode audio=copy"


@pytest.mark.parametrize("probe", [seen(codec="hevc"), structs.replace(PLAYED, starts_fast=False), seen(hdr="pq")])
def test_every_command_has_its_walls(probe: Probe) -> None:
    """Nothing is asked, no other protocol or format is opened, and no file is named; tracks and threads are few."""
    arguments = command(probe)

    assert "-nostdin" in arguments
    assert option(arguments, "-protocol_whitelist") == "fd,pipe"
    assert option(arguments, "-format_whitelist") == option(arguments, "-f") == "mov"
    assert option(arguments, "-enable_drefs") == "0"
    assert option(arguments, "-max_streams") == "64"
    assert arguments.count("-threads") == 2
    assert (option(arguments, "-i"), arguments[-1]) == ("fd:", "fd:")
    assert option(arguments, "-map_metadata") == option(arguments, "-map_chapters") == "-1"
    assert option(arguments, "-movflags") == "+faststart"


@pytest.mark.parametrize(
    ("track", "used", "unused"),
    [
        (HEVC, ["scale"], ["bwdif", "tonemap", "fps="]),
        (structs.replace(VIDEO, is_interlaced=True), ["bwdif"], []),
        (structs.replace(VIDEO, width=3840, is_interlaced=None), ["bwdif"], []),
        (structs.replace(HEVC, is_interlaced=None), [], ["bwdif"]),
        (structs.replace(HEVC, frame_rate=240.0), ["fps=60"], []),
        (structs.replace(HEVC, frame_rate=60.05), [], ["fps="]),
        (structs.replace(HEVC, frame_rate=None), [], ["fps="]),
        (structs.replace(HEVC, frame_rate=72.0, is_variable=True), ["select="], ["fps="]),
        (structs.replace(HEVC, hdr="pq"), ["tonemap", "color_trc=16"], []),
        (structs.replace(HEVC, hdr="hlg", primaries=9, matrix=9), ["tonemap", "color_trc=18"], []),
        (structs.replace(HEVC, primaries=12, matrix=1), ["color_primaries=12", "zscale"], ["tonemap"]),
    ],
)
def test_pictures_go_through_the_filters_that_they_need(track: VideoTrack, used: list[str], unused: list[str]) -> None:
    """Half pictures are joined, too many dropped, and light that a screen has not is bent."""
    filters = option(command(structs.replace(PLAYED, video=track)), "-filter_complex")

    assert [name for name in used if name not in filters] == []
    assert [name for name in unused if name in filters] == []


@pytest.mark.parametrize(
    ("height", "said", "expected"), [(480, 2, 6), (576, 2, 6), (720, 2, 1), (1080, 2, 1), (480, 1, 1), (1080, 5, 5)]
)
def test_small_pictures_have_the_colours_of_television(height: int, said: int, expected: int) -> None:
    """Where nothing is said; what is said is believed."""
    assert filters.matrix(structs.replace(VIDEO, height=height, matrix=said)) == expected


@pytest.mark.parametrize("hdr", [None, "pq"])
@pytest.mark.parametrize("encoder", encoders.HARDWARE, ids=lambda encoder: encoder.name)
def test_hardware_is_told_the_same(encoder: Encoder, hdr: Hdr | None) -> None:
    """Its own name and options; the same bounds, key frames and times as in software."""
    there = structs.replace(encoder, devices=("/dev/dri/renderD128",))

    arguments = command(structs.replace(PLAYED, video=structs.replace(HEVC, hdr=hdr)), encoder=there)

    assert option(arguments, "-c:v") == encoder.name
    assert (option(arguments, "-maxrate"), option(arguments, "-fps_mode")) == ("5M", "vfr")
    assert "prev_forced_t" in option(arguments, "-force_key_frames")
    filters = option(arguments, "-filter_complex")
    assert f"format={encoder.pixels}" in filters
    assert ("hwupload" in filters) == (encoder.name == "h264_vaapi") == ("-vaapi_device" in arguments)


@pytest.mark.parametrize(
    ("given", "expected"),
    [((1, 8_000), ("1", "8000")), ((2, 44_100), ("2", "44100")), ((6, 96_000), ("2", "48000"))],
)
def test_sound_keeps_what_it_can(given: tuple[int, int], expected: tuple[str, str]) -> None:
    """One channel stays one, more become two; rates that only studios have come down."""
    channels, sample_rate = given
    arguments = command(heard(codec="pcm_s16le", channels=channels, sample_rate=sample_rate))

    assert (option(arguments, "-ac"), option(arguments, "-ar")) == expected
    assert (option(arguments, "-c:a"), option(arguments, "-b:a")) == ("aac", "128k")
