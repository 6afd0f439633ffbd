"""What ffmpeg makes of videos by our commands, opened again: its size, colours, times and sound are those it had."""

from pathlib import Path

import av
import numpy as np
import pytest

from processor import commands, ffmpeg, recipes
from processor.unreadable import Unreadable
from tests.support import films, media
from tests.support.films import film
from tests.support.webs import MIMES, Web, colours, remade, seen, web

FRAME = 1 / 30
SOUND = 0.06
"""Encoders and containers of sound begin and end a few hundredths of a second apart."""
PLAIN = np.array([media.RED, media.GREEN, media.BLUE, media.GREY])
KINDS = [
    ("mp4", "hevc", None),
    ("mov", "prores", None),
    ("mov", "mjpeg", None),
    ("mov", "hevc", None),
    ("mkv", "h264", None),
    ("mkv", "hevc", None),
    ("webm", "vp9", None),
    ("webm", "vp8", None),
    ("webm", "av1", None),
    ("avi", "mpeg4", None),
    ("avi", "msmpeg4v3", None),
    ("avi", "mjpeg", None),
    ("ts", "h264", None),
    ("ts", "mpeg2video", "mp2"),
    ("m2ts", "h264", None),
    ("mpg", "mpeg2video", None),
    ("mpg", "mpeg1video", None),
    ("wmv", "wmv2", None),
    ("flv", "h264", None),
    ("flv", "flv1", None),
    ("3gp", "mpeg4", None),
]


def is_played(made: Web) -> bool:
    """Whether a browser plays it: by our rules, and by what H.264 itself says."""
    track = made.probe.video
    assert track is not None
    return recipes.plays(made.probe) and track.pixels == "yuv420p" and (track.level or 99) <= 42


@pytest.mark.parametrize(("container", "codec", "sound"), KINDS)
async def test_videos_of_every_kind_become_one_that_browsers_play(
    tmp_path: Path, container: str, codec: str, sound: str | None
) -> None:
    """As large, as long, in the same colours, with the sound where it was, and with its index in front."""
    content = film(container, codec, channels=2, sound=sound)

    made = await web(tmp_path, content, container)

    shown, given = seen(made.path), seen(made.original)
    assert is_played(made)
    assert shown.size == (320, 240)
    assert len(shown.times) == len(given.times)
    assert shown.times[-1] - shown.times[0] == pytest.approx(given.times[-1] - given.times[0], abs=FRAME)
    assert shown.heard
    assert given.heard
    assert shown.heard[0] - shown.times[0] == pytest.approx(given.heard[0] - given.times[0], abs=SOUND)
    assert shown.heard[1] == pytest.approx(given.heard[1], abs=SOUND)
    assert np.abs(colours(made.path, seconds=1) - PLAIN).max() <= 12


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("turned", [90, 180, 270])
async def test_a_turned_video_is_upright_once(tmp_path: Path, codec: str, turned: int) -> None:
    """Either its pictures are turned or it says how to turn them, never both."""
    made = await web(tmp_path, film("mov", codec, turned=turned), "mov")

    shown, given = seen(made.path), seen(made.original)
    assert shown.size == (320, 240)
    assert shown.turned == (given.turned if codec == "h264" else 0)
    assert np.abs(colours(made.path) - PLAIN).max() <= 12


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((479, 851), (480, 852)),
        ((478, 850), (478, 850)),
        ((1080, 1920), (1080, 1920)),
        ((321, 241), (322, 242)),
        ((2560, 1440), (1920, 1080)),
        ((1440, 2560), (1080, 1920)),
        ((2400, 300), (1920, 240)),
    ],
)
async def test_a_size_fits_browsers(tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]) -> None:
    """Even sides, as large as it was up to 1080p, lying or standing."""
    made = await web(tmp_path, film("mp4", "hevc", size=size, seconds=0.2), "mp4")

    assert seen(made.path).size == expected
    assert is_played(made)


async def test_dots_become_square(tmp_path: Path) -> None:
    """A picture of wide dots gets wider instead, so that no player can squeeze it."""
    wide = remade(
        tmp_path, film("avi", "mpeg4", size=(352, 288)), "-i", "IN", "-c", "mpeg4", "-aspect", "16:9", "wide.mkv"
    )

    made = await web(tmp_path, wide, "mkv")

    assert seen(made.path).size == (512, 288)


