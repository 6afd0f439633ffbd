"""Names from outside are made fit for people, and go into headers without breaking them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.names import LONGEST, TURNING, UNNAMED, display_name
from gateway.media import disposition


@given(st.text(max_size=400))
def test_whatever_is_sent_a_name_is_one_short_sane_line(raw: str) -> None:
    """No name is empty, long, turned, a path, or more than one line; a sane name stays as it is."""
    name = display_name(raw)

    assert 0 < len(name.encode()) <= LONGEST
    assert not set(name) & (TURNING | set("/\\\0\r\n"))
    assert not [letter for letter in name if unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"}]
    assert name not in {".", ".."}
    assert display_name(name) == name


@given(st.text(max_size=400))
def test_a_header_holds_any_name(raw: str) -> None:
    """Whatever the name, the header is one line of plain letters with balanced quotes."""
    header = disposition(display_name(raw), "image/jpeg")

    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2


@pytest.mark.parametrize("nothing", [None, "", "/", "\\", "..", "...", "\u202e", "\x00"])
def test_no_name_is_called_unnamed(nothing: str | None) -> None:
    """What leaves nothing to show is given a name."""
    assert display_name(nothing) == UNNAMED


def test_a_long_name_keeps_its_extension() -> None:
    """People know a file's kind by its end, so the middle is what goes."""
    assert display_name("ä" * 300 + ".jpeg").endswith("ä.jpeg")
    assert len(display_name("a." + "b" * 300).encode()) == LONGEST


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("beach.jpg", "inline"),
        ("BEACH.JPEG", "inline"),
        ("beach", "inline"),
        ("beach.png", "attachment"),
        ("beach.html", "attachment"),
        ("beach.jpg.exe", "attachment"),
        ("beach.svg", "attachment"),
    ],
)
def test_a_name_that_lies_about_its_type_is_not_shown(name: str, how: str) -> None:
    """A JPEG under another type's name is saved, never opened in the browser."""
    assert disposition(name, "image/jpeg").split(";")[0] == how
