"""Whose words are believed when several sources speak of the same photo."""

from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from typing import Any, Literal

import msgspec
import pytest
from PIL.ExifTags import Base
from PIL.TiffImagePlugin import IFDRational

from processor import metadata
from processor.metadata import Blobs, Face, Metadata, Told, keywords
from tests.support import media
from tests.support.words import bag, packet, records, region, regions

PICASA = b"[photo.jpg]\nstar=yes\ncaption=of Picasa\nkeywords=picasa\nfaces=rect64(199933334ccc6666),1\n"


def read(  # the blocks of one `photo.jpg`, and the files beside it
    exif: Mapping[int, Any] | None = None,
    *,
    camera: Mapping[int, Any] | None = None,
    gps: Mapping[int, Any] | None = None,
    xmp: bytes = b"",
    iptc: bytes = b"",
    sidecar: bytes = b"",
    folder: bytes = b"",
    orientation: int = 1,
) -> Metadata:
    block = media.exif(exif, camera, gps) if exif or camera or gps else b""
    beside: list[tuple[Literal["xmp", "picasa"], bytes]] = [("xmp", sidecar), ("picasa", folder)]
    return metadata.read(
        Blobs(exif=block, xmp=xmp, iptc=iptc),
        Told(stored_name="photo.jpg", beside=tuple(kind for kind, content in beside if content)),
        orientation=orientation,
        beside=[BytesIO(content) for _, content in beside if content],
    )


def wide(text: str) -> bytes:
    return text.encode("utf-16-le") + b"\0\0"


def test_all_words_have_an_end() -> None:
    """Names of faces and notes take what the words before them leave, and every face is one all the same."""
    face = Face(name="ä" * 200, left=0.1, top=0.1, width=0.1, height=0.1)

    seen = metadata.bounded(Metadata(title="t", faces=(face,) * 200, notes=("n" * 300,) * 500))

    assert len(msgspec.json.encode(seen)) < 64 * 1024 + 200 * 80
    assert (seen.title, len(seen.faces), seen.faces[0]) == ("t", 200, face)
    assert seen.faces[-1].name is None


def test_whose_words_are_believed() -> None:
    """Sidecar, XMP, IPTC, EXIF, Picasa: in this order a title, a description and a rating are looked for."""
    exif: dict[int, Any] = {Base.XPTitle: wide("of EXIF"), Base.ImageDescription: "of EXIF", Base.Rating: 2}
    iptc = records({(2, 5): b"of IPTC", (2, 120): b"of IPTC"})
    xmp = packet(dc__title="of XMP", dc__description="of XMP", xmp__Rating="3")
    sidecar = packet(dc__title="of sidecar", dc__description="of sidecar", xmp__Rating="1")

    seen = [
        read(exif, xmp=xmp, iptc=iptc, folder=PICASA, sidecar=sidecar),
        read(exif, xmp=xmp, iptc=iptc, folder=PICASA),
        read(exif, iptc=iptc, folder=PICASA),
        read(exif, folder=PICASA),
        read(folder=PICASA),
    ]

    assert [one.title for one in seen] == ["of sidecar", "of XMP", "of IPTC", "of EXIF", None]
    assert [one.description for one in seen] == ["of sidecar", "of XMP", "of IPTC", "of EXIF", "of Picasa"]
    assert [one.rating for one in seen] == [1, 3, 2, 2, 5]
    assert not any(one.notes for one in seen)


def test_cameras_give_no_stars() -> None:
    """A zero that may be a camera's own is believed only where nobody gave stars, unless it stands in a sidecar."""
    zero = packet(xmp__Rating="0")

    assert read(xmp=zero).rating == 0
    assert read({Base.Rating: 4}, xmp=zero).rating == 4
    assert read({Base.Rating: 0}, folder=PICASA).rating == 5
    assert read({Base.Rating: 4}, sidecar=zero).rating == 0


def test_rejected_pictures_have_no_rating() -> None:
    """Whoever rejects a picture takes its stars, wherever they stand, and a note says so."""
    rejected = packet(xmp__Rating="-1")

    for seen in (read({Base.Rating: 4}, sidecar=rejected), read({Base.Rating: 4}, xmp=rejected), read(xmp=rejected)):
        assert (seen.rating, seen.notes) == (None, ("somebody rejected the picture, which is no rating",))
    assert read(sidecar=packet(xmp__Rating="2"), xmp=rejected).rating == 2


