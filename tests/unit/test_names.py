import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import layout
from common.names import LONGEST
from ingest import names

HOSTILE = [
    "../../etc/passwd",
    "..",
    ".",
    "",
    " ",
    "/",
    "a/b\\c",
    "\0",
    "a\0b.jpg",
    "a\n-o\n/tmp/x",
    "touch x |",
    "-ver.jpg",
    "$(id).jpg",
    "`id`",
    ".lumiliorepo",
    ".part",
    "~lock",
    "\u202egpj.exe",
    "x" * 300 + ".jpg",
    "é" * 200,
    "a." + "b" * 300,
    "👨‍👩‍👧.jpg",
    "\ud800.jpg",
]


@pytest.mark.parametrize("wish", HOSTILE)
def test_a_hostile_name_becomes_one_plain_component(wish: str) -> None:
    """Whatever a client calls its file, the name on disk stays in its folder, is visible, and is short."""
    name = names.leaf(wish)

    assert name not in {b"", b".", b".."}
    assert b"/" not in name
    assert b"\0" not in name
    assert not name.startswith((b".", b"-", b"~"))
    assert len(name) <= LONGEST + 1


@given(st.text(max_size=300))
def test_every_name_is_utf_8_and_fits(wish: str) -> None:
    """Cutting a long name never leaves half a character."""
    name = names.leaf(wish).decode()

    assert len(name.encode()) <= LONGEST + 1
    assert unicodedata.normalize("NFC", name) == name


def test_an_ordinary_name_stays_as_it_is() -> None:
    """People find their files again."""
    assert names.leaf("Ferien in Zürich (3).JPG") == "Ferien in Zürich (3).JPG".encode()


def test_candidates_are_the_same_on_every_repetition() -> None:
    """An interrupted placing finds the name that it gave before."""
    at = datetime(2024, 3, 9, 12, tzinfo=UTC)
    token = "0193b0a4-7c1d-7e55-9f0a-2d1c3b4a5968.part"

    first = list(names.candidates("photo.jpg", token, at))

    assert first == list(names.candidates("photo.jpg", token, at))
    assert first[0] == layout.INBOX + b"/2024/03/photo.jpg"
    assert first[1] == layout.INBOX + b"/2024/03/photo_0193b0a4.jpg"
    assert len(set(first)) == len(first)
