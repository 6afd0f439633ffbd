"""Originals that are lost come back from their copies to where they were, and nothing else does."""

import os
from argparse import Namespace
from pathlib import Path
from uuid import uuid4

import pytest
from blake3 import blake3
from msgspec import structs

from common import layout
from common.db import Pool
from ingest.handlers import Ingest
from lumilio.backup import copying, manifest, record, room
from lumilio.backup.manifest import Original
from lumilio.refusal import CannotStart
from lumilio.restore import command, derived, originals
from tests.support import volumes
from tests.support.backups import Kept, ignore, relist
from tests.support.given import Repository, User
from tests.support.placing import PHOTO, place_all, staged
from tests.support.rows import ask, do


def put_back(kept: Kept, copies: Path, said: list[str] | None = None) -> bool:
    """Put back as the command does; True when nothing is missing then."""
    backup = record.read(kept.folder)
    run = originals.plan(kept.folder, backup, copies, data=None)
    assert run is not None
    originals.put_back(run, kept.folder, backup, say=ignore if said is None else said.append)
    return not run.troubles.count


def everything(root: Path) -> dict[str, bytes]:
    """Every file of a repository but those in staging."""
    found = (path for path in root.rglob("*") if path.is_file() and "staging" not in path.parts)
    return {str(path.relative_to(root)): path.read_bytes() for path in found}


@pytest.fixture
def places(kept: Kept) -> list[Original]:
    """What has its place, which is all that the backup lists then."""
    found = [one for one in manifest.read(kept.folder / record.ORIGINALS) if not one.is_staged]
    relist(kept.folder, found)
    return sorted(found, key=lambda one: one.path)


@pytest.fixture
def root(kept: Kept) -> Path:
    return kept.inbox.parent


def test_all_that_is_lost_comes_back_and_nothing_that_was_gone(
    kept: Kept, places: list[Original], root: Path, tmp_path: Path
) -> None:
    """What was thrown away is in the trash with its note, what was purged or moved lies nowhere else."""
    kept_photo, thrown = places
    (next(root.rglob("1.jpg")).with_name("1.jpg.xmp")).write_text("of the one that is thrown away")
    copying.copy(kept.folder, tmp_path / "copies", say=ignore)
    (tmp_path / "copies" / str(kept.repository.repository_id) / "inbox/purged.jpg").write_bytes(PHOTO)
    trashed = layout.trashed(thrown.asset, b"1.jpg")
    for ending in (b"", layout.XMP):
        os.renames(os.path.join(bytes(root), thrown.relative + ending), os.path.join(bytes(root), trashed + ending))
    (root / os.fsdecode(layout.sidecar(trashed))).write_text("{}")
    relist(kept.folder, [kept_photo, structs.replace(thrown, path=trashed.decode())])
    for name in ("0.XMP", ".picasa.ini"):
        next(root.rglob("0.jpg")).with_name(name).write_text(f"what {name} says")
    copying.copy(kept.folder, tmp_path / "copies", say=ignore)
    before, seen = everything(root), next(root.rglob("0.jpg")).stat()
    root.rename(tmp_path / "lost")

    assert put_back(kept, tmp_path / "copies")

    assert everything(root) == before
    now = next(root.rglob("0.jpg")).stat()
    assert (now.st_mtime_ns, now.st_mode) == (seen.st_mtime_ns, seen.st_mode)


def test_the_bytes_of_then_come_back_also_when_their_copy_was_set_aside(
    kept: Kept, places: list[Original], root: Path, tmp_path: Path
) -> None:
    """A backup from before an edit gets what it lists."""
    copying.copy(kept.folder, tmp_path / "copies", say=ignore)
    before, edited = everything(root), PHOTO + b" edited"
    photo = next(root.rglob("0.jpg"))
    photo.chmod(0o600)
    photo.write_bytes(edited)
    now = structs.replace(places[0], hash=blake3(edited).hexdigest(), size=len(edited), modified_ns=1)
    relist(kept.folder, [now])
    copying.copy(kept.folder, tmp_path / "copies", say=ignore)
    relist(kept.folder, places)
    root.rename(tmp_path / "lost")

    assert put_back(kept, tmp_path / "copies")

    assert everything(root) == before