WINDOWS = [
    ({Base.XPTitle: wide("Am „Meer“")}, "title", "Am „Meer“"),
    ({Base.XPComment: wide("東京 🗼")}, "description", "東京 🗼"),
    ({Base.XPSubject: wide("about\nit")}, "description", "about\nit"),
    ({Base.XPComment: wide("comment"), Base.XPSubject: wide("subject")}, "description", "comment"),
    ({Base.ImageDescription: "SONY DSC", Base.XPComment: wide("ours")}, "description", "ours"),
    ({Base.XPKeywords: wide("sea; 東京;;sea")}, "keywords", ("sea", "東京")),
    ({Base.Rating: 5}, "rating", 5),
    ({Base.RatingPercent: 75}, "rating", 4),
    ({Base.Rating: 2, Base.RatingPercent: 99}, "rating", 2),
]


@pytest.mark.parametrize(("exif", "name", "expected"), WINDOWS)
def test_what_windows_writes(exif: dict[int, Any], name: str, expected: object) -> None:
    """EXIF holds words too: Windows' own, and a camera's, which are none."""
    seen = read(exif)

    assert (getattr(seen, name), seen.notes) == (expected, ())


@pytest.mark.parametrize(
    "written",
    [
        *("OLYMPUS DIGITAL CAMERA         ", "SONY DSC", "SAMSUNG CAMERA PICTURES", "KODAK Digital Still Camera"),
        *("DCIM\\100MEDIA\\DJI_0007.JPG", "DCIM/100GOPRO/GOPR0001.JPG", "<Digimax i5, Samsung #1>"),
        *("cof", "dav", "Created with GIMP"),
    ],
)
def test_what_cameras_call_their_pictures(written: str) -> None:
    """A camera's or a program's own words are no description, in EXIF as in XMP and IPTC."""
    assert read({Base.ImageDescription: written}).description is None
    assert read(xmp=packet(dc__description=written), iptc=records({(2, 120): written.encode()})).description is None
    assert read({Base.ImageDescription: f"Our {written.strip()}"}).description == f"Our {written.strip()}"


def test_stars_beyond_five_are_noted() -> None:
    """A rating that cannot be is not believed."""
    seen = read({Base.Rating: 7})

    assert (seen.rating, len(seen.notes)) == (None, 1)


def test_keywords_of_all() -> None:
    """The keywords are those of every source, and what a longer path says already is not repeated."""
    seen = read(
        {Base.XPKeywords: wide("exif;PARIS")},
        sidecar=packet(bag("lr:hierarchicalSubject", "Places|Paris|7e", "Places")),
        xmp=packet(bag("dc:subject", "paris", "Places", "sea"), bag("digiKam:TagsList", "Places/Paris")),
        iptc=records({(2, 25): [b"7e", b"iptc"]}),
        folder=PICASA,
    )

    assert seen.keywords == ("Places/Paris/7e", "sea", "iptc", "exif", "picasa")


def test_paths_that_begin_alike_stay() -> None:
    """Only a whole step of a path makes a keyword superfluous."""
    words = ("Places/Paris", "Places/Par", "Paris plage", "sea", "Sea")

    assert keywords.united(words) == words
    assert keywords.united(["AC/DC", "Music/AC/DC", "AC"]) == ("Music/AC/DC",)


def test_the_time_of_a_sidecar() -> None:
    """A person's date comes before the camera's, the camera's before what else is in the file."""
    camera: dict[int, Any] = {Base.DateTimeOriginal: "2024:05:17 12:00:00"}
    xmp, iptc = packet(exif__DateTimeOriginal="2001-01-01"), records({(2, 55): b"20020202"})

    years = [
        (one.taken_at and one.taken_at.year, one.taken_from)
        for one in (
            read(camera=camera, xmp=xmp, iptc=iptc, sidecar=packet(photoshop__DateCreated="1985")),
            read(camera=camera, xmp=xmp, iptc=iptc),
            read(xmp=xmp, iptc=iptc),
            read(iptc=iptc),
        )
    ]

    assert years == [
        (1985, "sidecar photoshop:DateCreated"),
        (2024, "DateTimeOriginal"),
        (2001, "XMP exif:DateTimeOriginal"),
        (2002, "IPTC"),
    ]


