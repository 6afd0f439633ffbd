"""Copies of originals outlive damage on either side: none is replaced by other bytes, and none rots unnoticed."""

import os
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from blake3 import blake3
from msgspec import structs

from common import files, layout
from lumilio.backup import carrying, check, copying, manifest, record
from lumilio.backup.check import Wish
from lumilio.backup.manifest import Original
from lumilio.refusal import CannotStart
from tests.support import volumes
from tests.support.backups import Kept, ignore, relist
from tests.support.placing import PHOTO
from tests.support.recorder import Recorder


@pytest.fixture
def copies(kept: Kept, tmp_path: Path) -> Path:
    """Copies of all that has its place."""
    assert copying.copy(kept.folder, tmp_path / "copies", say=ignore)
    return tmp_path / "copies" / str(kept.repository.repository_id)


def listed(kept: Kept) -> list[Original]:
    """What has its place, by the backup."""
    originals = manifest.read(kept.folder / record.ORIGINALS)
    return sorted((one for one in originals if one.path.startswith("inbox")), key=lambda one: one.path)


def test_only_new_originals_are_copied(kept: Kept, tmp_path: Path) -> None:
    """The second run copies what came since; the copies are as good as the originals, with what tells of them."""
    to, said, originals = tmp_path / "copies", list[str](), list(manifest.read(kept.folder / record.ORIGINALS))

    for known in (listed(kept)[:1], listed(kept), originals):
        relist(kept.folder, known)
        assert copying.copy(kept.folder, to, say=said.append)

    assert counted(said) == ["1", "1", "1"]
    assert check.check(kept.folder, Wish(deep=True, copies=to), say=ignore)
    assert (to / str(kept.repository.repository_id) / ".lumiliorepo").exists()
    assert list((to / str(kept.repository.repository_id) / ".lumilio/manifests").iterdir())


def counted(said: list[str]) -> list[str]:
    """The numbers of what was copied, and of what was set aside."""
    return [line.split()[0] for line in said if line[0].isdecimal()]


def test_copies_on_the_disk_of_their_originals_are_told(kept: Kept, tmp_path: Path) -> None:
    """They would die with it; nothing is refused, for it may be a disk of many."""
    here, there = list[str](), list[str]()
    assert copying.copy(kept.folder, tmp_path / "copies", say=here.append)
    with volumes.mounted(tmp_path / "elsewhere", megabytes=8) as other:
        assert copying.copy(kept.folder, other.path / "copies", say=there.append)

    assert copying.SAME_DISK in here
    assert copying.SAME_DISK not in there


def test_every_folder_that_a_copy_lies_in_is_on_the_disk_with_it(
    kept: Kept, tmp_path: Path, recorder: Recorder
) -> None:
    """What is called copied is there after a power cut, though none of its folders was there before."""
    to, (original, *_) = tmp_path / "new" / "copies", listed(kept)
    relist(kept.folder, [original])
    recorder.clear()

    assert copying.copy(kept.folder, to, say=ignore)

    path = Path("new", "copies", str(original.repository), original.path)
    calls = [call.replace(f"{to}/", "") for call in recorder.calls]
    for parent, name in pairwise((tmp_path.name, *path.parts[:-1])):
        assert calls[calls.index(f"mkdir {name}") + 1] == f"fsync {parent}"
    named = calls.index(f"rename .lumilio-part {path.name}")
    assert (calls[named - 1], calls[named + 1]) == ("fsync .lumilio-part", f"fsync {path.parts[-2]}")
    marked = calls.index("rename .lumilio-part .lumiliorepo")
    assert calls[marked - 1 : marked + 2 : 2] == ["fsync .lumilio-part", "fsync ."]


