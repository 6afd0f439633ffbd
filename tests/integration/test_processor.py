import errno
import os
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL.ExifTags import Base

from common import files, roots
from common.db import Pool
from common.marker import Marker
from common.stages import Died, LeaseLost, Reject, Stage, Wait
from ingest.handlers import Ingest
from lumilio.verify import verify
from processor import confine, sandbox
from processor.handlers import Processor
from processor.images import Options
from processor.sandbox import Sandbox
from tests.support import media, photos
from tests.support.disks import read_only
from tests.support.gateway import serving
from tests.support.given import Repository, User
from tests.support.rows import ask, claim, expire
from tests.support.staging import stage


async def stored(pool: Pool, repository: Repository, user: User, content: bytes) -> UUID:
    """A photo that has its place."""
    upload = await stage(
        pool, repository_id=repository.repository_id, root=repository.root, owner=user.user_id, content=content
    )
    await Ingest(pool).place(await claim(pool, Stage.PLACE))
    return upload.asset_id


def derived(repository: Repository) -> list[str]:
    folder = Path(os.fsdecode(repository.root), ".lumilio/assets/thumbnails")
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def test_rendering_saves_thumbnails_facts_and_the_event(
    pool: Pool, repository: Repository, user: User, processor: Processor, database_url: str
) -> None:
    """After rendering a client can show the photo: three files that match their rows, the facts, the announcement."""
    asset = await stored(pool, repository, user, photos.jpeg(1200, 800))

    await processor.render(await claim(pool, Stage.RENDER))

    thumbnails = await ask(pool, "select size, mime_type, width, height from thumbnails order by width")
    assert thumbnails == [
        ("small", "image/webp", 400, 267),
        ("medium", "image/webp", 800, 533),
        ("large", "image/jpeg", 1200, 800),
    ]
    assert await ask(pool, "select width, height, length(thumbhash) > 5 from assets") == [(1200, 800, True)]
    assert (await ask(pool, "select subject, body ->> 'asset_id' from outbox order by outbox_id"))[-1] == (
        "lumilio.asset.processed",
        str(asset),
    )
    assert await verify(database_url)


async def test_thumbnails_are_made_as_the_server_and_the_repository_want_them(
    pool: Pool, repository: Repository, user: User, box: Sandbox, database_url: str
) -> None:
    """What the repository says goes before what the server says; what it says wrongly is left to the server."""
    path = Path(os.fsdecode(repository.root), ".lumiliorepo")
    wishes = {"thumbnail_small: null": "thumbnail_small: 200", "thumbnail_quality: null": "thumbnail_quality: best"}
    text = path.read_text()
    for usual, wish in wishes.items():
        text = text.replace(usual, wish)
    path.write_text(text)
    await stored(pool, repository, user, photos.jpeg(1200, 800))

    server = Options(small=300, medium=500, large=1000, format="jpeg", quality=20, large_quality=95)
    await Processor(pool, box, options=server).render(await claim(pool, Stage.RENDER))

    thumbnails = await ask(pool, "select size, mime_type, width, bytes from thumbnails order by width")
    assert [row[:3] for row in thumbnails] == [
        ("small", "image/jpeg", 200),
        ("medium", "image/jpeg", 500),
        ("large", "image/jpeg", 1000),
    ]
    assert thumbnails[1][3] < 20_000
    assert thumbnails[2][3] > 100_000
    assert len([name for name in derived(repository) if name.endswith(".jpg")]) == 3
    assert await verify(database_url)


async def test_a_photo_on_a_read_only_disk_is_shown(
    pool: Pool, repository: Repository, user: User, processor: Processor, database_url: str, tmp_path: Path
) -> None:
    """Its thumbnails lie in the private root; the disk itself gets nothing, and clients see no difference."""
    asset = await stored(pool, repository, user, photos.jpeg(1200, 800))
    private = await keep_apart(pool, repository, tmp_path / "private")

    with read_only(Path(os.fsdecode(repository.root))):
        await processor.render(await claim(pool, Stage.RENDER))
        async with serving(pool) as api:
            await api.login(user.username, user.password)
            shown = await api.client.get(f"/api/v1/assets/{asset}/thumbnail")

    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/webp")
    assert (derived(repository), len(derived(private))) == ([], 3)
    assert await verify(database_url)


async def test_an_empty_mount_point_is_waited_for(
    pool: Pool, repository: Repository, user: User, processor: Processor, tmp_path: Path
) -> None:
    """Where a read-only disk is not mounted, its photos are not judged, although its marker lies elsewhere."""
    await stored(pool, repository, user, photos.jpeg(80, 60))
    await keep_apart(pool, repository, tmp_path / "private")
    os.rename(repository.root, repository.root + b".away")
    os.mkdir(repository.root)

    with pytest.raises(Wait, match="its directory is empty"):
        await processor.render(await claim(pool, Stage.RENDER))


async def keep_apart(pool: Pool, repository: Repository, private: Path) -> Repository:
    """From here on the repository's own files lie elsewhere; returns where."""
    roots.create(repository.root, Marker(id=repository.repository_id, name="Test"), private_root=bytes(private))
    async with pool.connection() as conn:
        await conn.execute("update repositories set state = 'readonly', private_root = %s", (bytes(private),))
    return Repository(repository.repository_id, bytes(private))


