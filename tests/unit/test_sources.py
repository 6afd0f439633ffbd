"""Which files beside an original speak of it."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from processor import metadata, sources
from processor.metadata import Blobs, Told
from processor.metadata.packet import LARGEST
from processor.queries import Original


def beside(root: Path, path: str) -> list[tuple[str, bytes]]:
    """The kind and the beginning of each file that is opened for an original."""
    original = Original(
        asset_id=uuid4(),
        repository_id=uuid4(),
        root=os.fsencode(root),
        private_root=None,
        path=os.fsencode(path),
        content_hash=b"",
        mime_type="image/jpeg",
        kind="photo",
        file_name="photo.jpg",
        size=0,
        modified_ns=0,
        inode=0,
        uploaded_at=datetime.now(UTC),
    )
    seen = []
    for kind, descriptor in sources._open_beside(original):
        with os.fdopen(descriptor, "rb") as file:
            seen.append((str(kind), file.read(40)))
    return seen


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["photo.xmp", "photo.jpg.xmp"], [("xmp", b"photo.jpg.xmp"), ("xmp", b"photo.xmp")]),
        (["photo.xmp", "photo.XMP"], [("xmp", b"photo.xmp")]),
        (["photo.XMP"], [("xmp", b"photo.XMP")]),
        (["other.xmp", "photo.jpg.xmp.bak"], []),
        ([".picasa.ini"], [("picasa", b".picasa.ini")]),
        (["photo.xmp", ".picasa.ini"], [("xmp", b"photo.xmp"), ("picasa", b".picasa.ini")]),
    ],
)
def test_the_most_trusted_comes_first(tmp_path: Path, names: Sequence[str], expected: list[tuple[str, bytes]]) -> None:
    """The sidecar with the whole name comes before the one with the stem, and the folder's file last."""
    (tmp_path / "2024").mkdir()
    for name in names:
        (tmp_path / "2024" / name).write_text(name)

    assert beside(tmp_path, "2024/photo.jpg") == expected


def test_only_plain_files(tmp_path: Path) -> None:
    """A link, a folder and a pipe are passed over, and the next candidate is looked at."""
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "photo.jpg.xmp").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "photo.jpg.XMP")
    (tmp_path / ".picasa.ini").mkdir()

    assert beside(tmp_path, "photo.jpg") == []


def test_a_sidecar_that_is_too_large_leaves_a_note(tmp_path: Path) -> None:
    """Whoever wonders why it is not heeded is told."""
    (tmp_path / "photo.xmp").write_bytes(b" <" * (LARGEST // 2 + 1))

    assert [kind for kind, _ in beside(tmp_path, "photo.jpg")] == ["xmp"]
    with (tmp_path / "photo.xmp").open("rb") as sidecar:
        seen = metadata.read(Blobs(), Told(beside=("xmp",)), orientation=1, beside=[sidecar])
    assert seen.notes == ("sidecar packet was not readable: it is larger than 4 MB",)
