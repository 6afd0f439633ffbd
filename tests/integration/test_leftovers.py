"""What is of no use any more is removed, and nothing that a row names or may name."""

import os
import time
from pathlib import Path
from uuid import UUID

import pytest

from common import derived_files, layout
from common.db import Pool
from common.stages import Stage
from ingest import leftovers
from ingest.handlers import Ingest
from ingest.housekeeping import Housekeeping
from tests.support.given import Repository, User
from tests.support.placing import paths, place_all, staged
from tests.support.rows import claim, do, expire

CONTENT = b"\xff\xd8\xff a thumbnail"
LATELY = time.time() - 3600
LONG_AGO = time.time() - 2 * leftovers.DAY


@pytest.fixture
async def stored(pool: Pool, repository: Repository, user: User, ingest: Ingest) -> UUID:
    """A photo whose rendering is due."""
    upload = await staged(pool, repository, user)
    await place_all(pool, ingest)
    return upload.asset_id


async def written(pool: Pool, repository: Repository, epoch: int, at: float = LONG_AGO) -> bytes:
    """A thumbnail of the one asset as the claim of this epoch writes it; returns its path."""
    async with pool.connection() as conn:
        ((digest, owner),) = await (await conn.execute("select content_hash, owner_id from assets")).fetchall()
    path = layout.thumbnail("small", digest, owner, epoch, ".webp")
    derived_files.write(repository.root, path, CONTENT)
    os.utime(os.path.join(repository.root, path), (at, at))
    return path


async def name(pool: Pool, repository: Repository, path: bytes) -> None:
    async with pool.connection() as conn:
        await conn.execute(
            """
            insert into thumbnails (asset_id, size, repository_id, path, mime_type, width, height, bytes, hash)
            select asset_id, 'small', %s, %s, 'image/webp', 1, 1, 1, %s from assets
            """,
            (repository.repository_id, path, bytes(32)),
        )


async def test_thumbnails_that_no_row_names_go_after_a_day(pool: Pool, repository: Repository, stored: UUID) -> None:
    """What is named, and what is young, stays."""
    await name(pool, repository, await written(pool, repository, 3))
    await written(pool, repository, 1)
    await written(pool, repository, 2, LATELY)

    await leftovers.clean(pool, failed_seconds=1)

    assert {path[-6:-5] for path in paths(repository, layout.THUMBNAILS)} == {"2", "3"}


async def test_a_rendering_at_work_keeps_what_it_wrote(pool: Pool, repository: Repository, stored: UUID) -> None:
    """However long its worker sleeps: as long as it can still settle, its files may get their row."""
    claimed = await claim(pool, Stage.RENDER)
    await written(pool, repository, claimed.epoch)

    await expire(pool)
    await leftovers.clean(pool, failed_seconds=1)
    assert len(paths(repository, layout.THUMBNAILS)) == 1
    await claim(pool, Stage.RENDER)
    await leftovers.clean(pool, failed_seconds=1)

    assert paths(repository, layout.THUMBNAILS) == {}


async def test_thumbnails_of_what_was_purged_go(pool: Pool, repository: Repository, stored: UUID) -> None:
    """An asset that is gone needs none."""
    await written(pool, repository, 1)
    await do(pool, "delete from assets")

    await leftovers.clean(pool, failed_seconds=1)

    assert paths(repository, layout.THUMBNAILS) == {}


async def test_half_written_files_go_after_a_day(pool: Pool, repository: Repository) -> None:
    """What a crash left in the middle of writing has no name that anybody asks for; other names are not ours."""
    folder = Path(os.fsdecode(repository.root), os.fsdecode(layout.THUMBNAILS), "small")
    folder.mkdir()
    for file, at in ((".a.tmp", LONG_AGO), (".b.tmp", LATELY), ("README", LONG_AGO), ("c.tmp", LONG_AGO)):
        (folder / file).write_bytes(CONTENT)
        os.utime(folder / file, (at, at))

    await leftovers.clean(pool, failed_seconds=1)

    assert set(paths(repository, layout.THUMBNAILS)) == {"small/.b.tmp", "small/README", "small/c.tmp"}


async def test_a_repository_that_is_away_is_left_alone(pool: Pool, repository: Repository, stored: UUID) -> None:
    """Whatever lies where it should be is not ours to clean."""
    await written(pool, repository, 1)
    marker = Path(os.fsdecode(repository.root), ".lumiliorepo")
    marker.rename(marker.with_name("aside"))

    await leftovers.clean(pool, failed_seconds=0)

    assert len(paths(repository, layout.THUMBNAILS)) == 1


async def test_the_slow_part_is_done_once_a_day(pool: Pool, repository: Repository, stored: UUID) -> None:
    """However many services start, and however often."""
    await Housekeeping(pool, 1, 3600).clean()
    await written(pool, repository, 1)
    await Housekeeping(pool, 1, 3600).clean()
    first = len(paths(repository, layout.THUMBNAILS))
    await do(pool, "update leases set lease_until = now()")
    await Housekeeping(pool, 1, 3600).clean()

    assert (first, paths(repository, layout.THUMBNAILS)) == (1, {})
