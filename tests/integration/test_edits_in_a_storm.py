"""Everything that happens to a photo happens at once, and workers are killed or sleep: the newest word wins."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Any
from uuid import UUID

import httpx
import pytest

from common.db import Pool
from common.stages import Claim, LeaseLost, Reject, Stage, Wait, Work
from ingest.handlers import Ingest
from processor import sandbox
from processor.handlers import Processor
from processor.metadata import xmp
from processor.write_back import WriteBack
from tests.support import photos
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.placing import keep, paths, place_all, staged
from tests.support.rows import ask, claim_next
from tests.support.waiting import until

EDITORS, EDITS = 4, 12
HERE = {"gps_longitude": 2}
PHOTO = photos.jpeg(80, 60)
LIFE_SECONDS = 0.04
"""Within which a worker that is to be killed, is."""

HURRY = "update asset_stages set next_at = now() where state = 'pending' and next_at > now()"
OPEN = "select count(*) from asset_stages where state <> 'done'"


@pytest.fixture
async def photo(pool: Pool, repository: Repository, user: User) -> UUID:
    """The photo of which everybody speaks, `p.jpg`, and two others that are processed along with it."""
    keep(repository, strategy="flat")
    first = await staged(pool, repository, user, PHOTO)
    for number in (1, 2):
        await staged(pool, repository, user, photos.jpeg(80, 60, seed=number), f"{number}.jpg")
    await place_all(pool, Ingest(pool))
    return first.asset_id


@pytest.fixture
async def works(pool: Pool) -> AsyncIterator[dict[Stage, Work]]:
    """What workers do in each stage."""
    async with sandbox.open(2) as box:
        yield {
            Stage.PLACE: Ingest(pool).place,
            Stage.RENDER: Processor(pool, box).render,
            Stage.SIDECAR: WriteBack(pool, box).write,
        }


async def labour(pool: Pool, stage: Stage, work: Work, chance: Random, end: asyncio.Event) -> None:
    """A worker that is killed now and then and followed by another one; some sleep past their lease and go on."""
    while not end.is_set():
        claim = await claim_next(pool, stage)
        if claim is None:
            with suppress(TimeoutError):
                await asyncio.wait_for(end.wait(), 0.01)
            continue
        fate = chance.choice(["lives", "dies", "sleeps"])
        if fate == "sleeps":
            await lose(pool, claim)
        with suppress(LeaseLost, TimeoutError):
            async with asyncio.timeout(chance.uniform(0, LIFE_SECONDS) if fate == "dies" else None):
                await attempt(pool, claim, work)
        if fate == "dies":
            await lose(pool, claim)


async def attempt(pool: Pool, claim: Claim, work: Work) -> None:
    """Work with its outcomes: whoever waits is due again at once, and nobody has a reason to give up."""
    try:
        await work(claim)
    except Wait:
        await lose(pool, claim)
    except Reject as verdict:
        pytest.fail(f"{claim.stage}: {verdict}")


async def lose(pool: Pool, claim: Claim) -> None:
    """The lease has run out, as far as others can tell."""
    async with pool.connection() as conn:
        await conn.execute(
            "update asset_stages set lease_until = now() - interval '1 s'"
            " where asset_id = %s and stage = %s and lease_epoch = %s and state = 'running'",
            (claim.asset_id, claim.stage, claim.epoch),
        )


async def speak(api: Api, photo: UUID, who: int, chance: Random) -> str:
    """A person who edits again and again, each time after the answer; their last title."""
    for number in range(EDITS):
        title = f"{who}: {number}"
        said: dict[str, Any] = {"title": title, "rating": chance.randint(0, 5)}
        said |= chance.choice([{"reset": ["tags"]}, {"tags": [f"People/{who}"]}, HERE | {"gps_latitude": who}])
        answered(await api.client.patch(f"/api/v1/assets/{photo}", json=said))
    return title


async def meddle(api: Api, photo: UUID, chance: Random, end: asyncio.Event) -> None:
    """Somebody who has things processed again, throws the photo away and takes it back."""
    asset = f"/api/v1/assets/{photo}"
    deeds: list[Callable[[], Awaitable[httpx.Response]]] = [
        lambda: api.client.post(f"{asset}/reprocess"),
        lambda: api.client.post("/api/v1/assets/reprocess", json={"scope": "all"}),
        lambda: api.client.delete(asset),
        lambda: api.client.post(f"{asset}/restore"),
    ]
    while not end.is_set():
        answered(await chance.choice(deeds)())
    answered(await deeds[-1]())


async def is_over(pool: Pool) -> bool:
    """Whether nothing is left to do; what waits for its time need wait no longer."""
    async with pool.connection() as conn:
        await conn.execute(HURRY)
    return await ask(pool, OPEN) == [0]


def answered(answer: httpx.Response) -> None:
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_newest_word_wins_in_a_storm(
    api: Api, pool: Pool, photo: UUID, repository: Repository, works: dict[Stage, Work], sound: None, seed: int
) -> None:
    """One sidecar with what the catalogue has, which somebody said last; nothing is stuck, nobody got an error."""
    calm, end, chance = asyncio.Event(), asyncio.Event(), Random(seed)
    async with asyncio.TaskGroup() as group:
        for stage, work in works.items():
            for _ in range(2):
                group.create_task(labour(pool, stage, work, Random(chance.random()), end))
        meddling = [group.create_task(meddle(api, photo, Random(chance.random()), calm)) for _ in range(2)]
        lasts = await asyncio.gather(*(speak(api, photo, who, Random(chance.random())) for who in range(EDITORS)))
        calm.set()
        await asyncio.wait(meddling)

        await until(lambda: is_over(pool), seconds=60, what="everything is done")
        end.set()

    (edits,) = await ask(pool, f"select edits from asset_metadata where asset_id = '{photo}'")
    found = paths(repository)
    assert edits["title"] in lasts
    assert sorted(found) == ["1.jpg", "2.jpg", "p.jpg", "p.jpg.xmp"]
    assert found["p.jpg"] == PHOTO
    told = xmp.read(found["p.jpg.xmp"])[0]
    assert (told.title, told.rating, told.latitude) == (edits["title"], edits["rating"], edits.get("gps_latitude"))
    assert list(told.keywords[:1]) == edits.get("tags", [])
