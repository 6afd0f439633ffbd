"""Which processor does what: all of it, or only a part, so that films can be another machine's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from common import settings
from common.db import Pool
from processor import main
from processor.main import ProcessorSettings
from tests.support import placing, playing
from tests.support.given import Repository, User
from tests.support.rows import ask, do
from tests.support.transcodes import film, transcodable
from tests.support.waiting import until

QUICK = {"LUMILIO_POLL_SECONDS": "0.1", "LUMILIO_RELAY_SECONDS": "0.1", "LUMILIO_WORKERS": "1"}
SIDECAR = "select asset_id, 'sidecar', owner_id, 'pending', now() from assets"


@asynccontextmanager
async def serving(environment: dict[str, str]) -> AsyncIterator[None]:
    """A processor as its own main starts it, until the block ends."""
    stop = asyncio.Event()
    serve = asyncio.create_task(main.serve(settings.load(ProcessorSettings, environment), stop))
    try:
        yield
    finally:
        stop.set()
        await serve


@pytest.fixture
def environment(database_url: str, nats_url: str) -> dict[str, str]:
    return {**QUICK, "LUMILIO_DATABASE_URL": database_url, "LUMILIO_NATS_URL": nats_url}


async def until_done(pool: Pool, asset: UUID, stage: str) -> None:
    async def is_done() -> bool:
        question = f"select state from asset_stages where asset_id = '{asset}' and stage = '{stage}'"
        return (await ask(pool, question)) == ["done"]

    await until(is_done, seconds=60, what=f"{stage} is done")


async def test_one_that_transcodes_nothing_leaves_it_to_another(
    pool: Pool, repository: Repository, user: User, environment: dict[str, str]
) -> None:
    """It renders films and hands them on; as soon as there is one that transcodes, it makes their versions."""
    asset = await placing.placed(pool, repository, user, film(0.5), "film.avi")
    await do(pool, f"insert into asset_stages (asset_id, stage, owner_id, state, next_at) {SIDECAR}")
    async with serving(environment | {"LUMILIO_TRANSCODES": "0"}):
        await until_done(pool, asset, "render")
        await until_done(pool, asset, "sidecar")
        later = await placing.placed(pool, repository, user, film(0.6), "later.avi")
        await until_done(pool, later, "render")
        assert (await playing.stages(pool))["transcode"] == "pending"

        async with serving(environment | {"LUMILIO_RENDERS": "false"}):
            await until_done(pool, asset, "transcode")
            await until_done(pool, later, "transcode")


async def test_one_that_renders_nothing_transcodes_alone(
    pool: Pool, repository: Repository, user: User, environment: dict[str, str]
) -> None:
    """Neither thumbnails nor sidecars are its business, however long they are due."""
    assets = [
        await transcodable(pool, repository, user, film(0.5 + number / 10), f"{number}.avi") for number in range(2)
    ]
    await do(pool, f"insert into asset_stages (asset_id, stage, owner_id, state, next_at) {SIDECAR}")
    async with serving(environment | {"LUMILIO_RENDERS": "false"}):
        for asset in assets:
            await until_done(pool, asset, "transcode")

    assert await playing.stages(pool) == {
        "place": "done",
        "render": "pending",
        "sidecar": "pending",
        "transcode": "done",
    }
