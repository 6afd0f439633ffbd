import errno
import os
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from blake3 import blake3

from common import files, layout, marker, roots
from common.marker import Marker
from ingest import place, standing
from ingest.queries import Asset, Original, StagedUpload
from tests.support import loops
from tests.support.limits import no_descriptors

CONTENT = b"bytes"
PATH = b"inbox/2024/03/photo.jpg"
ASSET = Asset(
    asset_id=uuid4(),
    owner_id=1,
    kind="photo",
    content_hash=blake3(CONTENT).digest(),
    size=len(CONTENT),
    mime_type="image/jpeg",
    stored_at=datetime.now(UTC),
    trashed_at=None,
)


def stored(root: bytes) -> Original:
    """An original in a new repository, as its record has it after a day."""
    made = Marker(id=uuid4(), name="Test")
    roots.create(root, made)
    files.write_new(root, PATH, CONTENT, mode=files.ORIGINAL_MODE)
    return Original(
        file_record_id=1,
        repository_id=made.id,
        root=root,
        private_root=None,
        path=PATH,
        size=len(CONTENT),
        modified_ns=0,
        inode=0,
        trashed_from=None,
        verified_lately=False,
    )


def test_a_machine_at_its_limits_says_nothing_of_an_original(tmp_path: Path) -> None:
    """A process that may open no more files takes none for damaged."""
    original = stored(bytes(tmp_path / "repository"))

    with no_descriptors(), pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
        standing.examine(original, ASSET)

    assert standing.examine(original, ASSET) == "present"


@pytest.mark.skipif(loops.why_not() != "", reason=loops.why_not())
def test_a_disk_that_fails_as_a_whole_says_nothing_of_an_original(tmp_path: Path) -> None:
    """One that was pulled out reports the errors of a bad sector for every file, and comes back with all of them."""
    with loops.disk(tmp_path / "image", tmp_path / "disk", megabytes=16) as disk:
        original = stored(bytes(disk.at / "repository"))
        disk.cut()

        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            standing.examine(original, ASSET)


class Pulled:
    """A repository whose disk goes away when a name in it is opened next."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, root: bytes, name: bytes) -> None:
        self.root, self.name, self._open = root, name, os.open
        monkeypatch.setattr(os, "open", self)

    def __call__(self, path: bytes | str, *arguments: object, **options: object) -> int:
        if path == self.name and os.path.exists(self.root):
            os.rename(os.path.join(self.root, b"inbox/2024"), os.path.join(self.root, b"inbox/gone"))
            os.rename(self.root, self.root + b".away")
        return self._open(path, *arguments, **options)  # type: ignore[arg-type]


def test_an_original_whose_disk_went_away_meanwhile_is_not_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The marker was there a moment ago, and is looked for again before anything is concluded."""
    original = stored(root := bytes(tmp_path / "repository"))
    Pulled(monkeypatch, root, b"2024")

    with pytest.raises(files.Offline):
        standing.settle(ASSET, original, frozenset())


def test_a_disk_that_goes_away_while_its_marker_is_looked_at_is_an_outage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is blamed for it, and no attempt is counted."""
    original = stored(root := bytes(tmp_path / "repository"))
    marker.check(root, original.repository_id)
    Pulled(monkeypatch, root, root)

    with pytest.raises(files.Offline):
        marker.check(root, original.repository_id)


def test_an_upload_whose_disk_went_away_meanwhile_is_not_set_aside(tmp_path: Path) -> None:
    """Only where the repository is, bytes that are not found are lost."""
    original = stored(root := bytes(tmp_path / "repository"))
    upload = StagedUpload(
        upload_id=1,
        staged_name="one.part",
        file_name="photo.jpg",
        created_at=datetime.now(UTC),
        repository_id=original.repository_id,
        root=root,
    )
    wish = place.wish(ASSET, upload)
    os.rename(root, root + b".away")
    placed = place.place_first(ASSET, [wish], foreign=frozenset(), rivals=frozenset())

    with pytest.raises(files.Offline):
        place.set_aside(ASSET, placed.failed[0], "lost")

    assert layout.MARKER in os.listdir(root + b".away")
