"""What a video or a recording is by its first bytes."""

import struct
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from common import formats
from common.formats import Format

MOST_CHAINED = 3
"""So many frames one behind the other, each where the one before says, are no accident."""
_SIGNATURES: tuple[tuple[bytes, Format], ...] = (
    (b"fLaC\0\0\0\x22", formats.FLAC),
    (b"fLaC\x80\0\0\x22", formats.FLAC),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c", formats.WMV),
    (b"#!AMR\n", formats.AMR),
    (b"#!AMR-WB\n", formats.AMR),
)
_RIFF: dict[tuple[bytes, bytes], Format] = {
    (b"RIFF", b"AVI "): formats.AVI,
    (b"RIFF", b"WAVE"): formats.WAV,
    (b"RF64", b"WAVE"): formats.WAV,
    (b"BW64", b"WAVE"): formats.WAV,
    (b"FORM", b"AIFF"): formats.AIFF,
    (b"FORM", b"AIFC"): formats.AIFF,
}
_RIFF_HEAD = 20

_VIDEO_BRANDS = {
    *(b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9", b"mp41", b"mp42", b"mp4v"),
    *(b"avc1", b"hvc1", b"hev1", b"av01", b"MSNV", b"M4V ", b"M4VH", b"M4VP", b"XAVC", b"dash", b"dby1", b"mmp4"),
    *(b"F4V ", b"F4P "),
}
_SOUND_BRANDS = {b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B "}
_PICTURE_BRANDS = {b"mif1", b"mif2", b"msf1", b"avif", b"avis", b"heic", b"heix"}
_PHONES = (b"3gp", b"3g2", b"3ge", b"3gg", b"3gr", b"3gs")
_FIRST_BOXES = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}

_OF_SOUND = (b"\x01vorbis", b"OpusHead", b"\x7fFLAC", b"Speex   ")
_OF_PICTURES = b"\x80theora"
_BEGINS, _PAGE = 2, 27

_EBML, _DOCTYPE = b"\x1a\x45\xdf\xa3", b"\x42\x82"
_PACKETS = ((0, 188), (4, 192), (0, 204))  # where the first sync byte is, and how long a packet
_SYNC = 0x47

_MPEG_1_RATES = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MPEG_1_II_RATES = (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384)
_MPEG_2_RATES = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_SAMPLE_RATES = (44_100, 48_000, 32_000)


class Chained(NamedTuple):
    """What a frame's header says: how long the frame is, and what is the same in all frames of a file."""

    length: int
    same: int


Header = Callable[[bytes], Chained | None]
"""Reads the header of a frame; None where there is none."""


def sniff(head: bytes) -> Format | None:
    """The format of a video or a recording that starts so, or None."""
    return (
        next((known for signature, known in _SIGNATURES if head.startswith(signature)), None)
        or (_RIFF.get((head[:4], head[8:12])) if len(head) >= _RIFF_HEAD else None)
        or (_matroska(head) if head.startswith(_EBML) else None)
        or (_ogg(head) if head.startswith(b"OggS\0") else None)
        or _streamed(head)
        or (formats.MP3 if tag_length(head) else sounds(head))
        or (formats.MOV if _is_old_quicktime(head) else None)
    )


def branded(major: bytes, others: set[bytes]) -> Format | None:
    """The format of an ISO container by its own brand; where nobody knows that one, by the others."""
    if major == b"qt  ":
        return formats.MOV
    if major[:3] in _PHONES:
        return formats.THREE_GP
    if major in _SOUND_BRANDS:
        return formats.M4A
    is_like_one = bool(others & _VIDEO_BRANDS) and not others & _PICTURE_BRANDS
    return formats.MP4 if major in _VIDEO_BRANDS or is_like_one else None


def tag_length(head: bytes) -> int:
    """How long the ID3 tag is that stands before a recording; 0 where there is none."""
    if len(head) < 10 or not head.startswith(b"ID3") or head[3] not in {2, 3, 4} or max(head[4:5] + head[6:10]) > 127:
        return 0
    a, b, c, d = head[6:10]
    footer = 10 if head[5] & 0x10 else 0
    return 10 + (a << 21 | b << 14 | c << 7 | d) + footer


def sounds(head: bytes) -> Format | None:
    """The format of bare frames of sound, by several of them one behind the other."""
    if _chain(head, mpeg_frame):
        return formats.MP3
    return formats.AAC if _chain(head, adts_frame) else None


def mpeg_frame(header: bytes) -> Chained | None:
    """A frame of MPEG layer II or III."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    # version 3, 2 and 0 are MPEG 1, 2 and 2.5; layer 1 and 2 are III and II
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    rate, sampled, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == 1 or layer not in {1, 2} or rate in {0, 15} or sampled == 3 or header[3] & 3 == 2:
        return None
    samples = _SAMPLE_RATES[sampled] >> {3: 0, 2: 1, 0: 2}[version]
    rates = _MPEG_2_RATES if version != 3 else _MPEG_1_RATES if layer == 1 else _MPEG_1_II_RATES
    slots = 72 if version != 3 and layer == 1 else 144
    return Chained(slots * rates[rate] * 1000 // samples + padding, version << 4 | layer << 2 | sampled)


def adts_frame(header: bytes) -> Chained | None:
    """A frame of AAC with its own header."""
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0 or header[2] >> 2 & 15 > 12:
        return None
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return Chained(length, header[1] << 8 | header[2] & 0xFC) if length > 7 else None


def _chain(head: bytes, header: Header) -> bool:
    found = list(islice(_frames(head, header), MOST_CHAINED))
    return len(found) == MOST_CHAINED and len({frame.same for frame in found}) == 1


def _frames(head: bytes, header: Header) -> Iterator[Chained]:
    at = 0
    while frame := header(head[at : at + 8]):
        yield frame
        at += frame.length


def _streamed(head: bytes) -> Format | None:
    """The format of what was made to be broadcast, which says little at its start."""
    for first, step in _PACKETS:
        places = range(first, len(head), step)
        if len(places) >= MOST_CHAINED and all(head[at] == _SYNC for at in places):
            return formats.MPEG_TS
    if head.startswith(b"\0\0\x01\xba") and len(head) > 4 and (head[4] >> 6 == 1 or head[4] >> 4 == 2):
        return formats.MPEG_PS
    is_flash = head.startswith(b"FLV\x01") and head[4:5].strip(b"\0\1\4\5") == b"" and head[5:9] == b"\0\0\0\x09"
    return formats.FLV if is_flash else None


def _matroska(head: bytes) -> Format | None:
    """What its header calls it; a container that says nothing is a Matroska."""
    at = head.find(_DOCTYPE, 4, 100)
    length = head[at + 2] & 0x7F if 0 < at < len(head) - 2 else 0
    named = head[at + 3 : at + 3 + length].rstrip(b"\0") if length else b"matroska"
    return {b"webm": formats.WEBM, b"matroska": formats.MKV}.get(named)


def _ogg(head: bytes) -> Format | None:
    """A video if any of the tracks that begin here is one, else a recording if any is sound."""
    starts = [head[start : start + 8] for start in islice(_pages(head), 16)]
    if any(start.startswith(_OF_PICTURES) for start in starts):
        return formats.OGV
    return formats.OGG if any(start.startswith(_OF_SOUND) for start in starts) else None


def _pages(head: bytes) -> Iterator[int]:
    """Where the content of the pages starts with which tracks begin; they come before all others."""
    at = 0
    while head[at : at + 5] == b"OggS\0" and len(head) > at + _PAGE and head[at + 5] & _BEGINS:
        lengths = head[at + _PAGE : at + _PAGE + head[at + 26]]
        start = at + _PAGE + len(lengths)
        yield start
        at = start + sum(lengths)


def _is_old_quicktime(head: bytes) -> bool:
    """Whether it starts with a box that QuickTime began files with before it had one for that."""
    if len(head) < 16 or head[4:8] not in _FIRST_BOXES:
        return False
    (length,) = struct.unpack(">I", head[:4])
    if head[4:8] == b"moov":
        return head[12:16] in {b"mvhd", b"cmov", b"trak", b"udta", b"iods", b"meta"}
    following = head[length + 4 : length + 8]
    return (length >= 8 and (len(following) < 4 or following in _FIRST_BOXES)) or (length <= 1 and head[4:8] == b"mdat")
