"""Pictures that are well, beside which far too much is said, and heads of pictures that never come."""

import struct
import warnings
import zlib
from collections.abc import Callable
from io import BytesIO

from tests.support import heic, hostile, media, psd, raws
from tests.support.boxes import box
from tests.support.heic import Heic

PACKET = b"http://ns.adobe.com/xap/1.0/\0"
XXE = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x:xmpmeta xmlns:x="adobe:ns:meta/">&a;</x:xmpmeta>'
LONG_PACKET = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + b" " * (5 << 20) + b"</x:xmpmeta>"
RESOURCES = (b"8BIM\3\xed" + bytes(6)) * (1 << 19)
IPTC_BOX = bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38")
INFLATED = 1 << 28


def greedy_tags(length: int = 1 << 20, tags: int = 30_000) -> bytes:
    """An EXIF block each of whose tags says that half of the block is its own."""
    entries = b"".join(struct.pack("<HHII", 1000 + tag, 7, length // 2, 8) for tag in range(tags))
    return (b"II*\0" + struct.pack("<IH", 8, tags) + entries).ljust(length, b"\0")


def png(*chunks: bytes) -> bytes:
    """A PNG with these chunks before its pixels."""
    whole = media.encoded(".png")
    return whole[:33] + b"".join(chunks) + whole[33:]


def squeezed(kind: bytes, before: bytes) -> bytes:
    """A chunk of nothing that takes a quarter of a gigabyte once it is unpacked."""
    press = zlib.compressobj(9)
    data = b"".join(press.compress(bytes(1 << 20)) for _ in range(INFLATED >> 20)) + press.flush()
    return media.chunk(kind, before + data)


def segments(marker: int, data: bytes, count: int) -> bytes:
    """A JPEG that begins with so many of the longest segments there are."""
    return hostile.with_segments(*[hostile.segment(marker, data.ljust(65_533, b" "))] * count)


def greedy(suffix: str, head: bytes = b"Exif\0\0") -> bytes:
    """A picture with greedy tags; their writer is not asked what it thinks of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return hostile.photo(suffix=suffix, exif=head + greedy_tags())


def photos_in_one() -> bytes:
    """Two pictures as a camera with two lenses stores them; only the first is as large as it says."""
    buffer = BytesIO()
    media.quadrants().save(buffer, "MPO", save_all=True, append_images=[media.quadrants(64, 64)])
    return buffer.getvalue()


def psd_beside() -> bytes:
    """A Photoshop file with far too much in each of its blocks."""
    return psd.psd(media.quadrants(), beside={1058: greedy_tags(), 1060: LONG_PACKET, 1028: RESOURCES})


def jp2_beside() -> bytes:
    """A JPEG 2000 with far too much in its boxes."""
    exif, iptc = b"JpgTiffExif->JP2" + greedy_tags(), IPTC_BOX + RESOURCES
    return media.encoded(".jp2") + box(b"uuid", exif) + box(b"uuid", iptc)


HEAVY: dict[str, Callable[[], bytes]] = {
    "64 segments of EXIF": lambda: segments(0xE1, b"Exif\0\0" + greedy_tags(65_000, 5000), 64),
    "64 segments of XMP": lambda: segments(0xE1, PACKET, 64),
    "256 segments of resources": lambda: segments(0xED, b"Photoshop 3.0\0" + RESOURCES[:65_000], 256),
    "an entity of another file": lambda: segments(0xE1, PACKET + XXE, 1),
    "100,000 texts in a PNG": lambda: png(*(media.chunk(b"tEXt", b"key %d\0word" % key) for key in range(100_000))),
    "squeezed text in a PNG": lambda: png(squeezed(b"zTXt", b"key\0\0")),
    "squeezed XMP in a PNG": lambda: png(squeezed(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0")),
    "squeezed colours in a PNG": lambda: png(squeezed(b"iCCP", b"key\0\0")),
    "greedy tags in a PNG": lambda: png(media.chunk(b"eXIf", greedy_tags())),
    "greedy tags in a WebP": lambda: greedy(".webp"),
    "greedy tags in an AVIF": lambda: greedy(".avif"),
    "greedy tags in a HEIC": lambda: heic.heic(media.quadrants(), Heic(exif=greedy_tags())),
    "greedy tags in a JPEG XL": lambda: greedy(".jxl", b""),
    "long XMP in a WebP": lambda: hostile.photo(suffix=".webp", xmp=LONG_PACKET),
    "long XMP in a TIFF": lambda: hostile.photo(suffix=".tif", tiffinfo={700: LONG_PACKET}),
    "long XMP in an AVIF": lambda: hostile.photo(suffix=".avif", xmp=LONG_PACKET),
    "long XMP in a HEIC": lambda: heic.heic(media.quadrants(), Heic(xmp=LONG_PACKET)),
    "long XMP in a JPEG XL": lambda: hostile.photo(suffix=".jxl", xmp=LONG_PACKET),
    "much in a PSD": psd_beside,
    "much in a JPEG 2000": jp2_beside,
    "a list of files behind a JPEG": lambda: media.encoded(".jpg") + b"ffconcat version 1.0\nfile a.mp4\n" * 99,
    "a second picture in an MPO": lambda: photos_in_one() + hostile.jpeg(22_400, progressive=False),
    "monstrous preview": lambda: raws.dng(
        preview=hostile.jpeg(22_400, progressive=False), claimed=(22_400, 22_400), more={34665: {}, 34853: {}}
    ),
}
"""What a careless reader would unpack, copy or follow; the pictures are 480 by 320 and know neither time nor place."""


def nested(depth: int) -> bytes:
    """Boxes in boxes."""
    found = b""
    for _ in range(depth):
        found = box(b"moov", found)
    return found


def avif(side: int) -> bytes:
    """A small AVIF that says that it is large."""
    small, large = (b"ispe" + struct.pack(">III", 0, *size) for size in ((480, 320), (side, side)))
    return media.encoded(".avif").replace(small, large)


def gif(side: int) -> bytes:
    """A GIF of next to nothing that says that it is large."""
    head = b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    return head + b"\x2c" + struct.pack("<HHHHB", 0, 0, side, side, 0) + b"\x02\x02\x44\x01\x00;"


def webp(side: int) -> bytes:
    """The head of a WebP that never comes."""
    size = (side - 1).to_bytes(3, "little") * 2
    frame = b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", side, side) + bytes(20)
    chunks = b"VP8X" + struct.pack("<I", 10) + bytes(4) + size + b"VP8 " + struct.pack("<I", len(frame)) + frame
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


CUT = {
    "JPEG 2000 with a header of 2 GB": lambda: media.encoded(".jp2").replace(
        b"\0\0\0\x2djp2h", b"\x7f\xff\xff\xffjp2h"
    ),
    "JPEG cut behind its head": lambda: hostile.photo()[:700],
    "AVIF of 30,000 a side": lambda: avif(30_000),
    "GIF of 30,000 a side": lambda: gif(30_000),
    "WebP of 16,383 a side": lambda: webp(16_383),
    "HEIC of 100,000 boxes in boxes": lambda: heic.heic(media.quadrants(), Heic(said={b"moov": nested(100_000)})),
    "AVIF of 50,000 boxes in boxes": lambda: media.encoded(".avif") + nested(50_000),
    "raw with nothing but a monster": lambda: raws.shape("NIKON CORPORATION", hostile.jpeg(22_400, progressive=False)),
}
"""What ends too early, or says that it is more than anybody shows."""
