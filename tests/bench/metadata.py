"""What reading an ordinary JPEG's metadata costs, beside Pillow reading its EXIF alone."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base
from PIL.TiffImagePlugin import IFDRational

from processor import metadata
from processor.metadata import where
from tests.bench.figures import Bench, Results
from tests.support import media

READINGS = 1000
ROUNDS = 5


async def metadata_pass(_: Bench) -> Results:
    """Milliseconds of processor time for a phone's photo with EXIF, GPS and XMP, its place and its zone included."""
    exif, xmp = _phone(), _packet()
    blobs = metadata.Blobs(exif=exif, xmp=xmp)
    told = metadata.Told(file_name="IMG_20240517_120000.jpg", modified=datetime(2024, 5, 18))  # noqa: DTZ001
    ours = _milliseconds(lambda: where.located(metadata.read(blobs, told, orientation=6)))
    bare = _milliseconds(lambda: _pillow(exif))
    return {
        "metadata: ms for an ordinary JPEG (<= 3)": ours,
        "metadata: files per second and core": 1000 / ours,
        "metadata: ms of Pillow for its EXIF alone": bare,
    }


def _milliseconds(reading: Callable[[], object]) -> float:
    """The best of a few rounds, for the others were disturbed."""
    return min(_round(reading) for _ in range(ROUNDS))


def _round(reading: Callable[[], object]) -> float:
    began = time.process_time()
    for _ in range(READINGS // ROUNDS):
        reading()
    return (time.process_time() - began) * 1000 / (READINGS // ROUNDS)


def _pillow(block: bytes) -> list[dict[int, object]]:
    exif = Image.Exif()
    exif.load(block)
    return [dict(exif), exif.get_ifd(IFD.Exif), exif.get_ifd(IFD.GPSInfo)]


def _phone() -> bytes:
    moment = "2024:05:17 12:00:00"
    camera: dict[int, Any] = {
        Base.DateTimeOriginal: moment,
        Base.DateTimeDigitized: moment,
        Base.SubsecTimeOriginal: "251",
        Base.OffsetTimeOriginal: "+02:00",
        Base.ExposureTime: IFDRational(1, 60),
        Base.FNumber: IFDRational(2, 1),
        Base.ISOSpeedRatings: 100,
        Base.FocalLength: IFDRational(4, 1),
        Base.LensModel: "Pixel 8 back camera 6.9mm f/1.7",
    }
    where = media.somewhere() | {GPS.GPSDateStamp: "2024:05:17", GPS.GPSTimeStamp: (10.0, 0.0, 0.0)}
    return media.exif({Base.Make: "Google", Base.Model: "Pixel 8", Base.Orientation: 6}, camera, where)


def _packet() -> bytes:
    return b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
    <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmp:Rating="4" xmp:CreateDate="2024-05-17T12:00:00.251+02:00"><dc:subject><rdf:Bag><rdf:li>Paris</rdf:li>
    <rdf:li>bridge</rdf:li></rdf:Bag></dc:subject><dc:description><rdf:Alt><rdf:li xml:lang="x-default">At the river
    </rdf:li></rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta>"""