def test_what_lies_there_already_is_not_replaced_and_the_same_again_goes_on(
    kept: Kept, places: list[Original], root: Path, tmp_path: Path
) -> None:
    """Other bytes in the place of an original are told, and so is one without a copy; the rest is put back."""
    copying.copy(kept.folder, tmp_path / "copies", say=ignore)
    before, said = everything(root), list[str]()
    lost, other = next(root.rglob("0.jpg")), next(root.rglob("1.jpg"))
    lost.unlink()
    lost.with_name(".lumilio-part.tmp").write_bytes(PHOTO[:5])  # which an interrupted one left
    other.chmod(0o600)
    other.write_bytes(b"another")
    relist(kept.folder, [*places, structs.replace(places[0], path="inbox/no%20copy.jpg")])

    assert not put_back(kept, tmp_path / "copies", said)

    assert everything(root) == before | {str(other.relative_to(root)): b"another"}
    told = [line for line in said if line.startswith("NOT PUT BACK")]
    assert [line.split(": ")[1] for line in told] == ["another file lies there, and stays", "no copy has its bytes"]


def test_words_that_are_gone_are_not_put_beside_another_photo_of_that_name(
    kept: Kept, places: list[Original], root: Path, tmp_path: Path
) -> None:
    """A sidecar that is no longer beside an original stays in the copies, under another name."""
    sidecar = next(root.rglob("0.jpg")).with_name("0.jpg.xmp")
    sidecar.write_text("of the one before")
    copying.copy(kept.folder, tmp_path / "copies", say=ignore)
    sidecar.unlink()
    copying.copy(kept.folder, tmp_path / "copies", say=ignore)
    before = everything(root)
    root.rename(tmp_path / "lost")

    assert put_back(kept, tmp_path / "copies")

    assert everything(root) == before
    (aside,) = (tmp_path / "copies").rglob("0.jpg.xmp.*")
    assert aside.read_text() == "of the one before"


def test_nothing_is_begun_with_the_wrong_copies_or_in_the_place_of_another_repository(
    kept: Kept, places: list[Original], root: Path, tmp_path: Path
) -> None:
    """Both are told with what to do."""
    copying.copy(kept.folder, tmp_path / "copies", say=ignore)
    with pytest.raises(CannotStart, match="has copies of no repository of this backup: name the folder"):
        put_back(kept, tmp_path)
    marker = root / ".lumiliorepo"
    marker.write_text(marker.read_text().replace(str(kept.repository.repository_id), str(uuid4())))
    with pytest.raises(CannotStart, match="another repository lies in"):
        put_back(kept, tmp_path / "copies")


