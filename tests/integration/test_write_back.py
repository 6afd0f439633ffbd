"""What a person says is written beside the original, whatever lies there, and the original is never touched."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from nats.aio.client import Client
from PIL.ExifTags import Base

from common import layout, queries, roots, sidecars, streams, trash
from common.bus import Bus
from common.db import Pool
from common.edits import Edits, given
from common.marker import Marker
from common.outbox import Relay
from common.settings import Settings
from common.stages import LeaseLost, Reject, Stage, Wait
from common.worker import Worker
from ingest.handlers import Ingest
from processor import sources
from processor.handlers import Processor
from processor.metadata import xmp
from processor.queries import find_original
from processor.sandbox import Sandbox
from processor.write_back import WriteBack
from tests.support import media, photos
from tests.support.disks import read_only
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.placing import keep, paths, place_all, staged
from tests.support.recorder import Crash
from tests.support.rows import ask, claim, expire, row
from tests.support.saying import edit

LIGHTROOM = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="2" crs:Exposure2012="+0.35"/></rdf:RDF></x:xmpmeta>"""
SIDECAR = "p.jpg.xmp"


@pytest.fixture
def write_back(pool: Pool, box: Sandbox) -> WriteBack:
    return WriteBack(pool, box)


@pytest.fixture
async def photo(pool: Pool, repository: Repository, user: User, ingest: Ingest) -> UUID:
    """A photo of anna's in the inbox, `p.jpg`."""
    keep(repository, strategy="flat")
    upload = await staged(pool, repository, user, photos.jpeg(80, 60))
    await place_all(pool, ingest)
    return upload.asset_id


async def written(pool: Pool, write_back: WriteBack) -> None:
    await write_back.write(await claim(pool, Stage.SIDECAR))


def inbox(repository: Repository) -> Path:
    return Path(os.fsdecode(repository.root), "inbox")


def rating(content: bytes) -> int | None:
    return xmp.read(content)[0].rating


async def test_an_edit_is_written_beside_the_original(
    pool: Pool, repository: Repository, user: User, photo: UUID, write_back: WriteBack
) -> None:
    """Readable by every program, for the owner and the group; the original keeps its bytes and its times."""
    before = (inbox(repository) / "p.jpg").stat()
    said = Edits(title='"好" ]]> <b> 🎂', rating=4, tags=["Places/Paris"], gps_latitude=-33.5, gps_longitude=151.25)
    await edit(pool, user, photo, said)

    await written(pool, write_back)

    content = (inbox(repository) / SIDECAR).read_bytes()
    found, notes = xmp.read(content)
    assert (found.title, found.rating, found.latitude, found.longitude) == (said.title, 4, -33.5, 151.25)
    assert ("Places/Paris" in found.keywords, notes) == (True, [])
    after = (inbox(repository) / "p.jpg").stat()
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)
    assert (inbox(repository) / SIDECAR).stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(inbox(repository))) == ["p.jpg", SIDECAR]
    assert (await row(pool, photo, "sidecar"))["state"] == "done"
    place = "select edited_place ->> 'country_code', edited_place ->> 'time_zone' from asset_metadata"
    assert await ask(pool, place) == [("AU", "Australia/Sydney")]


async def test_writing_twice_has_one_effect(
    pool: Pool, repository: Repository, user: User, photo: UUID, write_back: WriteBack
) -> None:
    """What is said already is not written again."""
    await edit(pool, user, photo, Edits(rating=4))
    await written(pool, write_back)
    before = (inbox(repository) / SIDECAR).stat()
    await edit(pool, user, photo, Edits(rating=4))

    await written(pool, write_back)

    after = (inbox(repository) / SIDECAR).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


async def test_a_sidecar_of_another_program_is_merged_and_comes_back(
    pool: Pool, repository: Repository, user: User, photo: UUID, write_back: WriteBack
) -> None:
    """Its own settings stay, its mode too; taking the edit back brings its rating back, and the photo is read again."""
    path = inbox(repository) / SIDECAR
    path.write_bytes(LIGHTROOM)
    path.chmod(0o664)
    await edit(pool, user, photo, Edits(rating=5))
    await written(pool, write_back)
    assert (rating(path.read_bytes()), path.stat().st_mode & 0o777) == (5, 0o664)
    assert b'crs:Exposure2012="+0.35"' in path.read_bytes()
    await edit(pool, user, photo, Edits(), reset=["rating"])

    await written(pool, write_back)

    assert rating(path.read_bytes()) == 2
    assert (await row(pool, photo, "render"))["state"] == "pending"


