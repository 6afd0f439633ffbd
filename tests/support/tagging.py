"""Writes tags into recordings as the programs do that people use, and covers of one colour."""

import base64
import struct
from io import BytesIO
from typing import Any

from mutagen import aiff, apev2, asf, flac, id3, mp4, oggopus, oggvorbis, wave
from PIL import Image

WORDS = {
    "title": "Bees",
    "artist": "Ann",
    "album": "Hive",
    "album_artist": "Everybody",
    "track": "3/12",
    "disc": "1/2",
    "date": "2019",
    "genre": "Folk",
    "composer": "Bert",
    "comment": "In May",
}
FRAMES = {
    "title": id3.TIT2,
    "artist": id3.TPE1,
    "album": id3.TALB,
    "album_artist": id3.TPE2,
    "track": id3.TRCK,
    "disc": id3.TPOS,
    "date": id3.TDRC,
    "genre": id3.TCON,
    "composer": id3.TCOM,
}
COMMENTS = {"album_artist": "albumartist", "track": "tracknumber", "disc": "discnumber"}
ATOMS = {
    "title": "\xa9nam",
    "artist": "\xa9ART",
    "album": "\xa9alb",
    "album_artist": "aART",
    "date": "\xa9day",
    "genre": "\xa9gen",
    "composer": "\xa9wrt",
    "comment": "\xa9cmt",
}
OF_ASF = {
    "title": "Title",
    "artist": "Author",
    "album": "WM/AlbumTitle",
    "album_artist": "WM/AlbumArtist",
    "track": "WM/TrackNumber",
    "disc": "WM/PartOfSet",
    "date": "WM/Year",
    "genre": "WM/Genre",
    "composer": "WM/Composer",
    "comment": "Description",
}
Covers = tuple[tuple[int, bytes], ...]
"""Each with its kind; 3 is the front."""


def cover(colour: str, size: int = 64, kind: str = "PNG") -> bytes:
    """A picture of one colour."""
    Image.new("RGB", (size, size), colour).save(buffer := BytesIO(), kind)
    return buffer.getvalue()


def tagged(kind: str, content: bytes, covers: Covers = (), words: dict[str, str] | None = None) -> bytes:
    """The recording of a kind with these words and covers in it."""
    file = BytesIO(content)
    WRITERS[kind](file, words or WORDS, covers)
    return file.getvalue()


def frames(words: dict[str, str], covers: Covers = ()) -> Any:
    """The words as ID3."""
    tags = id3.ID3()
    for name, text in words.items():
        frame = id3.COMM(lang="eng", desc="", text=text) if name == "comment" else FRAMES[name](text=text)
        tags.add(frame)
    for kind, data in covers:
        tags.add(id3.APIC(mime="image/png", type=kind, desc=str(kind), data=data))
    return tags


def _id3(version: int) -> Any:
    def write(file: BytesIO, words: dict[str, str], covers: Covers) -> None:
        tags = frames(words, covers)
        if version == 3:
            tags.update_to_v23()
        tags.save(file, v1=0, v2_version=version)

    return write


def _id3v1(file: BytesIO, words: dict[str, str], _: Covers) -> None:
    frames(words).save(file, v1=2)
    content = file.getvalue()
    file.seek(0)
    file.truncate()
    file.write(content[id3.ID3(BytesIO(content)).size :])


def _ape(file: BytesIO, words: dict[str, str], covers: Covers) -> None:
    tags = apev2.APEv2()
    named = {"album_artist": "Album Artist", "date": "Year"}
    for name, text in words.items():
        tags[named.get(name, name.title())] = text
    for kind, data in covers:
        name = "Cover Art (Front)" if kind == 3 else "Cover Art (Back)"
        tags[name] = apev2.APEValue(b"cover.png\0" + data, apev2.BINARY)
    tags.save(file)


def _chunk(kind: Any) -> Any:
    def write(file: BytesIO, words: dict[str, str], covers: Covers) -> None:
        opened = kind(file)
        opened.add_tags()
        for frame in frames(words, covers).values():
            opened.tags.add(frame)
        file.seek(0)
        opened.save(file)

    return write


def _comments(kind: Any) -> Any:
    def write(file: BytesIO, words: dict[str, str], covers: Covers) -> None:
        opened = kind(file)
        for name, text in words.items():
            opened[COMMENTS.get(name, name)] = [text]
        pictures = [_picture(*one) for one in covers]
        if kind is flac.FLAC:
            for picture in pictures:
                opened.add_picture(picture)
        elif pictures:
            opened["metadata_block_picture"] = [base64.b64encode(one.write()).decode() for one in pictures]
        file.seek(0)
        opened.save(file)

    return write


def _picture(kind: int, data: bytes) -> Any:
    picture = flac.Picture()
    picture.type, picture.mime, picture.data = kind, "image/png", data
    return picture


def _mp4(file: BytesIO, words: dict[str, str], covers: Covers) -> None:
    opened = mp4.MP4(file)
    for name, text in words.items():
        if name in ATOMS:
            opened[ATOMS[name]] = [text]
    for name, atom in (("track", "trkn"), ("disc", "disk")):
        if name in words:
            one, _, total = words[name].partition("/")
            opened[atom] = [(int(one), int(total or 0))]
    opened["covr"] = [mp4.MP4Cover(data, mp4.MP4Cover.FORMAT_PNG) for _, data in covers]
    file.seek(0)
    opened.save(file)


def _asf(file: BytesIO, words: dict[str, str], covers: Covers) -> None:
    opened = asf.ASF(file)
    for name, text in words.items():
        opened[OF_ASF[name]] = [text]
    mime, named = "image/png\0".encode("utf-16-le"), "\0".encode("utf-16-le")
    blocks = [struct.pack("<BI", kind, len(data)) + mime + named + data for kind, data in covers]
    opened["WM/Picture"] = [asf.ASFByteArrayAttribute(block) for block in blocks]
    file.seek(0)
    opened.save(file)


WRITERS = {
    "mp3": _id3(4),
    "mp3 2.3": _id3(3),
    "mp3 v1": _id3v1,
    "mp3 ape": _ape,
    "aac": _id3(4),
    "flac": _comments(flac.FLAC),
    "vorbis": _comments(oggvorbis.OggVorbis),
    "opus": _comments(oggopus.OggOpus),
    "m4a": _mp4,
    "alac": _mp4,
    "wav": _chunk(wave.WAVE),
    "aiff": _chunk(aiff.AIFF),
    "wma": _asf,
}