@pytest.mark.parametrize("hdr", ["pq", "hlg"])
@pytest.mark.parametrize("size", [(320, 240), (321, 241)])
async def test_bright_videos_look_like_their_posters(tmp_path: Path, hdr: films.Hdr, size: tuple[int, int]) -> None:
    """What a plain screen has not is bent as for posters, and nothing claims any more that it is bright."""
    made = await web(tmp_path, film("mp4", "hevc", hdr=hdr, size=size), "mp4")

    difference = np.abs(colours(made.path) - colours(made.original))
    track = made.probe.video
    assert track is not None
    assert (track.hdr, track.primaries, track.matrix, track.pixels) == (None, 1, 1, "yuv420p")
    assert difference[3].max() <= 10  # grey
    assert difference.max() <= 50
    assert all(word not in made.path.read_bytes() for word in (b"mdcv", b"clli"))


@pytest.mark.parametrize("container", ["mp4", "mkv"])
@pytest.mark.parametrize("pixels", ["yuvj420p", "yuv420p10le", "yuv422p", "yuv444p"])
async def test_other_pixels_keep_their_colours(tmp_path: Path, container: str, pixels: str) -> None:
    """All of a byte's range, more bits and finer colours become what browsers show, and look the same."""
    made = await web(tmp_path, film(container, "h264", pixels=pixels), container)

    assert made.recipe.video == "encode"
    assert is_played(made)
    assert np.abs(colours(made.path) - colours(made.original, MIMES[container])).max() <= 8


@pytest.mark.parametrize("matrix", [0, 8, 10, 14, 200])
@pytest.mark.parametrize(("primaries", "transfer"), [(1, 1), (9, 16), (9, 1)])
async def test_colours_that_nobody_can_undo(tmp_path: Path, primaries: int, transfer: int, matrix: int) -> None:
    """A film that says that its colours are told in a rare way is shown as if it had not said so."""
    said = f"colour_primaries={primaries}:transfer_characteristics={transfer}:matrix_coefficients={matrix}"
    content = film("mkv", size=(96, 64), seconds=0.3)
    content = remade(tmp_path, content, "-i", "IN", "-c", "copy", "-bsf:v", f"h264_metadata={said}", "said.mkv")

    made = await web(tmp_path, content, "mkv", policy="always")

    difference = np.abs(colours(made.path) - colours(made.original, MIMES["mkv"]))
    assert difference.max() <= (12 if transfer == primaries == 1 else 60)
    if primaries == 1:
        assert np.abs(colours(made.path) - PLAIN).max() <= 12


@pytest.mark.parametrize("said", ["bt709", "smpte170m", "bt470bg"])
async def test_said_colours_are_kept(tmp_path: Path, said: str) -> None:
    """A small picture in the colours of large ones, and the other way round, looks as it did."""
    coded = {"x265-params": f"log-level=none:colorprim=bt709:transfer=bt709:colormatrix={said}"}
    made = await web(tmp_path, film("mp4", "hevc", options=coded), "mp4")

    assert made.source.video is not None
    assert made.probe.video is not None
    assert made.probe.video.matrix == made.source.video.matrix
    assert np.abs(colours(made.path) - colours(made.original)).max() <= 6


@pytest.mark.parametrize(("primaries", "matrix"), [("smpte432", "bt709"), ("bt2020", "bt2020nc")])
async def test_wide_colours_become_those_of_a_plain_screen(tmp_path: Path, primaries: str, matrix: str) -> None:
    """As on their posters, and said to be so."""
    coded = {"x265-params": f"log-level=none:colorprim={primaries}:transfer=bt709:colormatrix={matrix}"}
    made = await web(tmp_path, film("mov", "hevc", options=coded), "mov")

    assert made.probe.video is not None
    assert (made.probe.video.primaries, made.probe.video.matrix) == (1, 1)
    assert np.abs(colours(made.path) - colours(made.original)).max() <= 6


