"""Reads what mutagen finds in a recording: its words by one set of names, and its pictures."""

import base64
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from mutagen import MutagenError, aiff, apev2, asf, flac, id3, mp4, oggflac, oggopus, oggspeex, oggvorbis, wave

from processor.metadata.text import cleaned

MOST_BYTES = 64 << 20
"""Read for tags; a film's worth of them is an attack."""
MOST_SECONDS = 3.0
MOST_COVERS, LARGEST_COVER = 16, 32 << 20
MOST_VALUES, LONGEST_VALUE = 16, 16 << 10
SEVERAL = {"artist", "album_artist", "composer", "genre"}
FRONT = 3  # of the kinds of pictures that all formats count alike
TRUSTED_COMMENTS = {"", "ID3v1 Comment"}
"""What comments of ID3 are called that people write; programs keep their numbers in others."""

ID3 = {
    "title": ("TIT2",),
    "artist": ("TPE1",),
    "album": ("TALB",),
    "album_artist": ("TPE2",),
    "track": ("TRCK",),
    "disc": ("TPOS",),
    "date": ("TDRC", "TDRL", "TDOR"),
    "composer": ("TCOM",),
}
VORBIS = {
    "title": ("title",),
    "artist": ("artist",),
    "album": ("album",),
    "album_artist": ("albumartist", "album artist", "album_artist"),
    "track": ("tracknumber", "track"),
    "disc": ("discnumber", "disc"),
    "date": ("date", "year"),
    "genre": ("genre",),
    "composer": ("composer",),
    "description": ("description",),
    "comment": ("comment",),
}
COUNTS = {"track": ("tracktotal", "totaltracks"), "disc": ("disctotal", "totaldiscs")}
APE = {**{name: keys for name, keys in VORBIS.items() if name != "date"}, "date": ("year", "date")}
MP4 = {
    "title": ("\xa9nam",),
    "artist": ("\xa9ART",),
    "album": ("\xa9alb",),
    "album_artist": ("aART",),
    "track": ("trkn",),
    "disc": ("disk",),
    "date": ("\xa9day",),
    "genre": ("\xa9gen",),
    "composer": ("\xa9wrt",),
    "description": ("ldes", "desc"),
    "comment": ("\xa9cmt",),
}
ASF = {
    "title": ("Title",),
    "artist": ("Author",),
    "album": ("WM/AlbumTitle",),
    "album_artist": ("WM/AlbumArtist",),
    "track": ("WM/TrackNumber",),
    "disc": ("WM/PartOfSet",),
    "date": ("WM/Year",),
    "genre": ("WM/Genre",),
    "composer": ("WM/Composer",),
    "description": ("Description",),
}
OGG = {
    "vorbis": (oggvorbis.OggVorbisInfo, oggvorbis.OggVCommentDict),
    "opus": (oggopus.OggOpusInfo, oggopus.OggOpusVComment),
    "speex": (oggspeex.OggSpeexInfo, oggspeex.OggSpeexVComment),
    "flac": (oggflac.OggFLACStreamInfo, oggflac.OggFLACVComment),
}


class TooMuch(ValueError):
    """The tags are longer than anybody's."""


class TooLong(Exception):
    """Reading the tags takes longer than anybody's does."""


@dataclass(frozen=True)
class Cover:
    """A picture in a recording, as its bytes; the front of its cover, or another."""

    data: bytes
    is_front: bool


@dataclass
class Tagged:
    """What the tags hold; `bits` of a sample where a format of whole samples says so."""

    words: dict[str, str] = field(default_factory=dict)
    covers: list[Cover] = field(default_factory=list)
    bits: int | None = None
    notes: list[str] = field(default_factory=list)


class Frugal:
    """The file, of which no more is read than tags may have."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._left = file, MOST_BYTES
        self.seek, self.tell = file.seek, file.tell

    def read(self, length: int = -1) -> bytes:
        if length > self._left:
            raise TooMuch
        content = self._file.read(length if length >= 0 else self._left + 1)
        self._left -= len(content)
        if self._left < 0:
            raise TooMuch
        return content


def read(file: BinaryIO, mime: str, codec: str) -> Tagged:
    """All that the tags of a recording hold, as far as they make sense; never fails."""
    found = Tagged()
    for reader in READERS.get(mime, ()):
        file.seek(0)
        try:
            with at_most(MOST_SECONDS):
                reader(Frugal(file), codec, found)
        except TooMuch:
            found.notes.append(f"tags of more than {MOST_BYTES >> 20} MB were not read")
        except TooLong:
            found.notes.append("its tags take too long to read")
        except MemoryError:  # a few packed bytes can stand for any number of others
            found.notes.append("its tags ask for more memory than they may take")
        except (id3.ID3NoHeaderError, apev2.APENoHeaderError):
            pass
        except Exception as error:  # noqa: BLE001 - a stranger's tags may break their reader in any way
            kind = "" if isinstance(error, MutagenError) else f"{type(error).__name__}: "
            found.notes.append(f"its tags were not readable: {kind}{cleaned(str(error))[:200]}")
    return found


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise `TooLong` in what uses more processor time: readers copy what is left of the tags for every frame."""
    end = time.process_time() + seconds

    def check(*_: object) -> None:
        if time.process_time() > end:
            raise TooLong

    sys.setprofile(check)
    try:
        yield
    finally:
        sys.setprofile(None)