def test_a_sidecar_that_leaves_out_the_zone() -> None:
    """Where a sidecar only repeats the camera's second, the camera's fraction and offset are kept; no other's are."""
    camera: dict[int, Any] = {
        Base.DateTimeOriginal: "2024:05:17 12:00:00",
        Base.SubsecTimeOriginal: "25",
        Base.OffsetTimeOriginal: "+02:00",
    }

    same = read(camera=camera, sidecar=packet(exif__DateTimeOriginal="2024-05-17T12:00:00"))
    other = read(camera=camera, sidecar=packet(exif__DateTimeOriginal="2024-05-17T13:00:00"))

    assert same.taken_at == datetime.fromisoformat("2024-05-17T12:00:00.250000")
    assert (same.taken_from, same.offset_minutes) == ("sidecar exif:DateTimeOriginal", 120)
    assert (other.taken_at, other.offset_minutes) == (datetime.fromisoformat("2024-05-17T13:00:00"), None)


def test_the_place_of_a_sidecar() -> None:
    """A person's position comes before the camera's, the camera's before that of XMP."""
    paris, south = media.somewhere(), {"exif__GPSLatitude": "33,52.08S", "exif__GPSLongitude": "151,12.5E"}

    assert read(gps=paris, sidecar=packet(**south)).gps_latitude == -33.868
    assert read(gps=paris, xmp=packet(**south)).gps_latitude == pytest.approx(48.858333)
    assert read(xmp=packet(**south)).gps_latitude == -33.868


def test_the_camera_knows_itself() -> None:
    """What EXIF says of the camera comes before XMP, which fills in what is missing."""
    seen = read(
        {Base.Make: "Canon"},
        camera={Base.FNumber: IFDRational(28, 10)},
        xmp=packet(tiff__Make="Nikon", aux__Lens="EF 50", exif__FNumber="4/1"),
    )

    assert (seen.camera_make, seen.lens_model, seen.f_number) == ("Canon", "EF 50", 2.8)


STORED = packet(regions(region("Zoë", 0.25, 0.4, 0.3, 0.4)))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("container", ["turns", "does not"])
def test_faces_are_upright(orientation: int, container: str) -> None:
    """Faces are given in the upright picture, also where the decoder has turned the pixels already."""
    left, top = [(0.1, 0.2), (0.6, 0.2), (0.6, 0.4), (0.1, 0.4), (0.2, 0.1), (0.4, 0.1), (0.4, 0.6), (0.2, 0.6)][
        orientation - 1
    ]
    width, height = (0.4, 0.3) if orientation > 4 else (0.3, 0.4)

    seen = read({Base.Orientation: orientation}, xmp=STORED, orientation=1 if container == "turns" else orientation)

    assert seen.faces == (Face(name="Zoë", left=left, top=top, width=width, height=height),)


def test_whose_faces_are_believed() -> None:
    """Sidecar, XMP, Picasa: the first that knows any faces knows them all."""
    sidecar = packet(regions(region("beside", 0.5, 0.5, 0.1, 0.1)))

    assert [face.name for face in read(xmp=STORED, sidecar=sidecar, folder=PICASA).faces] == ["beside"]
    assert [face.name for face in read(xmp=STORED, sidecar=packet(), folder=PICASA).faces] == ["Zoë"]
    assert [face.name for face in read(folder=PICASA).faces] == [None]


def test_what_cannot_be_read_is_noted() -> None:
    """Every source that is broken leaves its note and costs nothing else."""
    seen = read({Base.ImageDescription: "Sea"}, xmp=b"<x", sidecar=b"<!DOCTYPE x><x/>", folder=b"\n" * (1 << 21))

    assert seen.description == "Sea"
    assert [note.split(" was")[0] for note in seen.notes] == ["XMP packet", "sidecar packet", "Picasa's file"]


def test_keywords_are_no_book() -> None:
    """However long they are, there are no more of them than 48 KB."""
    found = keywords.several(f"{number:03}" + "é" * 190 for number in range(1000))

    assert sum(len(word.encode()) for word in found) <= 48 << 10
    assert found[0].startswith("000")
    assert len(found) > 100