@pytest.mark.parametrize("is_placed", [True, False])
def test_an_upload_that_waited_for_its_place_at_the_backup_has_a_copy(
    kept: Kept, tmp_path: Path, *, is_placed: bool
) -> None:
    """It was acknowledged as any other; where it lies by now, its manifest tells."""
    (waiting,) = kept.inbox.parent.joinpath(".lumilio/staging/incoming").iterdir()
    if is_placed:
        waiting.rename(kept.inbox / "placed since.jpg")
        line = next(kept.inbox.parent.joinpath(".lumilio/manifests").iterdir()).read_bytes().splitlines()[-1]
        said = msgspec.json.decode(line)
        now = said | {"path": "inbox/placed%20since.jpg", "hash": blake3(PHOTO + b"2").hexdigest()}
        files.append_durably(kept.repository.root, layout.MANIFESTS + b"/2026-01-01.jsonl", msgspec.json.encode(now))
    assert not check.check(kept.folder, Wish(copies=tmp_path / "copies"), say=ignore)

    assert copying.copy(kept.folder, tmp_path / "copies", say=ignore)

    assert check.check(kept.folder, Wish(deep=True, copies=tmp_path / "copies"), say=ignore)
    (copy,) = (tmp_path / "copies").rglob(waiting.name)
    assert copy.read_bytes() == PHOTO + b"2"


