"""What is believed of XMP, in the file and beside it."""

import time
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from processor.metadata import Said, names, regions, xmp
from processor.metadata.record import Face
from tests.support.words import bag, packet, region, translated
from tests.support.words import regions as regions_of


def said(*bodies: str, **attributes: str) -> Said:
    """What a packet says that leaves nothing to remark."""
    seen, notes = xmp.read(packet(*bodies, **attributes))
    assert notes == []
    return seen


def test_nothing_is_said_by_nothing() -> None:
    """An empty packet, even of a few kilobytes, says nothing and nothing is wrong with it."""
    assert xmp.read(b"") == xmp.read(b"\0" * 4096) == xmp.read(b" \n" * 2048) == (Said(), [])


def micro_video(kind: str, offset: str) -> str:
    return (
        f"<GCamera:MicroVideo>{kind}</GCamera:MicroVideo><GCamera:MicroVideoOffset>{offset}</GCamera:MicroVideoOffset>"
    )


FLAT = "<GPano:UsePanoramaViewer>False</GPano:UsePanoramaViewer>"
WORDS = [
    (translated("dc:title", default="Am „Meer“"), {"title": "Am „Meer“"}),
    (translated("dc:title", de="Meer", default="Sea"), {"title": "Sea"}),
    (translated("dc:title", de="Meer", fr="Mer"), {"title": "Meer"}),
    (translated("dc:title", default="", de="Meer"), {"title": "Meer"}),
    ("<dc:title>🩷 \u202eab\ufdd0\u0085c</dc:title>", {"title": "🩷 abc"}),
    ("<dc:title>two\nlines</dc:title>", {"title": "two lines"}),
    (translated("dc:description", default="東京 🗼 &lt;b&gt;"), {"description": "東京 🗼 <b>"}),
    (translated("dc:description", default="two\nlines"), {"description": "two\nlines"}),
    (translated("dc:description", default="OLYMPUS DIGITAL CAMERA         "), {}),
    (translated("exif:UserComment", default="from afar"), {"description": "from afar"}),
    (translated("tiff:ImageDescription", default="from afar"), {"description": "from afar"}),
    (bag("dc:subject", "sea", "東京", "👩‍👩‍👧", "sea"), {"keywords": ("sea", "東京", "👩‍👩‍👧")}),
    (bag("lr:hierarchicalSubject", "Places|Paris|7e"), {"keywords": ("Places/Paris/7e",)}),
    (bag("digiKam:TagsList", "Places/Paris", kind="Seq"), {"keywords": ("Places/Paris",)}),
    (bag("MicrosoftPhoto:LastKeywordXMP", "Places/Paris"), {"keywords": ("Places/Paris",)}),
    (bag("mediapro:CatalogSets", "Places|Paris"), {"keywords": ("Places/Paris",)}),
    (bag("dc:subject", "Places|Paris", " | "), {"keywords": ("Places/Paris",)}),
    ("<xmp:Rating>4</xmp:Rating>", {"rating": 4}),
    ("<xmp:Rating>5.0</xmp:Rating>", {"rating": 5}),
    ("<xmp:Rating>0</xmp:Rating>", {"rating": 0}),
    ("<xmp:Rating>-1</xmp:Rating>", {"rating": -1}),
    ("<MicrosoftPhoto:Rating>99</MicrosoftPhoto:Rating>", {"rating": 5}),
    ("<MicrosoftPhoto:Rating>1</MicrosoftPhoto:Rating>", {"rating": 1}),
    ("<MicrosoftPhoto:Rating>0</MicrosoftPhoto:Rating>", {"rating": 0}),
    ("<MicrosoftPhoto:Rating>50</MicrosoftPhoto:Rating><xmp:Rating>2</xmp:Rating>", {"rating": 2}),
    ("<tiff:Make>Canon</tiff:Make><tiff:Model>EOS</tiff:Model>", {"camera_make": "Canon", "camera_model": "EOS"}),
    ("<aux:Lens>EF 50</aux:Lens>", {"lens_model": "EF 50"}),
    ("<aux:Lens>50</aux:Lens><exifEX:LensModel>EF 50</exifEX:LensModel>", {"lens_model": "EF 50"}),
    ("<exif:ExposureTime>1/250</exif:ExposureTime>", {"exposure_time": "1/250"}),
    ("<exif:FNumber>28/10</exif:FNumber>", {"f_number": 2.8}),
    (bag("exif:ISOSpeedRatings", "400", kind="Seq"), {"iso_speed": 400}),
    ("<exifEX:PhotographicSensitivity>800</exifEX:PhotographicSensitivity>", {"iso_speed": 800}),
    ("<aux:Lens>----</aux:Lens>", {}),
    ("<exif:FocalLength>50</exif:FocalLength>", {"focal_length": 50.0}),
    ("<exif:ExposureBiasValue>-2/4</exif:ExposureBiasValue>", {"exposure": -0.5}),
    ("<GPano:ProjectionType>equirectangular</GPano:ProjectionType>", {"projection": "equirectangular"}),
    ("<GPano:UsePanoramaViewer>True</GPano:UsePanoramaViewer>", {"projection": "equirectangular"}),
    ("<GPano:ProjectionType>cylindrical</GPano:ProjectionType>" + FLAT, {}),
    ("<GCamera:BurstID>42-a</GCamera:BurstID>", {"burst_identifier": "42-a"}),
    (micro_video("1", "99"), {"motion_length": 99}),
    (micro_video("0", "99"), {}),
    ("<GCamera:MotionPhoto>1</GCamera:MotionPhoto>", {}),
]


