"""Names in an archive lead nowhere, on no system, and none hides another."""

import random
import unicodedata
import zipfile
from datetime import datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from gateway import archive_names
from gateway.archive import Entry
from tests.support.archives import extracted, write

DAY = datetime.fromisoformat("2026-11-28")
BAD = [
    *(
        "../../etc/passwd",
        "..",
        ".",
        "...",
        "/etc/passwd",
        "//host/share/a.jpg",
        "\\\\host\\share\\a.jpg",
        "C:\\a.jpg",
        "C:a.jpg",
    ),
    *(
        "a/../../b.jpg",
        "..\\..\\b.jpg",
        "a\x00.jpg",
        "a\n.jpg",
        "a\r\nb.jpg",
        "\x1b[2J.jpg",
        "a\u202egpj.exe",
        "\ud800.jpg",
        "",
    ),
    *(
        "CON",
        "con.jpg",
        "Nul.tar.gz",
        "COM1.jpg",
        "lpt9",
        "COM¹.jpg",
        "aux .jpg",
        "CONIN$",
        "prn. .jpg",
        "a.jpg.",
        "a.jpg  ",
        "a. . .",
    ),
    *(
        "-rf",
        "~root",
        ".htaccess",
        "a:b.jpg",
        "a<b>.jpg",
        "a|b",
        'a"b',
        "a?b*",
        "%00",
        "%2e%2e%2f",
        "~",
        "-",
        "$(id).jpg",
        "`id`.jpg",
    ),
    *(
        "x" * 500 + ".jpg",
        "ü" * 500 + ".jpeg",
        "x" * 300,
        "a." + "y" * 300,
        "📷" * 200 + ".heic",
        " .jpg",
        "\u2028.jpg",
        "\x7f",
        "\x85",
    ),
    *(
        "STRASSE.jpg",
        "straße.jpg",
        "strasse.jpg",
        "Ä.jpg",
        "A\u0308.jpg",
        "ä.jpg",
        "a\u0308.JPG",
        "IMG.jpg",
        "img.JPG",
        "img (2).jpg",
    ),
]
DEVICES = {
    "con",
    "prn",
    "aux",
    "nul",
    "conin$",
    "conout$",
    *(f"{a}{b}" for a in ("com", "lpt") for b in "0123456789¹²³"),
}


def hostile(count: int) -> list[str]:
    """The bad ones, and others put together from their pieces, the same ones each time."""
    chance = random.Random(23)
    pieces = [*BAD, *map(chr, range(1, 48)), "../", "..\\", "C:", "/", "\\", ".jpg", "IMG_1.JPG", "\u202e", "\ufeff"]
    mixed = ["".join(chance.choices(pieces, k=chance.randint(1, 6))) for _ in range(count - len(BAD))]
    return BAD + mixed


@given(st.lists(st.text(max_size=300), max_size=20))
def test_whatever_files_are_called_their_names_are_safe_and_differ(names: list[str]) -> None:
    """Each is one short composed component, of no meaning to any system, and the same on none."""
    given_names = list(archive_names.unique(names, taken=["taken.txt"]))

    assert len(given_names) == len(names)
    for name in given_names:
        assert 0 < len(name.encode()) <= 180
        assert name == unicodedata.normalize("NFC", name)
        assert not set(name) & set('/\\<>:"|?*')
        assert not [letter for letter in name if unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"}]
        assert not name.startswith((".", "-", "~", " "))
        assert not name.endswith((".", " "))
        assert name.partition(".")[0].strip().lower() not in DEVICES
    folded = {unicodedata.normalize("NFD", name).casefold() for name in (*given_names, "taken.txt")}
    assert len(folded) == len(names) + 1


def test_a_thousand_hostile_names_stay_below_the_folder(tmp_path: Path) -> None:
    """Python and Info-ZIP extract every one of them under just the name that it has, and nothing anywhere else."""
    names = list(archive_names.unique(hostile(1000)))
    write(path := tmp_path / "a.zip", [(Entry(name, 4, DAY), b"%4d" % number) for number, name in enumerate(names)])

    found = extracted(path, tmp_path / "unzip")
    with zipfile.ZipFile(path) as read:
        read.extractall(tmp_path / "python")

    assert found == {name: b"%4d" % number for number, name in enumerate(names)}
    assert {one.name for one in (tmp_path / "python").iterdir()} == set(names)
    assert {one.name for one in tmp_path.iterdir()} == {"a.zip", "unzip", "python"}


def test_names_that_are_taken_get_a_number() -> None:
    """The number stands before the ending, and goes on where it was."""
    names = ["IMG.JPG", "img.jpg", "IMG.jpg", "img (2).JPG", "b" * 300 + ".heic", "b" * 300 + ".heic", "missing.txt"]

    given_names = list(archive_names.unique(names, taken=["Missing.txt"]))

    long, again = given_names[4:6]
    assert given_names[:4] == ["IMG.JPG", "img (2).jpg", "IMG (3).jpg", "img (2) (2).JPG"]
    assert (len(long), len(again), again[-11:]) == (180, 180, "bb (2).heic")
    assert given_names[6] == "missing (2).txt"


def test_ten_thousand_of_one_name_are_named_at_once() -> None:
    """No search begins anew for each."""
    given_names = list(archive_names.unique(["IMG_0001.jpg"] * 10_000))

    assert given_names[-1] == "IMG_0001 (10000).jpg"
