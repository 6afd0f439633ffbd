"""What is believed of Picasa's files."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from processor.metadata import Said, picasa
from processor.metadata.record import Face

FOLDER = """[Picasa]
name=Holidays
[Contacts]
d10a8325c557b085=joedoe_lh,cb989580bc43a91
8e62398ebda8c1a5=Pierre Curie;;
[Contacts2]
d10a8325c557b085=Marie Curie;marie@example.org;
[Photo One.JPG]
star=yes
caption=Am „Meer“ = schön 🌊
keywords=sea, 東京,,sea
faces=rect64(199933334ccc6666),d10a8325c557b085;rect64(80008000c000c000),8e62398ebda8c1a5;rect64(1000200030),ffffffffffffffff
[other.jpg]
star=no
caption=not ours
"""


def test_what_picasa_writes() -> None:
    """A photo is found by its name whatever its letters, and so are the people in it."""
    seen, notes = picasa.read(FOLDER.encode(), "photo one.jpg")

    assert (seen.description, seen.keywords, seen.rating) == ("Am „Meer“ = schön 🌊", ("sea", "東京"), 5)
    assert [face.name for face in seen.faces] == ["Marie Curie", "Pierre Curie", None]
    assert seen.faces[0] == Face(name="Marie Curie", left=0.09999237, top=0.2, width=0.2, height=0.2)
    assert (seen.faces[2].left, seen.faces[2].top) == (0.0, 0.000244144)
    assert notes == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (FOLDER.replace("\n", "\r\n").encode("utf-8-sig"), "not ours"),
        ("[other.jpg]\ncaption=Größe €".encode("cp1252"), "Größe €"),
        (b"[other.jpg]\nstar=yes\n[x]\n[OTHER.jpg]\ncaption=twice", "twice"),
        (b"caption=nobody's\n[other.jpg", None),
        (b"[other.jpg]\ncaption=SONY DSC", None),
        (b"[other.jpg]\ncaption", None),
        (b"", None),
    ],
)
def test_however_it_is_written(content: bytes, expected: str | None) -> None:
    """Line ends, marks and character sets are those of three operating systems."""
    assert picasa.read(content, "other.jpg")[0].description == expected


def test_the_name_on_disk_comes_first() -> None:
    """A photo that was renamed is looked for by its present name, then by its old one."""
    assert picasa.read(FOLDER.encode(), "other.jpg", "photo one.jpg")[0].description == "not ours"
    assert picasa.read(FOLDER.encode(), "third.jpg", "other.jpg")[0].description == "not ours"
    assert picasa.read(FOLDER.encode(), "third.jpg", "") == (Said(), [])
    assert picasa.read("[Zoe\u0308.jpg]\nstar=yes".encode(), "zo\u00eb.jpg")[0].rating == 5


@pytest.mark.parametrize(
    "faces",
    ["rect64(),1", "rect64(ffffffffffffffffff),1", "rect64(zz),1", "rect64(4000400020002000),1", ";;;", "rect64(0),1"],
)
def test_faces_that_are_none(faces: str) -> None:
    """A rectangle without an area is nobody."""
    assert picasa.read(f"[a]\nfaces={faces}".encode(), "a")[0] == Said()


def test_no_more_than_anybody_would_write() -> None:
    """Faces and keywords have bounds, and so has the file."""
    face, word = "rect64(199933334ccc6666),1;", "x" * 300
    many = f"[a]\nfaces={face * 500}\nkeywords={word},{','.join(map(str, range(5000)))}".encode()

    seen, _ = picasa.read(many, "a")

    assert (len(seen.faces), len(seen.keywords), len(seen.keywords[0])) == (200, 1000, 200)
    assert len(picasa.read(b"\n" * ((1 << 20) + 1), "a")[1]) == 1


@given(some.lists(some.tuples(some.integers(0, 400), some.integers(0, 255)), max_size=8))
def test_damage_never_fails(changes: list[tuple[int, int]]) -> None:
    """Whatever bytes are wrong, reading them ends well and no face lies outside."""
    damaged = bytearray(FOLDER.encode())
    for where, value in changes:
        damaged[where] = value

    seen, _ = picasa.read(bytes(damaged), "photo one.jpg")

    assert all(0 <= face.left <= 1 and 0 <= face.top <= 1 and 0 < face.width <= 1 for face in seen.faces)
    assert not any("\0" in word for word in (seen.description or "", *seen.keywords))


@given(some.binary(max_size=200))
def test_anything_can_be_read(content: bytes) -> None:
    """No bytes at all make the reader fail."""
    picasa.read(b"[a]\nfaces=" + content + b"\ncaption=" + content, "a")