@pytest.mark.parametrize(("body", "expected"), WORDS)
def test_what_programs_write(body: str, expected: dict[str, Any]) -> None:
    """Each property is read as its writers mean it."""
    assert said(body) == Said(**expected)


NONSENSE = [
    "<xmp:Rating>6</xmp:Rating>",
    "<xmp:Rating>nan</xmp:Rating>",
    "<xmp:Rating>many</xmp:Rating>",
    "<xmp:Rating>-2</xmp:Rating>",
    "<MicrosoftPhoto:Rating>101</MicrosoftPhoto:Rating>",
    "<exif:ExposureTime>1/0</exif:ExposureTime>",
    "<exif:FNumber>1e999</exif:FNumber>",
    "<exif:DateTimeOriginal>0000-00-00T00:00:00</exif:DateTimeOriginal>",
    "<exif:DateTimeOriginal>2024-13-01</exif:DateTimeOriginal>",
    "<exif:DateTimeOriginal>2024-05-17T12:00:00+15:00</exif:DateTimeOriginal>",
    "<xmp:CreateDate>yesterday</xmp:CreateDate>",
    "<exif:GPSLatitude>91,0N</exif:GPSLatitude>",
    "<exif:GPSLatitude>48,51E</exif:GPSLatitude>",
    micro_video("1", "-5"),
    micro_video("1", "1e9"),
]


@pytest.mark.parametrize("body", NONSENSE)
def test_nonsense_is_noted(body: str) -> None:
    """What cannot be true is not believed, and a note says so."""
    seen, notes = xmp.read(packet(body))

    assert seen == Said()
    assert len(notes) == 1
    assert notes[0].startswith("XMP ")


NOON = datetime.fromisoformat("2024-05-17T12:00:00")


@pytest.mark.parametrize(
    ("written", "at", "minutes"),
    [
        ("2024-05-17T12:00:00", NOON, None),
        ("2024-05-17T12:00:00Z", NOON, 0),
        ("2024-05-17T12:00:00+02:00", NOON, 120),
        ("2024-05-17T12:00:00-0330", NOON, -210),
        ("2024-05-17T12:00", NOON, None),
        ("2024-05-17T12:00:00.25+05:45", NOON.replace(microsecond=250_000), 345),
        ("2024-05-17T12:00:00.1234567", NOON.replace(microsecond=123_456), None),
        ("2024:05:17 12:00:00", NOON, None),
        ("2024-05-17", datetime.fromisoformat("2024-05-17"), None),
        ("2024-05", datetime.fromisoformat("2024-05-01"), None),
        ("2024", datetime.fromisoformat("2024-01-01"), None),
        ("1985-00-00", datetime.fromisoformat("1985-01-01"), None),
    ],
)
def test_dates_may_be_partial(written: str, at: datetime, minutes: int | None) -> None:
    """A date is the first moment that it may mean, by the clock on the wall, with its offset if it has one."""
    (moment,) = said(exif__DateTimeOriginal=written).moments

    assert (moment.at, moment.offset_minutes, moment.source) == (at, minutes, "XMP exif:DateTimeOriginal")


