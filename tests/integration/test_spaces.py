"""A new model is filled beside the current one and takes its place when complete; what is old goes."""

import asyncio
from functools import partial

import msgspec

from common.bus import Bus
from common.db import Pool
from ml_dispatcher import filling_queries, spaces
from ml_dispatcher.tasks import Model
from tests.support.given import Repository, User
from tests.support.inference import Fake, served
from tests.support.meaning import pictured, staffed
from tests.support.rows import ask, do
from tests.support.waiting import until

SPACES = "select model, state from embedding_spaces order by space_id"
VECTORS = (
    "select model, count(*), count(distinct asset_id) from embeddings join embedding_spaces using (space_id) group by 1"
)
A_MINUTE_LATER = "update inference_stages set wanted_at = wanted_at - interval '90 s' where filled_at > begun_at"
DAYS_LATER = "update inference_stages set filled_at = filled_at - interval '2 days', begun_at = '2020-01-01'"
WALKED = "select filled_at > begun_at from inference_stages"
OPEN = "select 1 from asset_stages where stage = 'classify' and next_at is not null"
A_DAY_LATER = "update embedding_spaces set since = since - interval '2 days', seen_at = seen_at - interval '2 days'"


async def test_a_new_model_takes_the_place_of_the_old_one_once_it_is_complete(
    pool: Pool, bus: Bus, repository: Repository, user: User
) -> None:
    """Until then the old one counts; afterwards nothing is made for it, and after a day nothing of it is left."""
    for number in range(3):
        await pictured(pool, repository, user, number)
    old, new = Fake(model="old"), Fake(model="new", dimension=4)
    async with served(old), served(new):
        async with staffed(pool, bus, old):
            await until(lambda: ask(pool, f"{VECTORS} having count(*) = 3"), what="the first is filled")
        async with staffed(pool, bus, old, new):
            await until(lambda: has(pool, VECTORS, [("new", 3, 3), ("old", 3, 3)]), what="both are filled")
            assert await ask(pool, SPACES) == [("old", "current"), ("new", "filling")]
            await until(lambda: ask(pool, "select 1 from inference_stages having bool_and(filled_at > begun_at)"))
            await do(pool, A_MINUTE_LATER)
            await until(lambda: has(pool, SPACES, [("old", "retired"), ("new", "current")]), what="it is switched to")
            assert await ask(pool, VECTORS) == [("new", 3, 3), ("old", 3, 3)], "one may go back for a day"

            await pictured(pool, repository, user, 9)
            await do(pool, "update inference_stages set filled_to = null, filled_at = null")
            await until(lambda: has(pool, VECTORS, [("new", 4, 4), ("old", 3, 3)]), what="only the new one is made")
            await do(pool, A_DAY_LATER)
            await until(lambda: has(pool, VECTORS, [("new", 4, 4)]), what="the old one is removed")
            await until(lambda: has(pool, "select stage from inference_stages", ["embed:2"]))
            assert await ask(pool, "select distinct stage from asset_stages where stage like 'embed%'") == ["embed:2"]
            assert await ask(pool, SPACES) == [("old", "retired"), ("new", "current")], "it is not filled again"


async def test_a_model_comes_back_when_the_one_that_replaced_it_is_long_gone(pool: Pool, user: User) -> None:
    """Not while both are served, so that two servers with different models do not take turns for ever."""
    old, new = Model("old", 8), Model("new", 4)
    async with pool.connection() as conn:
        for model in (old, new):
            await spaces.find(conn, model)
    await do(pool, "update embedding_spaces set state = 'retired' where model = 'old'")
    await do(pool, "update embedding_spaces set state = 'current' where model = 'new'")
    await do(pool, "update inference_stages set is_wanted = false where stage = 'embed:1'")

    async with pool.connection() as conn:
        assert await spaces.find(conn, old) is None
        assert await filling_queries.list_walks(conn) == ["embed:2"]
    await do(pool, A_DAY_LATER)
    async with pool.connection() as conn:
        assert (await spaces.find(conn, old)) is not None
        assert await filling_queries.list_walks(conn) == ["embed:1", "embed:2"]
    assert await ask(pool, SPACES) == [("old", "filling"), ("new", "current")]


async def test_a_server_that_changes_its_name_all_the_time_does_not_fill_the_disk(pool: Pool, user: User) -> None:
    """Only so many models are filled at once; a model without a name is none, and the first is current."""
    async with pool.connection() as conn:
        found = [await spaces.find(conn, Model(f"model {number}", 8)) for number in range(9)]
        assert await spaces.find(conn, Model(" ", 8)) is None

    assert [space.state for space in found if space] == ["current", *["filling"] * spaces.MOST_FILLING]