@pytest.mark.parametrize(("container", "codec"), [("mp4", "hevc"), ("mkv", "hevc"), ("mkv", "h264"), ("webm", "vp9")])
async def test_every_picture_keeps_its_time(tmp_path: Path, container: str, codec: str) -> None:
    """However irregularly they come, packed anew or encoded; none is dropped and none is shown twice."""
    made = await web(tmp_path, film(container, codec, is_variable=True, channels=2), container)

    shown, given = seen(made.path), seen(made.original)
    assert len(shown.times) == len(given.times)
    assert np.abs(np.array(shown.times) - np.array(given.times)).max() < 1 / 60


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize(("late", "kind"), [("0:v", "pictures"), ("0:a", "sound")])
async def test_what_begins_late_stays_late(tmp_path: Path, codec: str, late: str, kind: str) -> None:
    """Pictures and sound stay together where one of them begins later."""
    early = "1:a" if kind == "pictures" else "1:v"
    shifted = remade(
        tmp_path,
        film("mkv", codec, channels=2),
        *("-itsoffset", "0.7", "-i", "IN", "-i", "IN", "-map", late, "-map", early, "-c", "copy", "late.mkv"),
    )

    made = await web(tmp_path, shifted, "mkv")

    shown, given = seen(made.path), seen(made.original)
    assert shown.heard
    assert given.heard
    assert shown.heard[0] - shown.times[0] == pytest.approx(given.heard[0] - given.times[0], abs=SOUND)
    assert abs(given.heard[0] - given.times[0]) > 0.6


async def test_many_pictures_a_second_become_sixty(tmp_path: Path) -> None:
    """More than screens show are left out; it lasts as long."""
    made = await web(tmp_path, film("mp4", "hevc", rate=120), "mp4")

    shown = seen(made.path)
    assert len(shown.times) == pytest.approx(120, abs=1)
    assert shown.times[-1] == pytest.approx(2, abs=2 * FRAME)


async def test_a_slow_part_has_no_more_than_sixty(tmp_path: Path) -> None:
    """Phones write 240 pictures a second of it among 30 of the rest, which all stay where they are."""
    timing = "setpts='if(lt(N,120),N/240,0.5+(N-120)/30)/TB'"
    pictures = ("-f", "lavfi", "-i", "testsrc2=s=320x240:r=240:d=0.7", "-vf", timing, "-enc_time_base", "1/240")
    slowed = remade(tmp_path, b"", *pictures, "-fps_mode", "passthrough", "-c:v", "mpeg4", "slow.mp4")

    made = await web(tmp_path, slowed, "mp4")

    times = np.array(seen(made.path).times)
    assert np.diff(times).min() > 0.015
    assert len(times) == 30 + 48
    assert times[-1] == pytest.approx(seen(made.original).times[-1], abs=1 / 60)


@pytest.mark.parametrize("codec", ["mpeg2video", "libx264"])
async def test_half_pictures_are_joined(tmp_path: Path, codec: str) -> None:
    """Two moments in one picture's lines become one; the comb between them is gone."""
    woven = ("-vf", "tinterlace=interleave_top,setfield=tff", "-flags", "+ilme+ildct", "-c:v", codec, "-q:v", "2")
    bars = "nullsrc=s=320x240:r=50:d=1,geq=lum='if(lt(mod(X+6*N,80),40),200,50)':cb=128:cr=128"
    interlaced = remade(tmp_path, b"", "-f", "lavfi", "-i", bars, *woven, "woven.ts")

    made = await web(tmp_path, interlaced, "ts")

    assert made.source.video is not None
    assert made.probe.video is not None
    assert (made.source.video.is_interlaced, made.probe.video.is_interlaced) == (True, False)
    assert len(seen(made.path).times) == len(seen(made.original).times)
    assert comb(made.path) < comb(made.original) / 4


def comb(path: Path) -> float:
    """How much neighbouring lines of a picture differ."""
    with av.open(path) as container:
        picture = list(container.decode(video=0))[12].to_ndarray(format="gray").astype(int)
    return float(np.abs(np.diff(picture, axis=0)).mean())


async def test_seeking_finds_a_key_frame_nearby(tmp_path: Path) -> None:
    """One at the start and at least every three seconds, even where nothing moves."""
    made = await web(tmp_path, film("mp4", "hevc", seconds=8), "mp4")

    keys = [*seen(made.path).keys, 8.0]
    assert keys[0] == 0
    assert max(np.diff(keys)) <= commands.KEY_SECONDS + FRAME


@pytest.mark.parametrize(
    ("channels", "sound", "expected"), [(1, "ac3", 1), (2, "ac3", 2), (6, "ac3", 2), (6, "aac", 6)]
)
async def test_sound_has_the_channels_that_browsers_play(
    tmp_path: Path, channels: int, sound: str, expected: int
) -> None:
    """One stays one and two stay two; six are mixed down where they have to be encoded."""
    made = await web(tmp_path, film("mp4", "h264", channels=channels, sound=sound), "mp4")

    assert made.recipe.video == "copy"
    assert made.probe.audio is not None
    assert (made.probe.audio.codec, made.probe.audio.channels) == ("aac", expected)