def test_how_far_it_is_is_shown_in_numbers(kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for hours sees that it goes on."""
    monkeypatch.setattr(carrying, "LOOK_SECONDS", 0)
    lines = list[str]()

    screen = nullcontext(lambda sight, _: lines.append(sight.line))

    copying.copy(kept.folder, tmp_path / "copies", say=ignore, screen=lambda: screen)

    assert [line.split(",")[0] for line in lines] == [f"{number} of 3 originals" for number in (1, 2, 3)]
    assert lines[-1].split(", ")[1] == "36 bytes of 36 bytes"


def test_a_good_copy_outlives_its_damaged_original(kept: Kept, copies: Path) -> None:
    """Other bytes than the catalogue says are told and never copied."""
    said: list[str] = []
    original = next(kept.inbox.rglob("0.jpg"))
    original.chmod(0o600)
    original.write_bytes(b"rotten")
    copy = next(copies.rglob("0.jpg"))
    os.utime(copy)  # as if it had been written by something else
    assert copying.copy(kept.folder, copies.parent, say=ignore)
    assert copy.read_bytes() == PHOTO + b"0"
    copy.unlink()

    assert not copying.copy(kept.folder, copies.parent, say=said.append)

    assert list(copies.rglob("0.jpg*")) == []
    assert "other bytes than the catalogue says" in said[-1]


def test_the_copy_before_an_edit_stays(kept: Kept, copies: Path) -> None:
    """A copy that holds something else than its original does now is set aside under its hash."""
    copy = next(copies.rglob("0.jpg"))
    copy.write_bytes(b"before the edit")

    assert copying.copy(kept.folder, copies.parent, say=ignore)

    assert copy.read_bytes() == PHOTO + b"0"
    assert [path.read_bytes() for path in copy.parent.glob("0.jpg.*")] == [b"before the edit"]


def test_a_copy_that_rots_in_silence_is_mended_when_every_copy_is_read(kept: Kept, copies: Path) -> None:
    """Its size and time are those of before, so only its bytes tell; they are kept beside the new ones."""
    copy = rot(next(copies.rglob("0.jpg")))
    assert copying.copy(kept.folder, copies.parent, say=ignore)
    assert not check.check(kept.folder, Wish(deep=True, copies=copies.parent), say=ignore)
    said: list[str] = []

    assert copying.copy(kept.folder, copies.parent, deep=True, say=said.append)

    assert copy.read_bytes() == PHOTO + b"0"
    assert [path.read_bytes() for path in copy.parent.glob("0.jpg.*")] == [PHOTO + b"?"]
    assert counted(said) == ["1", "1"]


def test_a_rotten_copy_of_a_rotten_original_stays_where_it_is(kept: Kept, copies: Path) -> None:
    """It may have more of the photo than nothing, and it makes room for a right one only."""
    copy = rot(next(copies.rglob("0.jpg")))
    next(kept.inbox.rglob("0.jpg")).unlink()

    assert not copying.copy(kept.folder, copies.parent, deep=True, say=ignore)

    assert [path.read_bytes() for path in copies.rglob("0.jpg*")] == [PHOTO + b"?"]
    assert copy.exists()
    assert not list(copies.parent.glob(".lumilio-part*"))


def rot(copy: Path) -> Path:
    """Another byte, and nothing that says so."""
    seen = copy.stat()
    copy.write_bytes(PHOTO + b"?")
    os.utime(copy, ns=(seen.st_mtime_ns, seen.st_mtime_ns))
    return copy


@pytest.mark.parametrize("grain", [100, 10**6, 2 * 10**9])
def test_a_disk_that_keeps_coarse_times_costs_no_reading(kept: Kept, copies: Path, grain: int) -> None:
    """A copy on a disk of another system is known by its size and as much of its time as that keeps."""
    copy = rot(next(copies.rglob("0.jpg")))
    coarse = copy.stat().st_mtime_ns // grain * grain
    os.utime(copy, ns=(coarse, coarse))

    assert copying.copy(kept.folder, copies.parent, say=ignore)

    assert copy.read_bytes() == PHOTO + b"?"


def test_the_copy_of_a_manifest_loses_no_line(kept: Kept, copies: Path) -> None:
    """Where the manifest itself was cut short and then went on, its copy has the lines of both."""
    (path,) = kept.inbox.parent.joinpath(".lumilio/manifests").iterdir()
    copy = copies / ".lumilio/manifests" / path.name
    first, second = (line for line in copy.read_bytes().splitlines() if line)
    path.chmod(0o600)

    for content in (first + b"\n", first + b"\n" + b"{}\n", first + b"\n"):
        path.write_bytes(content)
        assert copying.copy(kept.folder, copies.parent, say=ignore)

    assert [line for line in copy.read_bytes().splitlines() if line] == [first, second, b"{}"]


def test_what_other_programs_say_of_a_photo_is_copied_with_it(kept: Kept, copies: Path) -> None:
    """As it is now, for nothing else has it."""
    sidecar = next(kept.inbox.rglob("0.jpg")).with_name("0.xmp")

    for words in ("<first/>", "<second/>"):
        sidecar.write_text(words)
        assert copying.copy(kept.folder, copies.parent, say=ignore)

    assert next(copies.rglob("0.xmp")).read_text() == "<second/>"


@pytest.mark.parametrize("is_mounted", [True, False])
def test_a_repository_that_is_away_is_told_once(kept: Kept, tmp_path: Path, *, is_mounted: bool) -> None:
    """Its copies stay as they are, also where an empty folder is left of it."""
    copying.copy(kept.folder, tmp_path / "copies", say=ignore)
    before, said = sorted((tmp_path / "copies").rglob("*")), list[str]()
    root = kept.inbox.parent
    root.rename(tmp_path / "away")
    if is_mounted:
        root.mkdir()

    assert not copying.copy(kept.folder, tmp_path / "copies", deep=True, say=said.append)

    assert [line for line in said if line.startswith("NOT COPIED")] == said[-1:]
    assert "is its disk mounted?" in said[-1]
    assert sorted((tmp_path / "copies").rglob("*")) == before


def test_copies_do_not_lie_in_a_repository(kept: Kept) -> None:
    """There they would be taken for photos, and go when those are purged."""
    with pytest.raises(CannotStart, match="lies in the repository"):
        copying.copy(kept.folder, kept.inbox / "copies", say=ignore)


def test_a_name_may_be_as_long_as_the_disk_allows(kept: Kept, tmp_path: Path) -> None:
    """A copy needs no longer one while it is made, and what is set aside gets one that fits."""
    name = "x" * 251 + ".jpg"
    (kept.inbox.parent / name).write_bytes(PHOTO)
    original = structs.replace(listed(kept)[0], path=name, size=len(PHOTO), hash=blake3(PHOTO).hexdigest())
    run = copying.Copying({kept.repository.repository_id: kept.repository.root}, tmp_path)

    run.bring(original)
    (tmp_path / str(kept.repository.repository_id) / name).write_bytes(b"before")
    run.bring(original)

    assert (run.troubles.first, run.copied, run.aside) == ([], 2, 1)


def test_what_cannot_be_copied_of_the_notes_keeps_nothing_else_back(kept: Kept, tmp_path: Path) -> None:
    """It is told, and the manifests are there all the same."""
    to, said = tmp_path / "copies" / str(kept.repository.repository_id), list[str]()
    (to / ".lumiliorepo" / "in the way").mkdir(parents=True)

    assert not copying.copy(kept.folder, tmp_path / "copies", say=said.append)

    assert (counted(said), said[-1].split()[0]) == (["3"], "NOT")
    assert list((to / ".lumilio/manifests").iterdir())
