"""Whatever a file is, it is kept as it came, it hurts nobody, and somebody can read why it has no picture."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from blake3 import blake3

from common import formats, sniff
from common.bus import Bus
from common.db import Pool
from common.stages import MAX_DEATHS, Claim, Stage
from processor import sandbox
from processor.handlers import Processor
from processor.sandbox import Sandbox
from tests.support import escapes, hostile, photos, placing
from tests.support.gateway import rows, serving, staged
from tests.support.given import Repository, User
from tests.support.rows import ask, claim, row
from tests.support.waiting import until
from tests.support.working import rendering

MODULES = (*sandbox.DECODERS, "tests.support.escapes", "tests.support.brittle")
MOST_MEMORY = 512 << 20


@pytest.fixture
async def box() -> AsyncIterator[Sandbox]:
    async with sandbox.open(2, modules=MODULES) as opened:
        yield opened


async def test_bombs_are_judged_by_their_heads(box: Sandbox, tmp_path: Path) -> None:
    """Files that say or hold more than a picture can are refused or shown by their first picture, for little memory."""
    path, memory = tmp_path / "bomb", {}

    for name, (mime, make, verdict) in hostile.BOMBS.items():
        path.write_bytes(make())
        said, memory[name] = await box.run(escapes.judged, path, mime, owner=1)
        assert verdict in said, name

    assert {name for name, taken in memory.items() if taken > MOST_MEMORY} == set()


async def test_two_things_at_once_are_what_they_start_as(box: Sandbox, tmp_path: Path) -> None:
    """A picture with a page, a program or another picture behind it is decoded as what it starts as, or not at all."""
    path = tmp_path / "photo"

    for name, content in hostile.polyglots().items():
        path.write_bytes(content)
        known = sniff.sniff(content[: sniff.HEAD_BYTES])
        assert known is not None, name
        assert known.extension == name.split()[-1]
        verdict, _ = await box.run(escapes.judged, path, known.mime_type, owner=1)
        assert verdict == "480 x 320", name


async def test_two_things_at_once_are_kept_as_they_came(pool: Pool, repository: Repository, user: User) -> None:
    """The gateway stores such files byte for byte, calls them what they start as, and lets no browser run them."""
    files = hostile.polyglots()
    async with serving(pool) as api:
        await api.login(user.username, user.password)

        for name, content in files.items():
            answer = await api.uploaded(content, name=f"{name}.html")
            served = await api.client.get(f"/api/v1/assets/{answer['asset_id']}/original")
            assert served.content == content
            assert served.headers["content-type"].startswith("image/")
            assert served.headers["x-content-type-options"] == "nosniff"
            assert "sandbox" in served.headers["content-security-policy"]

    assert {blake3(path.read_bytes()).digest() for path in staged(repository)} == {
        blake3(content).digest() for content in files.values()
    }
    stills = [known.mime_type for known in formats.STILLS]
    types = await rows(pool, "select mime_type, count(*) from assets group by mime_type")
    assert dict(types) == dict.fromkeys(stills, len(files) / len(stills))


async def test_lies_beside_a_picture_cost_it_nothing(
    pool: Pool, repository: Repository, user: User, box: Sandbox
) -> None:
    """A photo is shown whatever its metadata claims; what cannot be true is left out, and the database has the rest."""
    processor = Processor(pool, box)
    files = {name: make() for name, make in hostile.LIARS.items()}
    for content in files.values():
        await placing.placed(pool, repository, user, content)

    for _ in files:
        await processor.render(await claim(pool, Stage.RENDER))

    assert await ask(pool, "select distinct width || ' x ' || height from assets") == ["480 x 320"]
    assert await ask(pool, "select count(*) from thumbnails") == [3 * len(files)]
    assert await ask(pool, "select count(*) from assets where taken_at is not null") == [0]
    assert await ask(
        pool, "select max(length(facts ->> 'description')), count(facts ->> 'gps_latitude') from asset_metadata"
    ) == [(2048, 0)]
    assert sorted(placing.originals(repository).values()) == sorted(files.values())


async def test_a_file_that_kills_is_given_up_and_kept(
    pool: Pool, bus: Bus, repository: Repository, user: User, box: Sandbox
) -> None:
    """A file that ends its decoder is tried three times, explained and kept; the photos beside it are ready as ever."""
    bad = hostile.photo(comment=b"please crash")
    deadly = await placing.placed(pool, repository, user, bad)
    good = [await placing.placed(pool, repository, user, photos.jpeg(80, 60, seed=seed)) for seed in range(5)]
    attempts: list[UUID] = []

    async def counted(claimed: Claim) -> None:
        attempts.append(claimed.asset_id)
        await Processor(pool, box).render(claimed)

    async def failed() -> bool:
        async with pool.connection() as conn:
            await conn.execute("update asset_stages set next_at = now() where next_at is not null")
        return bool((await row(pool, deadly, Stage.RENDER))["state"] == "failed")

    async with rendering(pool, bus, counted):
        await until(failed)

    found = await row(pool, deadly, Stage.RENDER)
    assert (found["error_class"], found["error"]) == ("poison", "crashed (SIGSEGV)")
    assert attempts.count(deadly) == MAX_DEATHS
    assert sorted(attempts) == sorted([deadly] * MAX_DEATHS + good)
    assert [(await row(pool, asset, Stage.RENDER))["state"] for asset in good] == ["done"] * 5
    assert bad in placing.originals(repository).values()
