import unicodedata
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import inbox, layout
from common.marker import LocalSettings, Marker, Strategy
from common.names import LONGEST

AT = datetime(2024, 3, 9, 12, tzinfo=UTC)
TOKEN = "0193b0a4-7c1d-7e55-9f0a-2d1c3b4a5968.part"

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
    name = inbox.leaf(wish)

    assert name not in {b"", b".", b".."}
    assert b"/" not in name
    assert b"\0" not in name
    assert not name.startswith((b".", b"-", b"~"))
    assert len(name) <= LONGEST + 1


@given(st.text(max_size=300))
def test_every_name_is_utf_8_and_fits(wish: str) -> None:
    """Cutting a long name never leaves half a character."""
    name = inbox.leaf(wish).decode()

    assert len(name.encode()) <= LONGEST + 1
    assert unicodedata.normalize("NFC", name) == name


def test_an_ordinary_name_stays_as_it_is() -> None:
    """People find their files again."""
    assert inbox.leaf("Ferien in Zürich (3).JPG") == "Ferien in Zürich (3).JPG".encode()


def test_candidates_are_the_same_on_every_repetition() -> None:
    """An interrupted placing finds the name that it gave before."""
    path = layout.dated(b"photo.jpg", AT)

    first = list(inbox.candidates(path, token=TOKEN))

    assert first == list(inbox.candidates(path, token=TOKEN))
    assert first[:2] == [b"inbox/2024/03/photo.jpg", b"inbox/2024/03/photo_0193b0a4.jpg"]
    assert len(set(first)) == len(first)


def test_renaming_counts_as_people_do() -> None:
    """Names are numbered up to 999; then the time makes the difference, and then what no other upload has."""
    found = list(inbox.candidates(b"inbox/a.b.jpg", token=TOKEN, clash="rename", at=AT))

    assert found[:2] == [b"inbox/a.b.jpg", b"inbox/a.b (1).jpg"]
    assert found[999:1002] == [b"inbox/a.b (999).jpg", b"inbox/a.b_20240309_120000.jpg", b"inbox/a.b_0193b0a4.jpg"]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("strategy", "keeps", "expected"),
    [
        ("date", True, b"inbox/2024/03/My photo.JPEG"),
        ("date", False, b"inbox/2024/03/00000000-0000-0000-0000-000000000007.png"),
        ("flat", True, b"inbox/My photo.JPEG"),
        ("flat", False, b"inbox/00000000-0000-0000-0000-000000000007.png"),
        ("cas", True, b"inbox/ab/ab/ab/" + b"ab" * 32 + b".png"),
        ("cas", False, b"inbox/ab/ab/ab/" + b"ab" * 32 + b".png"),
    ],
)
def test_each_strategy_has_its_paths(strategy: Strategy, keeps: bool, expected: bytes) -> None:
    """Names of ours end as the content says, and not as the client does."""
    rules = Marker(
        id=UUID(int=1),
        name="Test",
        created_at=AT,
        storage_strategy=strategy,
        local_settings=LocalSettings(preserve_original_filename=keeps),
    )

    found = inbox.wanted(
        rules,
        file_name="My photo.JPEG",
        asset_id=UUID(int=7),
        content_hash=b"\xab" * 32,
        mime_type="image/png",
        at=AT,
    )

    assert found == expected


@pytest.mark.parametrize("device", ["CON", "nul.jpg", "Com1.png", "lpt9", "aux .jpg"])
def test_no_name_is_a_device_of_another_system(device: str) -> None:
    """A repository may be shared to systems on which such a file cannot be opened, or does what nobody wants."""
    assert inbox.leaf(device) == f"_{device}".encode()