async def test_what_the_camera_wrote_comes_through_the_sandbox(
    pool: Pool, repository: Repository, user: User, processor: Processor
) -> None:
    """Metadata is read where no file can be opened, so its reader must have everything it needs before."""
    exif = media.exif({Base.Model: "X100V"}, {Base.DateTimeOriginal: "2024:03:09 12:34:56"}, media.somewhere())
    await stored(pool, repository, user, photos.jpeg(80, 60, exif=exif))

    await processor.render(await claim(pool, Stage.RENDER))

    ((taken_at, model, latitude, notes),) = await ask(
        pool,
        """
        select taken_at::text, facts ->> 'camera_model', (facts ->> 'gps_latitude')::float8, notes
        from assets join asset_metadata using (asset_id)
        """,
    )
    assert (taken_at, model, round(latitude, 3), notes) == ("2024-03-09 12:34:56", "X100V", 48.858, [])


async def test_rendering_twice_has_one_effect(
    pool: Pool, repository: Repository, user: User, processor: Processor
) -> None:
    """A stale worker's result is dropped: the newer claim's thumbnails stay and the stale ones are removed."""
    await stored(pool, repository, user, photos.jpeg(800, 600))
    stale = await claim(pool, Stage.RENDER)
    await expire(pool)
    newer = await claim(pool, Stage.RENDER)

    await processor.render(newer)
    kept = derived(repository)
    with pytest.raises(LeaseLost):
        await processor.render(stale)

    assert derived(repository) == kept
    assert len(kept) == 3
    assert all(f"_{newer.epoch}." in name for name in kept)


async def test_a_full_disk_leaves_no_half_of_a_rendering(
    pool: Pool, repository: Repository, user: User, processor: Processor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thumbnails come all or not at all, and what was begun takes no room."""
    await stored(pool, repository, user, photos.jpeg(80, 60))
    rename = os.rename
    renamed: list[object] = []

    def third_fails(*arguments: Any, **options: Any) -> None:
        renamed.append(arguments)
        if len(renamed) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        rename(*arguments, **options)

    monkeypatch.setattr(os, "rename", third_fails)

    with pytest.raises(Wait, match="No space left"):
        await processor.render(await claim(pool, Stage.RENDER))

    assert derived(repository) == []


async def test_a_damaged_photo_is_rejected_and_kept(
    pool: Pool, repository: Repository, user: User, processor: Processor
) -> None:
    """The stage fails with a reason that a person understands; the original stays, byte for byte."""
    content = photos.jpeg(1200, 800)[:4000]
    await stored(pool, repository, user, content)

    with pytest.raises(Reject, match="damaged"):
        await processor.render(await claim(pool, Stage.RENDER))

    ((root, path),) = await ask(pool, "select root, path from file_records join repositories using (repository_id)")
    with open(files.open_original(root, path), "rb") as file:
        assert file.read() == content


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".avif", ".heic", ".psd"])
async def test_a_damaged_photo_keeps_what_its_header_says(
    pool: Pool, repository: Repository, user: User, processor: Processor, suffix: str
) -> None:
    """A photo whose pixels are lost still stands where it belongs: its time, place, camera and size are saved."""
    await stored(pool, repository, user, media.beheaded(suffix, media.everything()))

    with pytest.raises(Reject, match="damaged") as rejected:
        await processor.render(await claim(pool, Stage.RENDER))
    assert rejected.value.save is not None
    async with pool.connection() as conn:
        await rejected.value.save(conn)

    ((taken_at, width, thumbhash, model, country),) = await ask(
        pool,
        """
        select taken_at::text, width, thumbhash, facts ->> 'camera_model', facts ->> 'country_code'
        from assets join asset_metadata using (asset_id)
        """,
    )
    assert (taken_at, width, thumbhash) == ("2024-05-17 12:00:00.25", 480, None)
    assert (model, country) == ("Model", "FR")


async def test_other_bytes_than_the_stored_ones_are_not_rendered(
    pool: Pool, repository: Repository, user: User, processor: Processor
) -> None:
    """What lies at a photo's path is shown only if it is that photo."""
    await stored(pool, repository, user, photos.jpeg(80, 60))
    path = next(Path(os.fsdecode(repository.root), "inbox").rglob("*.jpg"))
    path.chmod(0o600)
    path.write_bytes(photos.jpeg(80, 60, seed=1))

    with pytest.raises(Reject, match="not the one that was stored"):
        await processor.render(await claim(pool, Stage.RENDER))


async def test_an_absent_disk_is_waited_for(
    pool: Pool, repository: Repository, user: User, processor: Processor
) -> None:
    """An outage costs no attempt."""
    await stored(pool, repository, user, photos.jpeg(80, 60))
    os.rename(os.path.join(repository.root, b".lumiliorepo"), os.path.join(repository.root, b"aside"))

    with pytest.raises(Wait):
        await processor.render(await claim(pool, Stage.RENDER))


async def test_thumbnails_leave_the_last_room_to_the_database(
    pool: Pool, repository: Repository, user: User, box: Sandbox
) -> None:
    """What can be made again waits, so that a backlog of photos cannot fill the disk to the last byte."""
    await stored(pool, repository, user, photos.jpeg(80, 60))

    with pytest.raises(Wait, match="make room"):
        await Processor(pool, box, spare=1 << 60).render(await claim(pool, Stage.RENDER))

    assert derived(repository) == []


async def test_a_process_that_dies_of_a_file_is_a_death_of_the_work(
    pool: Pool, repository: Repository, user: User, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker lives, and the row remembers that this file is dangerous."""
    await stored(pool, repository, user, photos.jpeg(4000, 3000))
    tight = confine.Limits(seconds=0.001, memory=1 << 30, answer=1 << 20)
    monkeypatch.setattr(sandbox, "PHOTO", tight)

    with pytest.raises(Died, match="seconds"):
        await Processor(pool, box).render(await claim(pool, Stage.RENDER))