def test_when_it_was_taken_comes_before_when_it_was_scanned() -> None:
    """Of several dates the one of the shutter comes first."""
    seen = said(
        xmp__CreateDate="2024",
        exif__DateTimeDigitized="2023",
        photoshop__DateCreated="1985",
        exif__DateTimeOriginal="1984",
    )

    assert [moment.at.year for moment in seen.moments] == [1984, 1985, 2023, 2024]


@pytest.mark.parametrize(
    ("latitude", "longitude", "expected"),
    [
        ("48,51.5N", "2,17.6667E", (48.8583333, 2.2944450)),
        ("48,51,30N", "2,17,40W", (48.8583333, -2.2944444)),
        ("33,52.08S", "151,12.5E", (-33.868, 151.2083333)),
        ("-33.868", "151.2083", (-33.868, 151.2083)),
        ("33.868S", "151.2083E", (-33.868, 151.2083)),
        ("90,0N", "180,0.0W", (90.0, -180.0)),
    ],
)
def test_positions(latitude: str, longitude: str, expected: tuple[float, float]) -> None:
    """A position is degrees north and east, however its minutes are written."""
    seen = said(exif__GPSLatitude=latitude, exif__GPSLongitude=longitude, exif__GPSAltitude="353/10")

    assert (seen.latitude, seen.longitude) == pytest.approx(expected)
    assert seen.altitude == 35.3


def test_below_the_sea() -> None:
    """An altitude may be a depth; half a position is none."""
    deep = said(exif__GPSLatitude="1,0N", exif__GPSLongitude="1,0E", exif__GPSAltitude="5/1", exif__GPSAltitudeRef="1")

    assert deep.altitude == -5
    assert said(exif__GPSLatitude="1,0N") == Said()


def test_the_satellites_clock() -> None:
    """XMP's GPS time is a whole date in Greenwich."""
    assert said(exif__GPSTimeStamp="2024-05-17T12:00:00Z").instant == NOON
    assert said(exif__GPSTimeStamp="2024-05-17T14:00:00+02:00").instant == NOON


def test_faces_by_their_centres() -> None:
    """The regions of the Metadata Working Group that are faces, with or without a name, in shares or in pixels."""
    seen = said(
        regions_of(
            region("Zoë 🙂", 0.5, 0.5, 0.2, 0.4),
            region("", 100, 75, 40, 30, unit="pixel"),
            region("Rex", 0.5, 0.5, 0.1, 0.1, kind="Pet"),
            region("half outside", 0.0, 0.5, 0.2, 0.2),
            region("outside", 3, 3, 0.1, 0.1),
            region("nowhere", float("nan"), 0.5, 0.1, 0.1),
        )
    )

    assert seen.faces == (
        Face(name="Zoë 🙂", left=0.4, top=0.3, width=0.2, height=0.4),
        Face(name=None, left=0.2, top=0.2, width=0.1, height=0.1),
        Face(name="half outside", left=0.0, top=0.4, width=0.1, height=0.2),
    )


MICROSOFT = (
    '<MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag>'
    '<rdf:li MPReg:PersonDisplayName="Marie" MPReg:Rectangle="0.1, 0.2, 0.3, 0.4"/>'
    '<rdf:li rdf:parseType="Resource"><MPReg:Rectangle>0.5, 0.5, 0.1, 0.1</MPReg:Rectangle></rdf:li>'
    '<rdf:li MPReg:PersonDisplayName="Nobody"/>'
    "</rdf:Bag></MPRI:Regions></MP:RegionInfo>"
)


