"""Photos with odd names, and in repositories that may not be written to, are rendered, served and verified."""

import os
from itertools import product
from pathlib import Path

import pytest

from common import folders, layout, roots, scan_folders
from common.db import Pool
from common.files import Offline
from common.folders import UnsafePath
from common.marker import Marker
from common.scan_folders import Unfit
from common.stages import Stage
from lumilio import verify as oracle
from processor.handlers import Processor
from syncer import snapshot
from syncer.ignoring import compiled
from syncer.snapshot import Tally
from tests.support import photos
from tests.support.disks import read_only
from tests.support.gateway import Api
from tests.support.rows import ask, claim, do
from tests.support.scanning import Disk

ODD = [
    b"a\nb\t\\N.jpg",
    b"\xff\xfe.jpg",
    b"-rf %s \x1b[2J.jpg ",
    "\u202egpj.\U0001f469\u200d\U0001f467.jpg".encode(),
    b"n" * 251 + b".jpg",
    b'"; filename=x\r\nX-Evil: 1.jpg',
]
STEPS = [
    "..",
    "%2e%2e",
    "..%2f",
    "..\\",
    "%2E%2e%2F",
    ".%2e",
    "...",
    "..;",
    "a/../..",
    "/..",
    "%00",
    "\u2025",
    "%c0%ae%c0%ae",
]
TARGETS = ["/etc", "etc/passwd", "%2fetc", "/", ".lumilio/trash", "%2elumilio", "/proc/self/root", "~", "C:\\", "//x/y"]
TRAVERSALS = [f"{step}{between}{target}" for step, between, target in product(STEPS, ("", "/"), TARGETS)]


async def test_photos_of_odd_names_are_rendered_and_served(
    disk: Disk, processor: Processor, api: Api, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thumbnail, the very bytes, sane headers and not a word of where the repository lies; and all of it verifies."""
    monkeypatch.setattr(oracle, "SECOND_LOOK_SECONDS", 0)
    contents = {name: photos.jpeg(40, 30, seed=number) for number, name in enumerate(ODD)}
    for name, content in contents.items():
        disk.write(b"Odd \xe9/" + name, content)
    await disk.settle()

    for _ in ODD:
        await processor.render(await claim(disk.pool, Stage.RENDER))
    ids = dict(await ask(disk.pool, "select asset_id, path from file_records"))
    answers = {path: await api.client.get(f"/api/v1/assets/{asset}/original") for asset, path in ids.items()}
    details = [(await api.client.get(f"/api/v1/assets/{asset}")).text for asset in ids]

    assert {os.path.basename(path): answer.content for path, answer in answers.items()} == contents
    assert not any("x-evil" in answer.headers for answer in answers.values())
    assert await ask(disk.pool, "select count(*) from thumbnails where size = 'small'") == [len(ODD)]
    assert not any(str(disk.root.parent) in detail for detail in details)
    assert await oracle.verify(database_url)


@pytest.mark.parametrize("named", TRAVERSALS)
def test_no_name_of_a_folder_leads_out(named: str, tmp_path: Path) -> None:
    """However it is written, it is refused, or the name of a folder below the root, where nothing is."""
    (tmp_path / "root").mkdir()
    root = os.fsencode(tmp_path / "root")
    tally = Tally()

    try:
        folder = scan_folders.read(named)
    except Unfit:
        return

    assert list(snapshot.walk(root, [folder] if folder else [], ignored=compiled([]), tally=tally)) == []
    with pytest.raises((FileNotFoundError, UnsafePath)), folders.folder(root, folder or b"nothing"):
        pass


async def test_a_repository_that_may_not_be_written_to_is_taken_as_it_is(disk: Disk, tmp_path: Path) -> None:
    """Its manifests lie elsewhere, nothing of ours is made in it, and an inbox there is a folder like any other."""
    private = await apart(disk.pool, disk, tmp_path / "private")
    disk.write("inbox/a.jpg", b"\xff\xd8\xff a")
    disk.write("b.jpg", b"\xff\xd8\xff b")

    with read_only(disk.root):
        state, counts = await disk.settle()

    assert (state, counts.strays) == ("done", 0)
    assert await disk.catalogue() == {b"inbox/a.jpg": "present", b"b.jpg": "present"}
    assert sorted(path.name for path in disk.root.iterdir()) == ["b.jpg", "inbox"]
    assert len(list((private / layout.MANIFESTS.decode()).iterdir())) == 1


async def test_a_repository_that_may_not_be_written_to_is_away_when_empty(disk: Disk, tmp_path: Path) -> None:
    """A mount point without its disk is no repository of which all was removed."""
    await apart(disk.pool, disk, tmp_path / "private")
    path = disk.write("a.jpg", b"\xff\xd8\xff a")
    await disk.settle()

    path.unlink()
    with pytest.raises(Offline, match="its directory is empty"):
        await disk.scan()

    assert await disk.catalogue() == {b"a.jpg": "present"}


async def apart(pool: Pool, disk: Disk, private: Path) -> Path:
    """From here on the repository is not ours to write to: its root holds nothing of ours."""
    for path in (layout.MARKER, *sorted(layout.FOLDERS, reverse=True)):
        target = disk.root / path.decode()
        target.unlink() if path == layout.MARKER else target.rmdir()
    repository = disk.repository
    (disk.root / "any").touch()
    roots.create(repository.root, Marker(id=repository.repository_id, name="Test"), private_root=bytes(private))
    (disk.root / "any").unlink()
    await do(pool, f"update repositories set state = 'readonly', private_root = '{private}'")
    return private