async def test_a_silent_video_stays_silent(tmp_path: Path) -> None:
    """No track for sound is made up."""
    made = await web(tmp_path, film("webm", "vp9"), "webm")

    assert made.probe.audio is None
    assert is_played(made)


@pytest.mark.parametrize("codec", ["h264", "hevc"])
async def test_nothing_tells_where_it_was_taken(tmp_path: Path, codec: str) -> None:
    """A version that is shared holds no tags, no clock and no remarks of the camera."""
    tags = {"com.apple.quicktime.location.ISO6709": "+52.4597+013.3220/", "com.apple.quicktime.make": "Maker"}
    timed = tags | {"creation_time": "2023-09-22T16:34:05Z", "timecode": "01:00:00:00", "comment": "Secret"}

    made = await web(tmp_path, film("mov", codec, tags=timed, channels=2), "mov")

    content = made.path.read_bytes()
    assert b"+52.4597" in made.original.read_bytes()
    for word in (b"+52.4597", b"Maker", b"Secret", b"tmcd", b"2023-09"):
        assert word not in content


async def test_remarks_between_pictures_are_left_out(tmp_path: Path) -> None:
    """Camcorders write there when, and some where, they were; such pictures are encoded again."""
    said = "sei_user_data=17ee8c60f84d11d98cd60800200c9a66+MDPM-secret"
    content = remade(
        tmp_path, film("ts", "h264"), "-i", "IN", "-c", "copy", "-bsf:v", f"h264_metadata={said}", "said.ts"
    )

    made = await web(tmp_path, content, "ts")

    assert b"MDPM-secret" in content
    assert made.recipe.video == "encode"
    assert b"MDPM" not in made.path.read_bytes()


async def test_what_is_packed_anew_can_be_sought_in(tmp_path: Path) -> None:
    """Also where pictures that players seek to are marked between the pictures only, as in broadcasts."""
    coded = ("-pix_fmt", "yuv420p", "-c:v", "libx264", "-x264-params", "open-gop=1:keyint=30:bframes=3")
    content = remade(tmp_path, b"", "-f", "lavfi", "-i", "testsrc=s=320x240:r=30:d=4", *coded, "open.ts")

    made = await web(tmp_path, content, "ts")

    assert made.recipe.video == "copy"
    for path in (made.original, made.path):
        with av.open(path) as container:
            assert sum(packet.is_keyframe for packet in container.demux(video=0)) >= 4


async def test_twenty_minutes_stay_twenty_minutes(tmp_path: Path) -> None:
    """A long film of few dots takes seconds."""
    long = remade(tmp_path, b"", "-f", "lavfi", "-i", "testsrc=s=96x64:r=5:d=1200", "-c:v", "mpeg4", "long.avi")

    made = await web(tmp_path, long, "avi")

    assert made.probe.duration == pytest.approx(1200, abs=0.4)


@pytest.mark.parametrize(("container", "codec"), [("mkv", "hevc"), ("ts", "h264"), ("mp4", "hevc"), ("avi", "mpeg4")])
async def test_what_there_is_of_a_cut_video_is_kept(tmp_path: Path, container: str, codec: str) -> None:
    """A copy that stopped early plays to where it stopped."""
    content = film(container, codec, channels=2, seconds=4, starts_fast=container == "mp4")

    made = await web(tmp_path, films.cut(content, 0.6), container)

    assert 1 < seen(made.path).times[-1] < 3.5
    assert is_played(made)


async def test_a_cut_video_without_its_index_is_told(tmp_path: Path) -> None:
    """Nobody can play it; the message says so."""
    with pytest.raises(Unreadable, match="damaged"):
        await web(tmp_path, films.cut(film("mp4", "hevc"), 0.6), "mp4")


@pytest.mark.parametrize("codec", ["h264", "hevc"])
async def test_a_video_without_pictures_is_told(tmp_path: Path, codec: str) -> None:
    """No empty file is made of nothing."""
    with pytest.raises((Unreadable, ffmpeg.Failed), match=r"."):
        await web(tmp_path, film("mov", codec, seconds=0, size=(64, 64)), "mov")
