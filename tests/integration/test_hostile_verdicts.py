"""What no careful reader can show is kept and explained once; what stands beside a good picture costs it nothing."""

from collections.abc import Callable

from common.bus import Bus
from common.db import Pool
from common.stages import Stage
from processor.handlers import Processor
from processor.sandbox import Sandbox
from tests.support import heavy, hostile, photos, placing
from tests.support.given import Repository, User
from tests.support.rows import ask, claim, row
from tests.support.waiting import until
from tests.support.working import rendering

MOST_SAID = 64 << 10
SHOWN = {name for name, (_, _, verdict) in hostile.BOMBS.items() if verdict == "32 x 32"}
REFUSED: dict[str, Callable[[], bytes]] = heavy.CUT | {
    name: make for name, (_, make, _) in hostile.BOMBS.items() if name not in SHOWN
}


async def test_what_cannot_be_shown_is_kept_and_explained(
    pool: Pool, bus: Bus, repository: Repository, user: User, box: Sandbox
) -> None:
    """Each such file ends as failed for good at the first look, with a sentence; its bytes stay, and others go on."""
    files = {name: make() for name, make in REFUSED.items()}
    bad = {name: await placing.placed(pool, repository, user, content) for name, content in files.items()}
    good = await placing.placed(pool, repository, user, photos.jpeg(80, 60))

    async def settled() -> bool:
        waiting = "select 1 from asset_stages where stage = 'render' and state not in ('done', 'failed')"
        return not await ask(pool, waiting)

    async with rendering(pool, bus, Processor(pool, box).render, lease_seconds=60):
        await until(settled, seconds=120)

    for name, asset in bad.items():
        found = await row(pool, asset, Stage.RENDER)
        assert (found["state"], found["error_class"], found["deaths"]) == ("failed", "permanent", 0), name
        assert len(found["error"].split()) > 3, name
    assert (await row(pool, good, Stage.RENDER))["state"] == "done"
    assert set(files.values()) < set(placing.originals(repository).values())


async def test_too_much_beside_a_picture_costs_it_nothing(
    pool: Pool, repository: Repository, user: User, box: Sandbox
) -> None:
    """A photo is shown however much stands beside its pixels, and no more of that is kept than anybody would write."""
    files = {name: make() for name, make in heavy.HEAVY.items()}
    processor = Processor(pool, box)

    for name, content in files.items():
        asset = await placing.placed(pool, repository, user, content)
        await processor.render(await claim(pool, Stage.RENDER))
        assert (await row(pool, asset, Stage.RENDER))["state"] == "done", name

    assert await ask(pool, "select distinct width || ' x ' || height from assets") == ["480 x 320"]
    assert await ask(pool, "select count(*) from thumbnails") == [3 * len(files)]
    assert await ask(pool, "select count(*) from assets where taken_at is not null") == [0]
    assert await ask(pool, "select count(*) from renditions") == [0]
    assert (await ask(pool, "select max(length(facts::text) + length(notes::text)) from asset_metadata"))[0] < MOST_SAID
    assert sorted(placing.originals(repository).values()) == sorted(files.values())


async def test_what_cannot_be_true_is_noted(pool: Pool, repository: Repository, user: User, box: Sandbox) -> None:
    """Whoever wonders why a photo has no date or no place finds in the catalogue what was not believed."""
    names = ("year 0", "year 9999", "no number", "no number in a TIFF")
    for name in names:
        asset = await placing.placed(pool, repository, user, hostile.LIARS[name]())
        await Processor(pool, box).render(await claim(pool, Stage.RENDER))
        notes = await ask(pool, f"select notes::text from asset_metadata where asset_id = '{asset}'")
        assert "DateTimeOriginal" in notes[0], name
        assert "GPSLatitude" in notes[0], name

    assert await ask(
        pool, "select count(*) from asset_metadata where facts ? 'gps_latitude' or facts ? 'f_number'"
    ) == [0]
