import os
import struct
from pathlib import Path

import pytest

from common import formats, sniff
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
    "jpeg xl": b"\xff\x0a",
    "half a head of a sound": b"RIFF\x00\x01\x00\x00WAVEfmt ",
    "flash program": b"FWS\x0a" + bytes(100),
    "playlist of films": b"<ASX VERSION='3.0'>",
    "one frame of sound": b"\xff\xfb\x90\x64" + bytes(4000),
    "frames of two kinds": b"\xff\xfb\x90\x64" + bytes(413) + b"\xff\xf3\x90\x64" + bytes(4000),
    "text in utf-16": "\ufeffI am no sound, not at all".encode("utf-16-le") * 40,
    "a tag of another kind": b"ID3\x09\0\0\0\0\0\0" + bytes(100),
    "one packet": b"G" + bytes(187) + b"G" + bytes(187),
    "no page begins here": b"OggS\0\0" + bytes(100),
    "a page of words": b"OggS\0\2" + bytes(20) + b"\x01\x08fishead\0",
    "another markup": b"\x1a\x45\xdf\xa3\x86\x42\x82\x83foo",
    "a free box and a letter": struct.pack(">I4s", 16, b"free") + b"Dear Sir, I write to you",
    "a fragment of a film": struct.pack(">I4s", 16, b"moof") + bytes(100),
    "phase one raw": b"IIII\x01\0\0\0",
    "big tiff of another kind": b"II+\0\x04\0\0\0",
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
    assert sniff.sniff(b"\xff\xd8\xff\xe0 <html> PK\x03\x04") == formats.JPEG
    assert sniff.sniff(b"\x89PNG\r\n\x1a\n<script>") == formats.PNG


WRITABLE = formats.STILLS


def boxed(major: bytes, *others: bytes) -> bytes:
    return struct.pack(">I4s4sI", 16 + 4 * len(others), b"ftyp", major, 0) + b"".join(others)


STARTS = {
    "heic": (boxed(b"heic", b"mif1", b"heic"), formats.HEIC),
    "heic that says avif too": (boxed(b"mif1", b"avif", b"heic"), formats.HEIC),
    "heif of an unknown codec": (boxed(b"mif1", b"mif1"), formats.HEIC),
    "avif by its second brand": (boxed(b"mif1", b"avif", b"miaf"), formats.AVIF),
    "video": (boxed(b"isom", b"isom", b"mp41"), formats.MP4),
    "quicktime": (boxed(b"qt  ", b"qt  "), formats.MOV),
    "video of a phone": (boxed(b"3gp4", b"isom"), formats.THREE_GP),
    "video of a brand that nobody knows": (boxed(b"niko", b"niko", b"mp42"), formats.MP4),
    "sound by its brand": (boxed(b"M4A ", b"M4A ", b"mp42", b"isom"), formats.M4A),
    "quicktime without a brand": (struct.pack(">I4sI4s", 600, b"moov", 108, b"mvhd"), formats.MOV),
    "quicktime that begins with its data": (struct.pack(">I4sI4s", 1, b"mdat", 0, b"\0\0\x0b\xb8"), formats.MOV),
    "quicktime that begins with nothing": (struct.pack(">I4sI4s", 8, b"wide", 90, b"mdat"), formats.MOV),
    "broadcast": ((b"G" + bytes(187)) * 21, formats.MPEG_TS),
    "camcorder": ((bytes(4) + b"G" + bytes(187)) * 21, formats.MPEG_TS),
    "old mpeg": (b"\0\0\x01\xba\x21\0\x01\0\x01", formats.MPEG_PS),
    "matroska without its name": (b"\x1a\x45\xdf\xa3\x84\x42\x86\x81\x01" + bytes(100), formats.MKV),
    "speex": (b"OggS\0\2" + bytes(20) + b"\x01\x50Speex   ", formats.OGG),
    "theora": (b"OggS\0\2" + bytes(20) + b"\x01\x2a\x80theora", formats.OGV),
    "voice": (b"#!AMR\n\x3c", formats.AMR),
    "canon": (b"II*\0\x10\0\0\0CR\x02\0", formats.CR2),
    "canon since 2018": (boxed(b"crx ", b"crx ", b"isom"), formats.CR3),
    "phase one": (b"II*\0\x10\0\0\0IIII", formats.RAW),
    "olympus": (b"IIRO\x08\0\0\0", formats.ORF),
    "panasonic": (b"IIU\0\x18\0\0\0", formats.RW2),
    "fujifilm": (b"FUJIFILMCCD-RAW 0201FF383501", formats.RAF),
    "minolta": (b"\0MRM\0\0\x10\0", formats.MRW),
    "sigma": (b"FOVb\0\0\2\0", formats.X3F),
    "big tiff": (b"II+\0\x08\0\0\0", formats.TIFF),
    "big tiff, big end first": (b"MM\0+\0\x08\0\0", formats.TIFF),
    "jpeg xl": (b"\xff\x0a" + bytes(14), formats.JXL),
    "jpeg xl in its container": (b"\0\0\0\x0cJXL \r\n\x87\n", formats.JXL),
    "jpeg 2000 without a container": (b"\xff\x4f\xff\x51\0\x2f", formats.JP2),
    "photoshop": (b"8BPS\0\1", formats.PSD),
}


