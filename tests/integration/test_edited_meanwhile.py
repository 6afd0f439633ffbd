"""Originals in people's own folders may be edited at any moment; what is made and sent is of the bytes it names."""

import os
from uuid import UUID

import pytest
from blake3 import blake3

from common import queries
from common.bus import Bus
from common.db import Pool
from common.stages import Reject, Stage
from processor.handlers import Processor
from tests.support import photos
from tests.support.gateway import Api
from tests.support.rows import ask, claim
from tests.support.scanning import Disk
from tests.support.transcodes import film, transcoder
from tests.support.waiting import until
from tests.support.working import rendering, transcoding

BEFORE, AFTER = photos.jpeg(600, 400), photos.jpeg(300, 500)


async def is_waiting(pool: Pool, stage: Stage) -> bool:
    """Whether a stage waits for a changed file to be read."""
    found = await ask(pool, f"select error from asset_stages where stage = '{stage}' and state = 'pending'")
    return any("changed by another program" in (error or "") for error in found)


async def is_done(pool: Pool, stage: Stage) -> bool:
    return await ask(pool, f"select state from asset_stages where stage = '{stage}'") == ["done"]


async def asset_of(disk: Disk) -> UUID:
    """The one asset that there is."""
    (asset,) = await ask(disk.pool, "select asset_id from assets")
    assert isinstance(asset, UUID)
    return asset


async def test_a_photo_that_is_edited_before_it_is_rendered(disk: Disk, bus: Bus, processor: Processor) -> None:
    """Rendering waits for the scan that sees the change, and is of the new bytes then; nothing has failed."""
    disk.write("a.jpg", BEFORE)
    await disk.settle()
    disk.write("a.jpg", AFTER, age=30)

    async with rendering(disk.pool, bus, processor.render):
        await until(lambda: is_waiting(disk.pool, Stage.RENDER))
        await disk.settle()
        await until(lambda: is_done(disk.pool, Stage.RENDER))

    assert await ask(disk.pool, "select width, height from assets") == [(300, 500)]
    assert await ask(disk.pool, "select 1 from outbox where subject = 'lumilio.stage.failed'") == []


async def test_a_film_that_is_edited_before_it_is_transcoded(disk: Disk, bus: Bus) -> None:
    """Its version for browsers is made of what it is by then."""
    disk.write("a.avi", film(1))
    await disk.settle()
    asset = await asset_of(disk)
    async with disk.pool.connection() as conn:
        await queries.follow(conn, asset, Stage.TRANSCODE, owner=disk.owner.user_id, lane=0)
    edited = film(2)
    disk.write("a.avi", edited, age=30)

    async with transcoder(disk.pool) as work, transcoding(disk.pool, bus, work.transcode):
        await until(lambda: is_waiting(disk.pool, Stage.TRANSCODE))
        await disk.settle()
        await until(lambda: is_done(disk.pool, Stage.TRANSCODE))

    (path,) = await ask(disk.pool, "select path from renditions where kind = 'web'")
    assert blake3(edited).hexdigest() in path.decode()


async def test_damage_is_no_edit(disk: Disk, processor: Processor) -> None:
    """Other bytes in a file that nobody wrote will not be put right by a scan."""
    path = disk.write("a.jpg", BEFORE)
    await disk.settle()
    status = path.stat()
    path.write_bytes(BEFORE[:-1] + b"?")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    with pytest.raises(Reject):
        await processor.render(await claim(disk.pool, Stage.RENDER))


async def test_an_edited_original_is_not_sent_under_the_name_of_the_old_bytes(api: Api, disk: Disk) -> None:
    """Of the same length or not, a person hears that it is being read; then they get the new bytes under a new name."""
    disk.write("a.jpg", BEFORE)
    await disk.settle()
    asset = await asset_of(disk)
    before = await api.client.get(f"/api/v1/assets/{asset}/original")

    edited = BEFORE[:-3] + b"new"
    disk.write("a.jpg", edited, age=30)
    meanwhile = await api.client.get(f"/api/v1/assets/{asset}/original")
    await disk.scan()
    await disk.read()
    unregistered = await api.client.get(f"/api/v1/assets/{asset}/original")
    await disk.register()
    after = await api.client.get(f"/api/v1/assets/{asset}/original")

    assert (before.content, before.headers["etag"]) == (BEFORE, f'"{blake3(BEFORE).hexdigest()}"')
    for answer in (meanwhile, unregistered):
        assert answer.status_code == 404
        assert "another program has just changed the file" in answer.text
        assert answer.headers["retry-after"]
    assert (after.content, after.headers["etag"]) == (edited, f'"{blake3(edited).hexdigest()}"')


async def test_a_touched_original_is_sent(api: Api, disk: Disk) -> None:
    """Another date alone keeps nobody from their photo."""
    path = disk.write("a.jpg", BEFORE)
    await disk.settle()
    os.utime(path)

    answer = await api.client.get(f"/api/v1/assets/{await asset_of(disk)}/original")

    assert (answer.status_code, answer.content) == (200, BEFORE)


async def test_a_damaged_original_is_not_sent(api: Api, disk: Disk) -> None:
    """A person hears what happened and what to do."""
    path = disk.write("a.jpg", BEFORE)
    await disk.settle()
    async with disk.pool.connection() as conn:
        await conn.execute("update file_records set state = 'corrupt'")

    answer = await api.client.get(f"/api/v1/assets/{await asset_of(disk)}/original")

    assert path.exists()
    assert (answer.status_code, "is damaged" in answer.text) == (404, True)