def test_a_full_disk_is_one_line_and_the_same_command_goes_on(
    kept: Kept, places: list[Original], root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing half is left."""
    copying.copy(kept.folder, tmp_path / "copies", say=ignore)
    before, backup = everything(root), record.read(kept.folder)
    root.rename(tmp_path / "lost")
    monkeypatch.setattr(room, "SPARE", 0)
    with volumes.mounted(root, megabytes=8) as disk:
        run = originals.plan(kept.folder, backup, tmp_path / "copies", data=None)
        assert run is not None
        disk.fill()
        with pytest.raises(CannotStart, match="is full: make room, then run the same command again"):
            originals.put_back(run, kept.folder, backup, say=ignore)
        (root / "filling").unlink()

        assert put_back(kept, tmp_path / "copies")
        assert everything(root) == before


def test_a_disk_that_is_too_small_or_not_mounted_is_told_before_anything_is_begun(
    kept: Kept, root: Path, tmp_path: Path
) -> None:
    """Hours later the disk behind it would be full."""
    copying.copy(kept.folder, tmp_path / "copies", say=ignore)
    root.rename(tmp_path / "lost")
    refused = pytest.raises(CannotStart, match=r"what belongs into .* may need \d+ MB in .* free: mount its disk")

    with volumes.mounted(root, megabytes=8), refused:
        put_back(kept, tmp_path / "copies")


def test_what_lay_in_the_data_directory_goes_into_the_new_one(kept: Kept) -> None:
    """Repositories elsewhere go back to where they were."""
    trees = [record.Tree(id=uuid4(), name="", root=root, home=root) for root in ("/old/repositories/primary", "/mnt/x")]
    known = structs.replace(record.read(kept.folder), repositories=trees)

    assert originals.belongs(b"/old/private/1", known, "/new") == b"/new/private/1"
    assert originals.belongs(b"/mnt/x", known, "/new") == b"/mnt/x"
    assert originals.belongs(b"/old/private/1", known, None) == b"/old/private/1"


def test_a_lost_repository_comes_back_beside_a_catalogue_that_is_there(
    kept: Kept, places: list[Original], root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No database is asked, and what is missing in a repository that is there is left to whoever removed it."""
    monkeypatch.setenv("LUMILIO_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/x")
    copying.copy(kept.folder, tmp_path / "copies", say=ignore)
    before = everything(root)
    arguments = Namespace(folder=kept.folder, originals=tmp_path / "copies", only_originals=True)
    next(root.rglob("0.jpg")).unlink()
    with pytest.raises(CannotStart, match="every repository of this backup is where it was"):
        command.run(arguments)
    root.rename(tmp_path / "lost")

    command.run(arguments)

    assert everything(root) == before


def test_an_upload_that_waited_for_its_place_waits_there_again(kept: Kept, tmp_path: Path) -> None:
    """The catalogue of the backup has it placed from there; without a copy a person reads what it was."""
    (waiting,) = kept.inbox.parent.joinpath(".lumilio/staging/incoming").iterdir()
    copying.copy(kept.folder, tmp_path / "copies", say=ignore)
    waiting.unlink()

    assert put_back(kept, tmp_path / "copies")

    assert waiting.read_bytes() == PHOTO + b"2"
    waiting.unlink()
    next((tmp_path / "copies").rglob(waiting.name)).unlink()
    said = list[str]()
    assert not put_back(kept, tmp_path / "copies", said)
    assert said[-1] == f"NOT PUT BACK {waiting}: an upload that waited for its place then: no copy has its bytes"


async def test_thumbnails_that_are_not_there_are_made_again(
    pool: Pool, database_url: str, repository: Repository, user: User, ingest: Ingest
) -> None:
    """Also those of what lies in the trash; those that are there, and those of a repository that is away, are left."""
    for number in range(3):
        await staged(pool, repository, user, PHOTO + b"%d" % number, f"{number}.jpg")
    await place_all(pool, ingest)
    await do(pool, "update assets set trashed_at = now() where original_filename = '1.jpg'")
    await do(pool, "update asset_stages set state = 'done', next_at = null where stage = 'render'")
    await do(
        pool,
        f"""
        insert into thumbnails (asset_id, size, repository_id, path, hash, mime_type, width, height, bytes)
        select asset_id, 'small', '{repository.repository_id}',
               convert_to('.lumilio/assets/thumbnails/small/' || original_filename, 'UTF8'), content_hash,
               'image/webp', 1, 1, 1
        from assets
        """,
    )
    there = Path(os.fsdecode(repository.root), ".lumilio/assets/thumbnails/small/2.jpg")
    there.parent.mkdir(parents=True)
    there.touch()
    marker = Path(os.fsdecode(repository.root), ".lumiliorepo")

    marker.rename(marker.with_name("away"))
    assert await derived.make_again(database_url) == 0
    marker.with_name("away").rename(marker)
    assert await derived.make_again(database_url) == 2

    due = "select asset_id from asset_stages where stage = 'render' and state = 'pending'"
    names = f"select original_filename from assets where asset_id in ({due})"
    assert sorted(await ask(pool, names)) == ["0.jpg", "1.jpg"]