async def test_an_edit_wins_on_every_later_reading_and_leaves_nothing_behind(
    pool: Pool, user: User, photo: UUID, write_back: WriteBack, box: Sandbox
) -> None:
    """Our own sidecar is read as a file's word while the edit lasts, and not a moment longer."""
    processor = Processor(pool, box)
    await processor.render(await claim(pool, Stage.RENDER))
    await edit(pool, user, photo, Edits(title="mine", rating=4))
    await written(pool, write_back)
    async with pool.connection() as conn:
        await queries.redo(conn, photo, Stage.RENDER)
    await processor.render(await claim(pool, Stage.RENDER))
    assert await ask(pool, "select edits ->> 'title' from asset_metadata") == ["mine"]

    await edit(pool, user, photo, Edits(), reset=["title", "rating"])
    await written(pool, write_back)
    await processor.render(await claim(pool, Stage.RENDER))

    assert await ask(pool, "select facts ->> 'title', facts ->> 'rating', edits from asset_metadata") == [
        (None, None, {})
    ]


@pytest.mark.parametrize("kind", ["folder", "link", "no XMP", "large", "dangling"])
async def test_what_is_no_sidecar_is_never_replaced(
    pool: Pool, repository: Repository, user: User, photo: UUID, write_back: WriteBack, kind: str
) -> None:
    """The stage fails with a reason for people, nothing is changed, and once that is out of the way it works."""
    path = inbox(repository) / SIDECAR
    elsewhere = inbox(repository).parent / "elsewhere"
    obstruct(path, elsewhere, kind)
    before = tree(inbox(repository))
    await edit(pool, user, photo, Edits(rating=3))

    with pytest.raises(Reject, match=r"p\.jpg\.xmp (is|may)"):
        await written(pool, write_back)

    assert tree(inbox(repository)) == before
    assert not elsewhere.exists() or elsewhere.read_bytes() == LIGHTROOM
    path.rename(inbox(repository).parent / "away")
    await expire(pool)
    await written(pool, write_back)
    assert rating(path.read_bytes()) == 3


async def test_a_failed_write_back_is_seen_and_tried_again(
    api: Api, pool: Pool, repository: Repository, user: User, photo: UUID, write_back: WriteBack
) -> None:
    """The list of what failed and the photo itself say why; once the reason is gone a person has it tried again."""
    (inbox(repository) / SIDECAR).mkdir()
    asset = f"/api/v1/assets/{photo}"
    assert (await api.client.patch(asset, json={"rating": 3})).status_code == 200

    await attempted(pool, write_back)

    failed = (await api.client.get("/api/v1/stages", params={"state": "failed"})).json()["data"]["stages"]
    reason = "p.jpg.xmp is a folder, or something else that is no file"
    assert [(work["asset_id"], work["stage"], work["error"]) for work in failed] == [(str(photo), "sidecar", reason)]
    shown = (await api.client.get(asset)).json()["data"]
    assert {"stage": "sidecar", "state": "failed", "error": reason} in shown["stages"]
    assert (shown["specific_metadata"]["rating"], shown["status"]) == (3, "processing")
    (inbox(repository) / SIDECAR).rmdir()
    assert (await api.client.post(f"{asset}/stages/sidecar/retry")).status_code == 200
    await attempted(pool, write_back)
    assert rating((inbox(repository) / SIDECAR).read_bytes()) == 3
    assert (await row(pool, photo, "sidecar"))["state"] == "done"


async def attempted(pool: Pool, write_back: WriteBack) -> None:
    """What a worker does with the work that is due, and with its outcome."""
    idle = Bus(client := Client(), client.jetstream())
    config = Settings(database_url="", nats_url="")
    relay = Relay(pool, idle, 60)
    worker = Worker(pool, idle, relay, config, streams.SIDECAR, Stage.SIDECAR, write_back.write, 1)
    await worker._attempt(await claim(pool, Stage.SIDECAR))