def test_faces_by_their_corners() -> None:
    """Microsoft's regions are taken where there are no others."""
    corners = (
        Face(name="Marie", left=0.1, top=0.2, width=0.3, height=0.4),
        Face(name=None, left=0.5, top=0.5, width=0.1, height=0.1),
    )

    assert said(MICROSOFT).faces == corners
    assert said(MICROSOFT, regions_of(region("Zoë", 0.5, 0.5, 0.2, 0.2))).faces[0].name == "Zoë"


CORNERS = dict(
    enumerate([(0.1, 0.2), (0.6, 0.2), (0.6, 0.4), (0.1, 0.4), (0.2, 0.1), (0.4, 0.1), (0.4, 0.6), (0.2, 0.6)], start=1)
)


@pytest.mark.parametrize("orientation", CORNERS)
def test_faces_turn_with_the_picture(orientation: int) -> None:
    """A face in the stored picture is found in the upright one, whichever of eight ways the camera was held."""
    stored = Face(name="Zoë", left=0.1, top=0.2, width=0.3, height=0.4)

    upright = regions.turned(stored, orientation)

    left, top = CORNERS[orientation]
    width, height = (0.4, 0.3) if orientation > 4 else (0.3, 0.4)
    assert upright == Face(name="Zoë", left=left, top=top, width=width, height=height)


def item(semantic: str, length: int, padding: int) -> str:
    return (
        f'<rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="video/mp4" Item:Semantic="{semantic}" '
        f'Item:Length="{length}" Item:Padding="{padding}"/></rdf:li>'
    )


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([("Primary", 1000, 8), ("MotionPhoto", 5000, 0)], 5000),
        ([("Primary", 1000, 8), ("MotionPhoto", 5000, 199)], 5000),
        ([("Primary", 1000, 0), ("GainMap", 70, 0), ("MotionPhoto", 5000, 0)], 5000),
        ([("Primary", 1000, 0), ("MotionPhoto", 5000, 2), ("Depth", 70, 5)], 5072),
        ([("Primary", 1000, 0), ("GainMap", 70, 0)], None),
    ],
)
def test_motion_photos_end_with_a_video(items: list[tuple[str, int, int]], expected: int | None) -> None:
    """Where the video starts is told from the end of the file, for what stands behind it too."""
    directory = f"<Container:Directory><rdf:Seq>{''.join(item(*one) for one in items)}</rdf:Seq></Container:Directory>"

    assert said(directory, GCamera__MotionPhoto="1").motion_length == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_packets_in_any_encoding(encoding: str) -> None:
    """A packet is read by its first bytes, whatever its declaration claims, and padding is no harm."""
    _, _, written = packet(translated("dc:title", default="東京 🗼")).decode().partition("\n")
    declared = '<?xml version="1.0" encoding="utf-8"?>' + written + " " * 2048 + "\0\0"

    assert xmp.read(declared.encode(encoding))[0].title == "東京 🗼"


def test_broken_characters_are_replaced() -> None:
    """One byte that is no UTF-8 does not cost the rest of the packet."""
    seen, notes = xmp.read(packet(translated("dc:title", default="M@nchen")).replace(b"@", b"\xfc"))

    assert (seen.title, notes) == ("M\ufffdnchen", [])


def test_prefixes_are_only_names() -> None:
    """A property is known by its namespace, not by the letters in front of it; what is unknown is passed over."""
    ours = packet("<a:b xmlns:a='urn:a'><a:c a:d='1'/></a:b>", dc__title="Sea", xmp__Rating="3")
    theirs = ours.replace(b"dc:", b"zz:").replace(b"xmlns:dc=", b"xmlns:zz=")

    seen, notes = xmp.read(theirs)

    assert (seen.title, seen.rating, notes) == ("Sea", 3, [])