@pytest.mark.parametrize("known", WRITABLE, ids=lambda known: known.name)
def test_every_format_is_recognised(known: formats.Format) -> None:
    """A file of each format that we take is known by how it starts."""
    assert sniff.sniff(media.encoded(known.extension)[: sniff.HEAD_BYTES]) is known


@pytest.mark.parametrize(("head", "known"), STARTS.values(), ids=STARTS)
def test_starts(head: bytes, known: formats.Format) -> None:
    """What a container holds is what its own brand says; a camera's raw file is its maker's."""
    assert sniff.sniff(head) is known


def test_formats_are_told_as_they_are() -> None:
    """Whoever is refused hears the whole list."""
    assert formats.taken_formats() == (
        "JPEG, PNG, WebP, GIF, TIFF, AVIF, HEIC, JPEG XL, JPEG 2000, PSD, BMP, cameras' RAW, MP4, QuickTime, "
        "Matroska, WebM, AVI, 3GP, MPEG transport stream, MPEG, Windows Media video, Flash video, Ogg video, MP3, "
        "FLAC, Ogg, M4A, AAC, WAV, AIFF, AMR, Windows Media audio, Matroska audio and WebM audio"
    )


@pytest.mark.parametrize("marks", media.RAW_MARKS.values(), ids=media.RAW_MARKS)
@pytest.mark.parametrize("gap", [0, 2000])
def test_raw_files_are_no_tiff(tmp_path: Path, marks: dict[int, int], gap: int) -> None:
    """A camera's raw file is told from a TIFF by the tags of its first directory."""
    assert sniff.sniff(media.tiff(tmp_path / "photo.tif", {}, gap=gap).read_bytes()) is formats.TIFF
    assert sniff.sniff(media.tiff(tmp_path / "photo.tif", marks, gap=gap).read_bytes()) in formats.RAWS


@pytest.mark.skipif("LUMILIO_TEST_MEDIA" not in os.environ, reason="real photos are not here")
@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("raw/canon_eos_6d.dng", formats.DNG),
        ("formats/heic/IMG_2682.heic", formats.HEIC),
        ("formats/heic/wrong-extension-jpeg.heic", formats.JPEG),
        ("formats/motionphoto/samsung-one-ui-6.heic", formats.HEIC),
        ("formats/jxl/8bit-sRGB.jxl", formats.JXL),
        ("formats/avif/10bit-HDR-P3-nclx.avif", formats.AVIF),
        ("formats/webp/denali.webp", formats.WEBP),
        ("video/quicktime-hvc1.mov", formats.MOV),
        ("video/mp42-hvc1.mp4", formats.MP4),
    ],
)
def test_real_files(name: str, known: formats.Format) -> None:
    """Real files are what they are, whatever they are called."""
    assert sniff.sniff(Path(os.environ["LUMILIO_TEST_MEDIA"], name).read_bytes()[: sniff.HEAD_BYTES]) is known