def _id3(file: Frugal, _codec: str, found: Tagged) -> None:
    _from_id3(id3.ID3(file), found)


def _from_id3(tags: Any, found: Tagged) -> None:
    if tags is None:
        return
    texts = {name: [text for key in keys if key in tags for text in tags[key].text] for name, keys in ID3.items()}
    texts["genre"] = [genre for frame in tags.getall("TCON") for genre in frame.genres]
    texts["comment"] = [text for frame in tags.getall("COMM") if frame.desc in TRUSTED_COMMENTS for text in frame.text]
    _take(found, texts)
    _add(found, (Cover(frame.data, frame.type == FRONT) for frame in tags.getall("APIC")))


def _ape(file: Frugal, _codec: str, found: Tagged) -> None:
    tags = apev2.APEv2(file)
    words = {key.lower(): value for key, value in tags.items() if value.kind == apev2.TEXT}
    _take(found, {name: [text for key in keys for text in words.get(key, ())] for name, keys in APE.items()})
    covers = ((key, value) for key, value in tags.items() if key.lower().startswith("cover art"))
    _add(found, (Cover(value.value.partition(b"\0")[2], "front" in key.lower()) for key, value in covers))


def _flac(file: Frugal, _codec: str, found: Tagged) -> None:
    opened = flac.FLAC(file)
    found.bits = opened.info.bits_per_sample
    _from_comments(opened.tags or {}, found)
    _add(found, map(_picture, opened.pictures))


def _ogg(file: Frugal, codec: str, found: Tagged) -> None:
    if codec in OGG:
        heading, comments = OGG[codec]
        header = heading(file)
        _from_comments(comments(file, header), found)


def _from_comments(tags: Mapping[str, list[str]], found: Tagged) -> None:
    texts = {name: [text for key in keys for text in tags.get(key, ())] for name, keys in VORBIS.items()}
    for name, keys in COUNTS.items():
        total = next((tags[key][0] for key in keys if tags.get(key)), None)
        if total and texts[name] and "/" not in texts[name][0]:
            texts[name] = [f"{texts[name][0]}/{total}"]
    _take(found, texts)
    packed = tags.get("metadata_block_picture", ())[:MOST_COVERS]
    _add(found, (_picture(flac.Picture(base64.b64decode(one))) for one in packed))
    _add(found, (Cover(base64.b64decode(one), is_front=False) for one in tags.get("coverart", ())[:MOST_COVERS]))


def _picture(picture: Any) -> Cover:
    return Cover(picture.data, picture.type == FRONT)


def _mp4(file: Frugal, _codec: str, found: Tagged) -> None:
    opened = mp4.MP4(file)
    found.bits = opened.info.bits_per_sample or None  # of compressed sound it says 16, whatever that is
    tags = opened.tags or {}
    _take(found, {name: [_pair(one) for key in keys for one in tags.get(key, ())] for name, keys in MP4.items()})
    _add(found, (Cover(bytes(one), is_front=True) for one in tags.get("covr", ())))


def _pair(value: Any) -> str:
    return "/".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _wave(file: Frugal, _codec: str, found: Tagged) -> None:
    if file.read(4) == b"RIFF":  # not the kind that may be longer than 4 GB, which mutagen does not know
        file.seek(0)
        _from_id3(wave.WAVE(file).tags, found)


def _aiff(file: Frugal, _codec: str, found: Tagged) -> None:
    _from_id3(aiff.AIFF(file).tags, found)


def _asf(file: Frugal, _codec: str, found: Tagged) -> None:
    tags = asf.ASF(file).tags
    _take(found, {name: [str(one) for key in keys for one in tags.get(key, ())] for name, keys in ASF.items()})
    _add(found, (_picture_of_asf(one.value) for one in tags.get("WM/Picture", ())))


def _picture_of_asf(block: bytes) -> Cover:
    """A kind, a length, two texts of UTF-16 that end with NUL, then the picture."""
    length = int.from_bytes(block[1:5], "little")
    return Cover(block[len(block) - length :] if 0 < length < len(block) else b"", block[:1] == bytes([FRONT]))


def _take(found: Tagged, texts: Mapping[str, list[Any]]) -> None:
    """What is not known yet; of several people or kinds of music one text."""
    for name, values in texts.items():
        told = [str(value)[:LONGEST_VALUE] for value in values[:MOST_VALUES]]
        text = ", ".join(dict.fromkeys(told) if name in SEVERAL else told[:1])
        if text.strip():
            found.words.setdefault(name, text)


def _add(found: Tagged, covers: Iterator[Cover]) -> None:
    for cover in covers:
        if len(cover.data) > LARGEST_COVER:
            found.notes.append(f"a picture of more than {LARGEST_COVER >> 20} MB was not read")
        elif cover.data and len(found.covers) < MOST_COVERS:
            found.covers.append(cover)


Reader = Callable[[Frugal, str, Tagged], None]
READERS: dict[str, tuple[Reader, ...]] = {
    "audio/mpeg": (_id3, _ape),
    "audio/aac": (_id3, _ape),
    "audio/flac": (_flac,),
    "audio/ogg": (_ogg,),
    "audio/mp4": (_mp4,),
    "audio/wav": (_wave,),
    "audio/aiff": (_aiff,),
    "audio/x-ms-wma": (_asf,),
}
"""Who reads the tags of each type; the first that has a word is believed."""