async def test_of_models_that_come_at_once_one_is_current(pool: Pool, user: User) -> None:
    """Whichever dispatchers find them, and however often: each has one space, and the others are filled beside it."""

    async def find(number: int) -> None:
        async with pool.connection() as conn:
            await spaces.find(conn, Model(f"model {number % 3}", 8))

    await asyncio.gather(*(find(number) for number in range(12)))

    states = "select state, count(*) from embedding_spaces group by 1 order by 1"
    assert await ask(pool, states) == [("current", 1), ("filling", 2)]
    assert await ask(pool, "select count(*) from inference_stages where is_wanted") == [3]


async def test_the_walk_makes_what_is_missing_however_often_and_by_whomever(
    pool: Pool, repository: Repository, user: User
) -> None:
    """Assets that are not rendered, or of other kinds, are passed over; no more is made due than can be used soon."""
    rendered = [await pictured(pool, repository, user, number) for number in range(5)]
    other = await pictured(pool, repository, user, 5)
    await do(pool, f"update assets set kind = 'audio' where asset_id = '{other}'")
    await do(pool, f"delete from thumbnails where asset_id = '{rendered[4]}'")
    async with pool.connection() as conn:
        await spaces.find(conn, Model("one", 8))
    walked = [await fill(pool, due=3) for _ in range(3)]
    assert walked == [True, True, None], "three are due, and that is enough"
    walked = [await fill(pool, due=9) for _ in range(3)]
    assert walked == [True, False, None]

    await do(pool, f"delete from asset_stages where stage = 'embed:1' and asset_id = '{rendered[0]}'")
    await do(pool, DAYS_LATER)
    async with pool.connection() as conn:
        await filling_queries.begin_walks(conn, days=1)
    while await fill(pool, due=9):
        pass

    assert await ask(pool, "select asset_id from asset_stages where stage = 'embed:1' order by 1") == sorted(
        rendered[:4]
    )


TOLD = "select model, count(*) from labels group by 1"


def classifier(model: str) -> Fake:
    """A server whose model sees one thing in everything."""
    fake = Fake(tasks=("smart_classify",))
    fake.answers["smart_classify"] = msgspec.json.encode({"labels": [{"label": model, "score": 1}], "model_id": model})
    return fake


async def test_another_model_tells_the_labels_of_all_that_was_there(
    pool: Pool, bus: Bus, repository: Repository, user: User
) -> None:
    """Without anybody asking and once each; the one before it comes back only when that has been gone for a day."""
    for number in range(3):
        await pictured(pool, repository, user, number)
    old, new = classifier("old"), classifier("new")
    async with served(old), served(new):
        async with staffed(pool, bus, old):
            await until(lambda: has(pool, TOLD, [("old", 3)]), what="all have labels")
            await until(lambda: has(pool, WALKED, [True]), what="the first walk is over")
        await do(pool, A_MINUTE_LATER)
        async with staffed(pool, bus, new):
            await until(lambda: has(pool, TOLD, [("new", 3)]), what="all have new labels")
            await until(lambda: has(pool, WALKED, [True]), what="the walk is over")
            await do(pool, "update inference_stages set filled_at = null, filled_to = null")
            await until(lambda: has(pool, WALKED, [True]), what="it walked along them once more")
            assert await ask(pool, OPEN) == [], "nobody is asked twice"
        asked = len(old.seen)
        async with staffed(pool, bus, old):
            await until(lambda: has(pool, f"{TOLD} having count(*) = 1", [("old", 1)]), what="one was looked at again")
        assert (len(old.seen), await ask(pool, "select current_model from inference_stages")) == (asked + 1, ["new"])
        await do(pool, "update inference_stages set current_seen_at = now() - interval '2 days'")
        async with staffed(pool, bus, old):
            await until(lambda: has(pool, TOLD, [("old", 3)]), what="it counts again")
    assert await ask(pool, "select current_model, former_models from inference_stages") == [("old", ["new"])]


async def test_what_a_walk_makes_due_is_begun_at_once(pool: Pool, bus: Bus, repository: Repository, user: User) -> None:
    """Nobody waits for the next look at the rows, which is an hour away."""
    fake = Fake()
    async with served(fake), staffed(pool, bus, fake, poll_seconds=3600) as staff:
        for count in (1, 2):
            await pictured(pool, repository, user, count)
            await do(pool, "update inference_stages set filled_at = null, filled_to = null")
            staff.hired.set()
            is_begun = partial(ask, pool, f"select 1 from embeddings having count(*) = {count}")
            await until(is_begun, what="it is begun")


async def fill(pool: Pool, *, due: int) -> bool | None:
    async with pool.connection() as conn:
        return await filling_queries.fill(conn, "embed:1", most=2, due=due)


async def has(pool: Pool, question: str, answer: list[object]) -> bool:
    """Whether rows are these by now, in any order."""
    return sorted(map(str, await ask(pool, question))) == sorted(map(str, answer))
