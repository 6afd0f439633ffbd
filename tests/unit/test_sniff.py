import os
import struct
from pathlib import Path

import pytest

from common import sniff
from tests.support import media

STRANGERS = {
    "empty": b"",
    "svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    "html": b"<!doctype html><script>alert(1)</script>",
    "elf": b"\x7fELF\x02\x01\x01",
    "zip": b"PK\x03\x04",
    "pdf then jpeg": b"%PDF-1.7\n\xff\xd8\xff\xe0",
    "playlist": b"#EXTM3U\nfile:///etc/passwd",
    "ffconcat": b"ffconcat version 1.0\nfile /etc/passwd",
    "vips": b"\xb6\xa6\xf2\x08",
    "half a signature": b"\xff\xd8",
    "jpeg behind a space": b" \xff\xd8\xff",
    "heic": struct.pack(">I4s4sI4s4s", 24, b"ftyp", b"heic", 0, b"mif1", b"heic"),
    "heic that says avif too": struct.pack(">I4s4sI4s4s", 24, b"ftyp", b"avif", 0, b"avif", b"heic"),
    "video": struct.pack(">I4s4sI4s4s", 24, b"ftyp", b"isom", 0, b"isom", b"mp41"),
    "avif behind its brands": struct.pack(">I4s4sI4s", 16, b"ftyp", b"isom", 0, b"avif"),
    "jpeg xl": b"\xff\x0a",
    "sound": b"RIFF\x00\x01\x00\x00WAVEfmt ",
    "canon raw": b"II*\0\x10\0\0\0CR\x02\0",
    "phase one raw": b"IIII\x01\0\0\0",
    "phase one raw in a tiff": b"II*\0\x10\0\0\0IIII",
    "olympus raw": b"IIRO\x08\0\0\0",
    "panasonic raw": b"IIU\0\x18\0\0\0",
    "big tiff": b"II+\0\x08\0\0\0",
    "wasm": b"\0asm\x01\0\0\0",
    "djvu": b"AT&TFORM\0\0\0\0DJVU",
    "postscript": b"%!PS-Adobe-3.0 EPSF",
    "xml with a mark": b"\xef\xbb\xbf<?xml version='1.0'?>",
    "bitmap": b"BM\x36\0\0\0",
    "half a gif": b"GIF8",
    "text": b"GIF is a format\n",
}


@pytest.mark.parametrize("head", STRANGERS.values(), ids=STRANGERS)
def test_strangers_are_not_recognised(head: bytes) -> None:
    """Only the first bytes speak, and only for the families on our list."""
    assert sniff.sniff(head) is None


def test_what_follows_does_not_matter() -> None:
    """A picture with a page or an archive behind it is what it starts as, and is decoded as nothing else."""
    assert sniff.sniff(b"\xff\xd8\xff\xe0 <html> PK\x03\x04") == sniff.JPEG
    assert sniff.sniff(b"\x89PNG\r\n\x1a\n<script>") == sniff.PNG


@pytest.mark.parametrize("known", sniff.FORMATS, ids=lambda known: known.name)
def test_every_format_is_recognised(known: sniff.Format) -> None:
    """A file of each format that we take is known by how it starts."""
    assert sniff.sniff(media.encoded(known.extension)[: sniff.HEAD_BYTES]) is known


def test_formats_are_told_as_they_are() -> None:
    """Whoever is refused hears the whole list."""
    assert sniff.taken_formats() == "JPEG, PNG, WebP, GIF, TIFF and AVIF"


@pytest.mark.parametrize("marks", media.RAW_MARKS.values(), ids=media.RAW_MARKS)
@pytest.mark.parametrize("gap", [0, 2000])
def test_raw_files_are_no_tiff(tmp_path: Path, marks: dict[int, int], gap: int) -> None:
    """A camera's raw file is told from a TIFF by the tags of its first directory."""
    assert sniff.sniff(media.tiff(tmp_path / "photo.tif", {}, gap=gap).read_bytes()) is sniff.TIFF
    assert sniff.sniff(media.tiff(tmp_path / "photo.tif", marks, gap=gap).read_bytes()) is None


@pytest.mark.skipif("LUMILIO_TEST_MEDIA" not in os.environ, reason="real photos are not here")
@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("raw/canon_eos_6d.dng", None),
        ("formats/heic/IMG_2682.heic", None),
        ("formats/heic/wrong-extension-jpeg.heic", sniff.JPEG),
        ("formats/motionphoto/samsung-one-ui-6.heic", None),
        ("formats/jxl/8bit-sRGB.jxl", None),
        ("formats/avif/10bit-HDR-P3-nclx.avif", sniff.AVIF),
        ("formats/webp/denali.webp", sniff.WEBP),
        ("video/quicktime-hvc1.mov", None),
    ],
)
def test_real_files(name: str, known: sniff.Format | None) -> None:
    """Real files are what they are, whatever they are called."""
    assert sniff.sniff(Path(os.environ["LUMILIO_TEST_MEDIA"], name).read_bytes()[: sniff.HEAD_BYTES]) is known
