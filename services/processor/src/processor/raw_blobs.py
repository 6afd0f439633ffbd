"""Where a camera's raw file keeps what it says beside its pixels: a TIFF, or blocks in a container of the maker's."""

import os
import struct
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from io import BytesIO
from typing import BinaryIO, TypeVar

import rawpy
from msgspec import structs
from PIL.ExifTags import IFD, Base
from PIL.Image import Exif

from common import formats
from common.boxes import Part, Read, boxes
from processor import colours, containers
from processor.metadata import Blobs, Moment, Said, exif
from processor.metadata.text import line, number

HEAD_BYTES = 1 << 20
"""As much of a container's start as its directories and their values take."""
MOST_BLOCK = 1 << 20
MOST_BOXES = 200
XMP, PREVIEW_SPACE = 700, 50970
ADOBE_RGB, ADOBE_RGB_OF_DNG = "R03", 3
CANON_BOXES = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
TIFFS = (formats.CR2, formats.NEF, formats.ARW, formats.PEF, formats.SRW, formats.DNG, formats.RAW)

BY_LIBRAW = "dcraw v"
NO_TIME = datetime(1970, 1, 2)  # noqa: DTZ001 - the clocks of cameras, which know no zone

Value = TypeVar("Value")
Block = bytes | BinaryIO


def read(file: BinaryIO, mime: str, preview: Blobs) -> Blobs:
    """All that the file holds, or else its preview; what the preview alone says is believed last; never fails."""
    own = _own(file, mime)
    known = (_said(preview.exif),) if isinstance(preview.exif, bytes) and preview.exif else ()
    return Blobs(exif=own or preview.exif, xmp=_xmp(file, mime, own) or preview.xmp, iptc=preview.iptc, known=known)


def known_to(raw: rawpy.RawPy) -> Said:
    """What LibRaw found in the notes of the maker, once it has unpacked the picture; never fails."""
    with _patiently():
        other, lens = raw.other, raw.lens
        return Said(
            moments=_moments(other.timestamp),
            lens_model=line(lens.model),
            exposure_time=_if_true(exif.exposure_time, other.shutter_speed),
            f_number=_if_true(lambda value: number(value, least=0.1, most=1000), other.aperture),
            iso_speed=_if_true(lambda value: int(number(value, least=1, most=1e7)), other.iso_speed),
            focal_length=_if_true(lambda value: number(value, least=0.1, most=1e5), other.focal_length),
        )
    return Said()


def profile(block: Block) -> bytes:
    """The colour profile of a preview that has none, by what the camera says of its colours; empty for sRGB."""
    with _patiently():
        found = parsed(block)
        space = found.get(PREVIEW_SPACE)
        names = found.get_ifd(IFD.Interop) if space is None else {}
        if space == ADOBE_RGB_OF_DNG or str(names.get(1, "")).startswith(ADOBE_RGB):
            return colours.adobe_rgb()
    return b""


def orientation(block: Block) -> int | None:
    """The orientation that an EXIF block says, None if it says none."""
    with _patiently():
        found = parsed(block).get(Base.Orientation)
        return found if isinstance(found, int) and 1 <= found <= 8 else None
    return None


def parsed(block: Block) -> Exif:
    """An EXIF block as Pillow reads it."""
    found = Exif()
    if isinstance(block, bytes):
        found.load(block)
    else:
        block.seek(0)
        found.load_from_fp(block)
    return found


def _own(file: BinaryIO, mime: str) -> Block:
    """The file's own EXIF block, empty where only its preview has one."""
    with _patiently():
        return KEEPERS[mime](file) if mime in KEEPERS else b""
    return b""


@contextmanager
def _patiently() -> Iterator[None]:
    """Whatever a stranger's bytes do to a parser, it was only an attempt."""
    with warnings.catch_warnings(), suppress(Exception):
        warnings.simplefilter("ignore")
        yield


def _said(block: bytes) -> Said:
    """What a preview's EXIF says; LibRaw writes one into previews that have none."""
    said, _ = exif.read(block)
    with _patiently():
        found = parsed(block)
        if not said.moments and str(found.get(Base.Software)).startswith(BY_LIBRAW):
            return structs.replace(said, moments=_moments(exif.date(found[Base.DateTime])))
    return said


def _moments(at: datetime) -> tuple[Moment, ...]:
    return (Moment(at=at, source="LibRaw"),) if at > NO_TIME else ()


def _if_true(check: Callable[[float], Value], value: float) -> Value | None:
    with suppress(ValueError):
        return check(value) if value > 0 else None
    return None


def _whole(file: BinaryIO) -> Block:
    return file


def _patched(file: BinaryIO) -> Block:
    """The start of a TIFF whose signature is its maker's own."""
    head = os.pread(file.fileno(), HEAD_BYTES, 0)
    return BytesIO((b"II*\0" if head.startswith(b"II") else b"MM\0*") + head[4:])


def _minolta(file: BinaryIO) -> Block:
    """The TIFF in one of the blocks that an MRW begins with."""
    head = os.pread(file.fileno(), HEAD_BYTES, 0)
    at = 8
    for _ in range(MOST_BOXES):
        kind, length = struct.unpack_from(">4sI", head, at)
        if kind == b"\0TTW":
            return head[at + 8 : at + 8 + length]
        at += 8 + length
    return b""


def _canon(file: BinaryIO) -> Block:
    """The three directories that a CR3 keeps apart, as one block."""
    read = containers.reader(file)
    told = (box for box in _boxes_of_canon(read, containers.size(file)) if box.kind.startswith(b"CMT"))
    found = {box.kind: read(box.start, min(box.end - box.start, MOST_BLOCK)) for box in told}
    whole = Exif()
    for kind, target in ((b"CMT1", whole), (b"CMT2", whole.get_ifd(IFD.Exif)), (b"CMT4", whole.get_ifd(IFD.GPSInfo))):
        with _patiently():  # one that is broken costs the others nothing
            directory = parsed(found[kind])
            target.update({tag: value for tag, value in directory.items() if tag not in set(IFD)})
    return whole.tobytes()


def _boxes_of_canon(read: Read, size: int) -> Iterator[Part]:
    for box in boxes(read, 0, size):
        if box.kind == b"moov":
            for inner in boxes(read, box.start, box.end):
                if inner.kind == b"uuid" and read(inner.start, 16) == CANON_BOXES:
                    yield from boxes(read, inner.start + 16, inner.end)


def _xmp(file: BinaryIO, mime: str, own: Block) -> bytes:
    """The XMP packet that the file itself holds."""
    with _patiently():
        if mime == formats.CR3.mime_type:
            return _xmp_of_canon(file)
        found = parsed(own).get(XMP, b"")
        return found[:MOST_BLOCK] if isinstance(found, bytes) else b""
    return b""


def _xmp_of_canon(file: BinaryIO) -> bytes:
    read = containers.reader(file)
    for box in boxes(read, 0, containers.size(file)):
        if box.kind == b"uuid" and read(box.start, 16) == XMP_BOX:
            return read(box.start + 16, min(box.end - box.start, MOST_BLOCK) - 16)
    return b""


KEEPERS: dict[str, Callable[[BinaryIO], Block]] = {
    **{known.mime_type: _whole for known in TIFFS},
    **{known.mime_type: _patched for known in (formats.RW2, formats.ORF)},
    formats.MRW.mime_type: _minolta,
    formats.CR3.mime_type: _canon,
}
"""How the EXIF block of each format is found; the others have one in their preview alone."""