def obstruct(path: Path, elsewhere: Path, kind: str) -> None:
    match kind:
        case "folder":
            path.mkdir()
        case "link":
            elsewhere.write_bytes(LIGHTROOM)
            path.symlink_to(elsewhere)
        case "dangling":
            path.symlink_to(elsewhere)
        case "no XMP":
            path.write_bytes(photos.jpeg(80, 60))
        case "large":
            path.write_bytes(LIGHTROOM + b" " * (1 << 22))


def tree(folder: Path) -> dict[str, Any]:
    return {path.name: (path.lstat().st_ino, path.lstat().st_mtime_ns) for path in folder.iterdir()}


async def test_the_newer_of_two_edits_wins(
    pool: Pool, repository: Repository, user: User, photo: UUID, write_back: WriteBack
) -> None:
    """What a person says while the sidecar is written is written after it."""
    await edit(pool, user, photo, Edits(rating=1))
    running = await claim(pool, Stage.SIDECAR)
    await edit(pool, user, photo, Edits(rating=2, title="newer"))
    await write_back.write(running)

    await written(pool, write_back)

    assert rating((inbox(repository) / SIDECAR).read_bytes()) == 2
    assert (await row(pool, photo, "sidecar"))["state"] == "done"


async def test_what_was_changed_since_it_was_read_is_not_replaced(repository: Repository, photo: UUID) -> None:
    """Neither a sidecar that another program wrote meanwhile, nor one that came, nor one that is beside nothing."""
    root, path, original = repository.root, b"inbox/p.jpg.xmp", b"inbox/p.jpg"
    with pytest.raises(sidecars.Gone):
        sidecars.write(root, b"inbox/q.jpg.xmp", b"ours", instead_of=None, beside=b"inbox/q.jpg")
    sidecars.write(root, path, b"first", instead_of=None, beside=original)
    read = sidecars.read(root, path, limit=100)
    with pytest.raises(sidecars.Changed):
        sidecars.write(root, path, b"second", instead_of=None, beside=original)
    for other in (b"other", b"a longer one"):
        (inbox(repository) / SIDECAR).write_bytes(other)

        with pytest.raises(sidecars.Changed):
            sidecars.write(root, path, b"second", instead_of=read, beside=original)

        assert (inbox(repository) / SIDECAR).read_bytes() == other
    assert sorted(os.listdir(inbox(repository))) == ["p.jpg", SIDECAR]