LAUGHS = b"".join(b"<!ENTITY %c '&%c;&%c;'>" % (98 + i, 97 + i, 97 + i) for i in range(20))
HOSTILE = {
    "billion laughs": b"<!DOCTYPE x [<!ENTITY a 'ha'>" + LAUGHS + b"]><x>&u;</x>",
    "external entity": b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>",
    "external DTD": b"<!DOCTYPE x SYSTEM 'http://localhost/x.dtd'><x/>",
    "parameter entity": b"<!DOCTYPE x [<!ENTITY % a SYSTEM 'http://localhost/'> %a;]><x/>",
    "deep": b"<a>" * 100_000,
    "wide": b"<x>" + b"<a/>" * 200_000 + b"</x>",
    "attributes": b"<x " + b" ".join(b"a%d='1'" % i for i in range(80_000)) + b"/>",
    "too large": b"<x>" + b" " * (1 << 22) + b"</x>",
    "cut": packet(dc__title="Sea")[:-40],
    "no XML": b"JFIF" * 10,
    "undeclared": b"<x:xmpmeta>&a;</x:xmpmeta>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_packets(name: str) -> None:
    """A packet made to do harm costs a note and less than a second."""
    started = time.process_time()

    seen, notes = xmp.read(HOSTILE[name])

    assert seen == Said()
    assert (len(notes), time.process_time() - started < 1) == (1, True)


TEDIOUS = {
    "instructions": b"<?a?>" * 800_000,
    "comments": b"<!---->" * 580_000,
    "characters": b"<x>" + b"&#10;" * 800_000 + b"</x>",
    "lines": b"<x>" + b"\n" * 4_000_000 + b"</x>",
    "namespaces": b"<x " + b" ".join(b"xmlns:a%d='u%d'" % (i, i) for i in range(30_000)) + b"/>",
}


@pytest.mark.parametrize("name", TEDIOUS)
def test_tedious_packets(name: str) -> None:
    """A packet full of nothing is read within a second."""
    started = time.process_time()

    assert xmp.read(TEDIOUS[name])[0] == Said()

    assert time.process_time() - started < 1


def test_no_more_than_anybody_would_write() -> None:
    """Keywords, names and faces have bounds."""
    many = said(
        bag("dc:subject", "x" * 5000, *(f"word {number}" for number in range(5000))),
        regions_of(*(region("y" * 500, 0.5, 0.5, 0.1, 0.1) for _ in range(500))),
    )

    assert len(many.keywords) == 1000
    assert len(many.keywords[0]) == 200
    assert len(many.faces) == 200
    assert len(many.faces[0].name or "") == 200


WHOLE = packet(
    translated("dc:title", default="Sea"),
    bag("dc:subject", "sea"),
    regions_of(region("Zoë", 0.5, 0.5, 0.2, 0.2)),
    MICROSOFT,
    exif__DateTimeOriginal="2024-05-17T12:00:00.5+02:00",
    exif__GPSLatitude="48,51.5N",
    exif__GPSLongitude="2,17.6E",
    exif__FNumber="28/10",
    xmp__Rating="4",
)


def check(seen: Said) -> None:
    """No string that a database would refuse, no number out of its bounds."""
    words = (seen.title, seen.description, seen.camera_make, *seen.keywords, *(face.name for face in seen.faces))
    assert not any("\0" in word or any(0xD800 <= ord(letter) < 0xE000 for letter in word) for word in words if word)
    assert seen.rating in {None, -1, 0, 1, 2, 3, 4, 5}
    assert all(0 <= face.left <= 1 and 0 < face.width <= 1 and face.top + face.height < 1.000_01 for face in seen.faces)
    assert seen.latitude is None or -90 <= seen.latitude <= 90


@given(some.lists(some.tuples(some.integers(0, len(WHOLE) - 1), some.integers(0, 255)), max_size=6))
def test_damaged_packets(changes: list[tuple[int, int]]) -> None:
    """Whatever bytes of a packet are wrong, reading it ends well and believes only what can be true."""
    damaged = bytearray(WHOLE)
    for where, value in changes:
        damaged[where] = value

    check(xmp.read(bytes(damaged))[0])


PROPERTIES = ["xmp:Rating", "exif:GPSLatitude", "dc:title", "mwg-rs:Regions", *names.DATES, *names.KEYWORDS]


@given(some.sampled_from(PROPERTIES), some.text(max_size=60))
def test_any_value(name: str, value: str) -> None:
    """No value of a property makes the reader fail."""
    check(xmp.read(packet(GCamera__MotionPhoto="1", **{name: value}))[0])


@given(some.binary(max_size=300))
def test_anything_can_be_read(content: bytes) -> None:
    """No bytes at all make the reader fail."""
    check(xmp.read(content)[0])
