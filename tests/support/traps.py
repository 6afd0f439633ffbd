"""Films that mean harm: lists that name other files and other computers, and containers that say what cannot be."""

import struct
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from processor import ffmpeg
from tests.support import clips, films, recordings
from tests.support.boxes import box, boxes

DEEPER = {b"moov", b"trak", b"mdia", b"minf", b"dinf", b"edts"}
Edit = Callable[[bytes, bytes], bytes]


def lists(secret: Path, port: int) -> dict[str, bytes]:
    """Texts that make a careless player open a file of somebody else, or ask somebody on the network."""
    here = f"http://127.0.0.1:{port}/x.ts"
    texts = {
        "ffconcat of a sibling": f"ffconcat version 1.0\nfile {secret.name}\n",
        "ffconcat of a path": f"ffconcat version 1.0\nfile {secret}\n",
        "ffconcat of a path upwards": f"ffconcat version 1.0\nfile ../{secret.parent.name}/{secret.name}\n",
        "ffconcat of an address": f"ffconcat version 1.0\nfile {here}\n",
        "HLS of a file": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n",
        "HLS of an address": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{here}\n#EXT-X-ENDLIST\n",
        "HLS of a cloud's secrets": "#EXTM3U\n#EXTINF:1,\nhttp://169.254.169.254/latest/meta-data/\n#EXT-X-ENDLIST\n",
        "HLS with a key": f'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{here}"\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n',
        "SDP": f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n"
        "a=rtpmap:96 H264/90000\n",
        "DASH": '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet>'
        f'<Representation id="1"><BaseURL>{here}</BaseURL></Representation></AdaptationSet></Period></MPD>',
    }
    return {name: text.encode() for name, text in texts.items()}


def edited(content: bytes, edit: Edit) -> bytes:
    """The same container with its boxes edited, also those that say where a track's bytes lie."""
    return b"".join(edit(kind, edited(inside, edit) if kind in DEEPER else inside) for kind, inside in boxes(content))


def elsewhere(secret: Path) -> bytes:
    """A QuickTime film of noise that says that its pictures lie in another file, by its name and by its whole path."""
    path, name = str(secret).encode(), secret.name.encode()
    alias = bytes(10) + b"\1" + b"x".ljust(27, b"\0") + bytes(12) + bytes([len(name)]) + name.ljust(63, b"\0")
    alias += bytes(16) + struct.pack(">HH", 1, 1) + bytes(16)
    alias += struct.pack(">HH", 2, len(path)) + path + bytes(len(path) % 2) + struct.pack(">HH", 0xFFFF, 0)
    dref = struct.pack(">II", 0, 1) + box(b"alis", bytes(4) + alias)
    return clips.unshowable(
        edited(clips.clip(codec="mpeg4"), lambda kind, inside: box(kind, dref if kind == b"dref" else inside))
    )


def repeated(times: int) -> bytes:
    """A film whose list of edits shows it so many times."""
    entry = struct.pack(">IiI", 1000, 0, 1 << 16)
    elst = box(b"elst", struct.pack(">II", 0, times) + entry * times)

    def edit(kind: bytes, inside: bytes) -> bytes:
        return box(kind, elst if kind == b"edts" else inside)

    return edited(clips.clip(codec="mpeg4"), edit)


def attached(count: int) -> bytes:
    """A Matroska film with so many fonts, whose names lead elsewhere."""
    with tempfile.TemporaryDirectory() as folder:
        film, font, made = (Path(folder, name) for name in ("film.mkv", "font.ttf", "made.mkv"))
        film.write_bytes(films.film("mkv", "mpeg4", size=(64, 48), seconds=0.5))
        font.write_bytes(bytes(100_000))
        fonts = [word for _ in range(count) for word in ("-attach", str(font))]
        names = [f(number) for number in range(count) for f in ("-metadata:s:t:{}".format, "filename=../../f{}".format)]
        command = [ffmpeg.bundled(), "-v", "error", "-i", str(film), *fonts, "-c", "copy"]
        names += ["-metadata:s:t", "mimetype=font/ttf"]
        subprocess.run([*command, *names, str(made)], check=True)
        return made.read_bytes()


def hurried() -> bytes:
    """A film of a million pictures a second."""
    made = bytearray(films.film("avi", "mjpeg", size=(64, 48), seconds=1, rate=30))
    header = made.index(b"strh") + 8
    made[header + 20 : header + 28] = struct.pack("<II", 1, 1_000_000)
    return bytes(made)


def vast() -> bytes:
    """A film whose pictures say that they are 60,000 dots wide and high."""
    made = films.film("avi", "mjpeg", size=(64, 48), seconds=0.2)
    start = made.index(b"\xff\xc0") + 5
    return made[:start] + struct.pack(">HH", 60_000, 60_000) + made[start + 4 :]


def late() -> bytes:
    """A film with sound that falls silent for a day."""
    film = films.film("mkv", "mpeg4", size=(64, 48), seconds=2, channels=1)
    return recordings.converted(
        film, "-c:v", "copy", "-af", r"asetpts=if(gt(N\,20000)\,PTS+1e5/TB\,PTS)", "-c:a", "aac", "-f", "matroska"
    )


BOMBS: dict[str, Callable[[], bytes]] = {
    "a thousand tracks": lambda: clips.crowded(clips.clip(), 1000),
    "an endless duration": lambda: clips.endless(clips.clip()),
    "thirty thousand repetitions": lambda: repeated(30_000),
    "a million pictures a second": hurried,
    "60,000 dots a side": vast,
    "a day of silence": late,
    "a half MP4": lambda: films.cut(films.film("mp4"), 0.5),
    "a half AVI": lambda: films.cut(films.film("avi", "mpeg4"), 0.5),
    "a half Matroska": lambda: films.cut(films.film("mkv"), 0.5),
    "a half transport stream": lambda: films.cut(films.film("ts"), 0.5),
    "noise for pictures": lambda: clips.unshowable(clips.clip()),
    "60 fonts": lambda: attached(60),
}
"""What would cost a careless server its memory, its disk or its evening."""