async def test_a_crash_before_the_end_leaves_the_old_one(
    repository: Repository, photo: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what it leaves behind is hidden, and gone after the next writing."""
    root, path = repository.root, b"inbox/p.jpg.xmp"
    sidecars.write(root, path, b"old", instead_of=None)
    old = sidecars.read(root, path, limit=100)
    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", _crash)
        patched.setattr(os, "unlink", _crash)
        with pytest.raises(Crash):
            sidecars.write(root, path, b"new", instead_of=old)
    assert (inbox(repository) / SIDECAR).read_bytes() == b"old"

    sidecars.write(root, path, b"new", instead_of=old)

    assert (inbox(repository) / SIDECAR).read_bytes() == b"new"
    assert sorted(os.listdir(inbox(repository))) == ["p.jpg", SIDECAR]


def _crash(*_: object, **__: object) -> None:
    raise Crash


async def test_in_a_repository_that_is_only_read_it_lies_apart(
    pool: Pool, repository: Repository, user: User, photo: UUID, write_back: WriteBack, tmp_path: Path
) -> None:
    """The disk gets nothing; what is written in the private root is believed before all that lies beside the photo."""
    (inbox(repository) / SIDECAR).write_bytes(LIGHTROOM)
    private = bytes(tmp_path / "private")
    roots.create(repository.root, Marker(id=repository.repository_id, name="Test"), private_root=private)
    async with pool.connection() as conn:
        await conn.execute("update repositories set state = 'readonly', private_root = %s", (private,))
    await edit(pool, user, photo, Edits(rating=5, title="apart"))
    before = tree(inbox(repository))

    with read_only(Path(os.fsdecode(repository.root))):
        await written(pool, write_back)

    assert tree(inbox(repository)) == before
    content = Path(os.fsdecode(private), f".lumilio/sidecars/{photo}.xmp").read_bytes()
    assert xmp.read(content)[0].title == "apart"
    assert [os.pread(other.descriptor, 1 << 20, 0) for other in await beside(pool, photo)] == [content, LIGHTROOM]


async def beside(pool: Pool, photo: UUID) -> list[sources.Beside]:
    async with pool.connection() as conn:
        original = await find_original(conn, photo)
    assert original is not None
    return sources.open_source(original, 0).beside


async def test_a_repository_that_is_away_is_waited_for(
    pool: Pool, repository: Repository, user: User, photo: UUID, write_back: WriteBack
) -> None:
    """Nothing fails meanwhile, and nothing is written to where it was."""
    await edit(pool, user, photo, Edits(rating=5))
    os.rename(repository.root, repository.root + b".away")

    with pytest.raises(Wait, match="not there"):
        await written(pool, write_back)

    os.rename(repository.root + b".away", repository.root)
    await expire(pool)
    await written(pool, write_back)
    assert rating((inbox(repository) / SIDECAR).read_bytes()) == 5


async def test_the_sidecar_goes_to_the_trash_and_comes_back(
    pool: Pool, repository: Repository, user: User, photo: UUID, write_back: WriteBack, ingest: Ingest, sound: None
) -> None:
    """With its original, so that no later file of that name has it; what is said meanwhile is written then."""
    await edit(pool, user, photo, Edits(rating=5))
    await written(pool, write_back)
    await throw(pool, user, photo, ingest)
    assert list(paths(repository)) == []
    assert f"{photo}_p.jpg.xmp" in paths(repository, layout.TRASH)
    await edit(pool, user, photo, Edits(rating=4))
    await written(pool, write_back)
    assert rating(paths(repository, layout.TRASH)[f"{photo}_p.jpg.xmp"]) == 5

    async with pool.connection() as conn:
        await trash.take_back(conn, photo, owner=user.user_id)
    await place_all(pool, ingest)
    await written(pool, write_back)

    assert sorted(paths(repository)) == ["p.jpg", SIDECAR]
    assert rating(paths(repository)[SIDECAR]) == 4
    assert not [path for path in paths(repository, layout.TRASH) if path.endswith(".xmp")]


async def test_what_is_said_of_what_never_reached_the_trash_is_written(
    pool: Pool, repository: Repository, user: User, photo: UUID, write_back: WriteBack, ingest: Ingest
) -> None:
    """An asset that is taken back before its original was moved has its sidecar all the same."""
    async with pool.connection() as conn:
        await trash.put(conn, photo, owner=user.user_id)
    await edit(pool, user, photo, Edits(rating=4))
    await written(pool, write_back)
    async with pool.connection() as conn:
        await trash.take_back(conn, photo, owner=user.user_id)
    await place_all(pool, ingest)

    await written(pool, write_back)

    assert rating((inbox(repository) / SIDECAR).read_bytes()) == 4


async def test_what_is_taken_back_is_read_again_also_after_a_crash(
    pool: Pool, user: User, photo: UUID, write_back: WriteBack, box: Sandbox
) -> None:
    """Nobody believes what we had written ourselves only because the sidecar was changed and its stage not settled."""
    await Processor(pool, box).render(await claim(pool, Stage.RENDER))
    await edit(pool, user, photo, Edits(title="mine"))
    await written(pool, write_back)
    await edit(pool, user, photo, Edits(), reset=["title"])
    stale = await claim(pool, Stage.SIDECAR)
    await expire(pool)
    newer = await claim(pool, Stage.SIDECAR)
    with pytest.raises(LeaseLost):
        await write_back.write(stale)

    await write_back.write(newer)

    assert (await row(pool, photo, "render"))["state"] == "pending"


async def throw(pool: Pool, user: User, photo: UUID, ingest: Ingest) -> None:
    async with pool.connection() as conn:
        await trash.put(conn, photo, owner=user.user_id)
    await place_all(pool, ingest)


async def test_a_sidecar_in_capitals_goes_along(
    pool: Pool, repository: Repository, user: User, photo: UUID, ingest: Ingest
) -> None:
    """What a camera's program called `p.jpg.XMP` goes into the trash with its photo and comes back with it."""
    (inbox(repository) / "p.jpg.XMP").write_bytes(LIGHTROOM)

    await throw(pool, user, photo, ingest)

    assert paths(repository, layout.TRASH)[f"{photo}_p.jpg.XMP"] == LIGHTROOM
    async with pool.connection() as conn:
        await trash.take_back(conn, photo, owner=user.user_id)
    await place_all(pool, ingest)
    assert paths(repository)["p.jpg.XMP"] == LIGHTROOM


async def test_half_a_time_is_written_once_the_other_is_known(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, write_back: WriteBack, box: Sandbox
) -> None:
    """An offset that a person said before the photo was read is written with the time that was read then."""
    keep(repository, strategy="flat")
    exif = media.exif(camera={Base.DateTimeOriginal: "2024:03:09 12:34:56"})
    upload = await staged(pool, repository, user, photos.jpeg(80, 60, exif=exif))
    await place_all(pool, ingest)
    await edit(pool, user, upload.asset_id, Edits(offset_minutes=330))
    await written(pool, write_back)
    assert (await row(pool, upload.asset_id, "sidecar"))["state"] == "done"

    await Processor(pool, box).render(await claim(pool, Stage.RENDER))
    await written(pool, write_back)

    assert b"2024-03-09T12:34:56+05:30" in (inbox(repository) / SIDECAR).read_bytes()
    async with pool.connection() as conn:
        await queries.redo(conn, upload.asset_id, Stage.RENDER)
    await Processor(pool, box).render(await claim(pool, Stage.RENDER))
    await written(pool, write_back)


@pytest.mark.parametrize("step", range(1, 14))
async def test_a_crash_on_the_way_loses_no_sidecar(
    pool: Pool,
    repository: Repository,
    user: User,
    photo: UUID,
    ingest: Ingest,
    monkeypatch: pytest.MonkeyPatch,
    step: int,
) -> None:
    """Whatever step the move ends at, and whichever way it is wanted then: it is beside its original in the end."""
    (inbox(repository) / SIDECAR).write_bytes(LIGHTROOM)
    async with pool.connection() as conn:
        await trash.put(conn, photo, owner=user.user_id)
    calls = count(1)
    for name in ("link", "unlink", "fsync"):
        monkeypatch.setattr(os, name, _crashing(getattr(os, name), calls, step))
    with suppress(Crash):
        await ingest.place(await claim(pool, Stage.PLACE))
    monkeypatch.undo()
    await expire(pool)
    if step % 2:
        async with pool.connection() as conn:
            await trash.take_back(conn, photo, owner=user.user_id)

    await place_all(pool, ingest)

    found = paths(repository, b"") if not step % 2 else paths(repository)
    name = f".lumilio/trash/{photo}_p.jpg.xmp" if not step % 2 else SIDECAR
    assert {path: content for path, content in found.items() if path.endswith(".xmp")} == {name: LIGHTROOM}


def _crashing(real: Callable[..., None], calls: Iterator[int], step: int) -> Callable[..., None]:
    def call(*arguments: object, **more: object) -> None:
        if next(calls) == step:
            raise Crash
        real(*arguments, **more)

    return call


async def test_no_upload_adopts_a_sidecar_that_is_there(
    pool: Pool, repository: Repository, user: User, photo: UUID, ingest: Ingest
) -> None:
    """A name with a sidecar counts as taken, and no original is called like one."""
    for name in ("q.jpg.xmp", "r.jpg.XMP"):
        (inbox(repository) / name).write_bytes(LIGHTROOM)
    for number, name in enumerate(("q.jpg", "r.jpg", "p.jpg.xmp")):
        await staged(pool, repository, user, photos.jpeg(80, 60 + number + 1), name)

    await place_all(pool, ingest)

    placed = [path for path in paths(repository) if not path.lower().endswith(".xmp")]
    assert ("q.jpg" in placed, "r.jpg" in placed, "p.jpg.xmp_" in placed, len(placed)) == (False, False, True, 4)


async def test_nothing_said_writes_nothing(
    pool: Pool, repository: Repository, user: User, photo: UUID, write_back: WriteBack
) -> None:
    """No empty sidecar appears beside a photo of which everything was taken back at once."""
    await edit(pool, user, photo, Edits(), reset=["title"])

    await written(pool, write_back)

    assert list(paths(repository)) == ["p.jpg"]


def test_said_is_kept_as_it_is_read() -> None:
    """The words that are kept are those that come out again."""
    said = Edits(title="t", rating=None, tags=["a/b"])

    assert msgspec.convert(given(said), Edits) == said
