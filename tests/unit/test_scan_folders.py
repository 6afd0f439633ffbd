"""Which folders people and other systems may have scanned."""

import pytest

from common import scan_folders
from common.scan_folders import Unfit


@pytest.mark.parametrize(
    ("named", "meant"),
    [
        ("", b""),
        ("Holidays/2019/", b"Holidays/2019"),
        ("a//b", b"a/b"),
        ("caf%E9", b"caf\xe9"),
        ("100%25", b"100%"),
        ("Österreich", "Österreich".encode()),
        ("a/b.c", b"a/b.c"),
    ],
)
def test_a_folder_is_named_by_its_bytes(named: str, meant: bytes) -> None:
    """Names that are no UTF-8 are said with percent signs, and every name comes back as it was."""
    assert scan_folders.read(named) == meant
    assert scan_folders.read(scan_folders.encoded(meant)) == meant


@pytest.mark.parametrize(
    "named",
    [
        "/",
        "/etc",
        "..",
        "a/../../b",
        "a/.",
        "%2e%2e/x",
        "a%00b",
        ".lumilio",
        ".lumilio/trash",
        "a/.git",
        "...",
        "a" * 4096,
        "\ud800",
    ],
)
def test_what_is_no_folder_of_a_repository_is_refused(named: str) -> None:
    """Nothing leads out of a repository or into what is the server's own, however it is written."""
    with pytest.raises(Unfit):
        scan_folders.read(named)
