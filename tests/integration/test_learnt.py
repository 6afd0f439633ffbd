"""A label that somebody taught is said of what shows the same: of all there is and will be, and of nothing else."""

import asyncio
from typing import NamedTuple
from uuid import UUID

import numpy as np
import pytest

from common.db import Pool
from gateway.queries import labels as taught_labels
from ingest import departure_queries
from ml_dispatcher import label_queries, learnt, learnt_queries, queries
from ml_dispatcher.label_queries import Said
from ml_dispatcher.queries import Label, Labelled
from tests.support import looks, people
from tests.support.given import User
from tests.support.rows import ask, do
from tests.support.waiting import until

SAID = "select asset_id from labels where label = 'garden' and source = 'learnt' order by 1"
STATE = "select state, error, done, total from learnt_labels order by label_id"
WAITING = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
GARDENS, OTHERS, DIMENSION = 60, 240, 32


def directions(count: int, *, of: int, turn: int = 0) -> list[str]:
    """Vectors around one axis of a space, as it is turned."""
    found = np.random.default_rng(count).normal(size=(count, DIMENSION)) * 0.05
    found[:, (of + turn) % DIMENSION] += 1
    return [str((one / np.linalg.norm(one)).tolist()) for one in found]


class Library(NamedTuple):
    """Pictures of gardens and of other things, and a space in which they lie."""

    gardens: list[UUID]
    others: list[UUID]
    space: int


@pytest.fixture
async def library(pool: Pool, user: User) -> Library:
    made = await looks.pictures(pool, user, *[None] * (GARDENS + OTHERS))
    others = [one for number, one in enumerate(made) if number % 5]
    library = Library(made[::5], others, await looks.space(pool, dimension=DIMENSION))
    await see(pool, library, library.space)
    return library


async def see(pool: Pool, library: Library, space: int, *, turn: int = 0) -> None:
    await looks.seen(pool, space, library.gardens, directions(GARDENS, of=0, turn=turn))
    for axis in range(6):
        part = library.others[axis::6]
        await looks.seen(pool, space, part, directions(len(part), of=axis + 1, turn=turn))
    await do(pool, "delete from learnt_due")


async def teach(pool: Pool, user: User, examples: list[UUID], counters: list[UUID], label: str = "garden") -> int:
    (label_id,) = await ask(
        pool, f"insert into learnt_labels (owner_id, label) values ({user.user_id}, '{label}') returning label_id"
    )
    for asset in (*examples, *counters):
        await do(pool, f"insert into learnt_examples values ({label_id}, '{asset}', {asset in examples})")
    return int(label_id)


async def learn_all(pool: Pool) -> None:
    while await learnt.learn_next(pool, asyncio.Event()):
        pass


async def test_a_label_is_said_of_all_that_shows_it(pool: Pool, user: User, library: Library) -> None:
    """Of what comes later, too; what a person said of a picture stays; where a model says the same the surer counts."""
    dull, *_, odd = library.gardens
    sure = library.gardens[7]
    away = await people.person(pool, "berta")
    theirs = await looks.pictures(pool, away, None)
    await looks.seen(pool, library.space, theirs, directions(1, of=0))
    for asset, score in ((dull, 0.3), (sure, 1.0)):
        await said_by_a_model(pool, asset, score)
    await teach(pool, user, library.gardens[1:7], [odd])

    await learn_all(pool)

    assert await ask(pool, STATE) == [("ready", None, 300, 300)]
    assert await ask(pool, SAID) == [one for one in library.gardens[:-1] if one != sure]
    scores = "select min(score) >= 0.5, max(score) = 1, max(model) from labels where source = 'learnt'"
    assert await ask(pool, scores) == [(True, True, "tiny")]
    assert await ask(pool, f"select score::text, source from lesser_labels where asset_id = '{dull}'") == [
        ("0.3", "smart_classify")
    ]
    assert await ask(pool, f"select score::text, source from labels where asset_id = '{sure}'") == [
        ("1", "smart_classify")
    ]
    new = await looks.pictures(pool, user, None, None)
    await looks.seen(pool, library.space, new, [*directions(1, of=0), *directions(1, of=3)])
    assert await learnt.apply_due(pool) == 3
    assert await ask(pool, SAID) == [*(one for one in library.gardens[:-1] if one != sure), new[0]]


async def said_by_a_model(pool: Pool, asset: UUID, score: float) -> None:
    await do(
        pool,
        f"insert into labels (asset_id, label, owner_id, sort_at, score, source)"
        f" select asset_id, 'garden', owner_id, sort_at, {score}, 'smart_classify'"
        f" from assets where asset_id = '{asset}'",
    )


def seen(asset: UUID, *labels: Label) -> Labelled:
    return Labelled(asset_id=asset, source="classify", model="bio", labels=labels)


async def test_a_word_is_kept_by_whoever_says_it_last(pool: Pool, user: User, library: Library) -> None:
    """A model that says it no longer, and a person who teaches it no longer, leave what the other says."""
    asset, other, *_ = library.gardens
    await teach(pool, user, library.gardens[1:7], [])
    await learn_all(pool)
    said = f"select source, round(score::numeric, 1)::float8 from labels where asset_id = '{asset}' order by 1"
    for score in (1.0, 0.6):
        for labels in ([Label(label="garden", score=score)], []):
            async with pool.connection() as conn:
                await queries.save_labels(conn, [seen(asset, *labels)])
            expected = "classify" if labels and score == 1.0 else "learnt"
            assert [row[0] for row in await ask(pool, said)] == [expected], (score, labels)
    async with pool.connection() as conn:
        await queries.save_labels(conn, [seen(asset, Label(label="garden", score=0.6))])
        await queries.save_labels(conn, [seen(other, Label(label="garden", score=1))])
        assert await taught_labels.forget(
            conn, (await ask(pool, "select label_id from learnt_labels"))[0], owner=user.user_id
        )

    everything = "select asset_id, source, round(score::numeric, 1)::float8 from labels order by 1"
    assert await ask(pool, everything) == [(asset, "classify", 0.6), (other, "classify", 1.0)]
    assert await ask(pool, "select 1 from lesser_labels") == []


async def test_what_is_forgotten_does_not_come_back(pool: Pool, user: User) -> None:
    """A model that says the same word in this very moment leaves nothing behind it of what was taught."""
    (asset,) = await looks.pictures(pool, user, None)
    label = await teach(pool, user, [asset], [])
    async with pool.connection() as conn:
        learnt_before = [Said(asset, "garden", 0.9)]
        await label_queries.say(conn, learnt_before, owner=user.user_id, source="learnt", model="tiny")

    async def forget() -> None:
        async with pool.connection() as conn:
            assert await taught_labels.forget(conn, label, owner=user.user_id)

    async with pool.connection() as conn:
        await queries.save_labels(conn, [seen(asset, Label(label="garden", score=1.0))])
        forgetting = asyncio.create_task(forget())
        await until(lambda: ask(pool, WAITING))
    await forgetting

    assert await ask(pool, "select source from labels") == ["classify"]
    assert await ask(pool, "select 1 from lesser_labels") == []


async def test_new_pictures_are_held_in_the_order_of_their_ids(pool: Pool, user: User) -> None:
    """Whoever has them, as those hold them who save what a model says of several."""
    space = await looks.space(pool, dimension=DIMENSION)
    berta = await people.person(pool, "berta")
    first, last = [(await looks.pictures(pool, owner, None))[0] for owner in (berta, user)]
    await looks.seen(pool, space, [first, last], directions(2, of=0))
    for owner in (user, berta):
        await do(
            pool,
            f"insert into learnt_labels (owner_id, label, state, space_id, weights)"
            f" values ({owner.user_id}, 'garden', 'ready', {space}, decode('{bytes(4 * DIMENSION + 4).hex()}', 'hex'))",
        )

    async with pool.connection() as conn:
        await conn.execute("select from assets where asset_id = %s for update", (first,))
        applying = asyncio.create_task(learnt.apply_due(pool))
        await until(lambda: ask(pool, WAITING))
        await conn.execute("select from assets where asset_id = %s for update nowait", (last,))
    assert await applying == 2


async def test_services_of_before_go_on(pool: Pool, user: User, library: Library) -> None:
    """Their statements run while others are newer, and what they outdo is kept for when they take it back."""
    asset = library.gardens[0]
    await teach(pool, user, library.gardens[:6], [])
    await learn_all(pool)
    for said in ("('garden', 2.0), ('dog', 0.1)", "('dog', 0.2)"):
        await do(pool, f"delete from labels where asset_id = '{asset}' and source = 'classify'")
        await do(
            pool,
            f"""
            insert into labels as l (asset_id, label, owner_id, sort_at, score, source, model)
            select asset_id, seen.label, owner_id, sort_at, seen.score, 'classify', 'bio'
            from assets, (values {said}) seen (label, score)
            where asset_id = '{asset}'
            on conflict (asset_id, label) do update
            set score = excluded.score, source = excluded.source, model = excluded.model
            where excluded.score > l.score
            """,
        )

    sources = f"select label, source from labels where asset_id = '{asset}' order by 1"
    assert await ask(pool, sources) == [("dog", "classify"), ("garden", "learnt")]
    assert await ask(pool, "select 1 from lesser_labels") == []


async def test_what_cannot_be_learnt_yet_waits_and_says_why(pool: Pool, user: User) -> None:
    """Until a model has looked at enough pictures; nothing is counted, nobody need ask again."""
    assets = await looks.pictures(pool, user, *[None] * 12)
    await teach(pool, user, assets[:6], [])
    await learn_all(pool)
    assert "an inference server" in (await ask(pool, STATE))[0][1]

    space = await looks.space(pool, dimension=DIMENSION)
    await looks.seen(pool, space, assets[:4], directions(4, of=0))
    await do(pool, "update learnt_labels set turn_at = now()")
    await learn_all(pool)
    assert (await ask(pool, STATE))[0][:2] == (
        "waiting",
        "4 of its examples and 0 other pictures have been looked at: 5 of each are needed",
    )

    await looks.seen(pool, space, assets[4:], [*directions(2, of=0), *directions(6, of=1)])
    await do(pool, "update learnt_labels set turn_at = now()")
    await learn_all(pool)
    assert (await ask(pool, STATE), await ask(pool, SAID)) == ([("ready", None, 12, 12)], assets[:6])


async def test_who_dies_is_followed_where_they_stood(
    pool: Pool, user: User, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By another one, when the lease is over; who comes back late writes nothing."""
    monkeypatch.setattr(learnt, "BATCH", 50)
    await teach(pool, user, library.gardens[:6], [])
    async with pool.connection() as conn:
        late = await learnt_queries.claim(conn, lease_seconds=60)
    assert late is not None
    taught = await learnt._learn(pool, late)
    for _ in range(2):
        assert await learnt._apply_some(pool, late, taught)
    assert not await learnt.learn_next(pool, asyncio.Event())
    await do(pool, "update learnt_labels set lease_until = now()")

    assert await learnt.learn_next(pool, asyncio.Event())

    with pytest.raises(learnt.Lost):
        await learnt._lesson(pool, late)
    assert (await ask(pool, STATE), await ask(pool, SAID)) == ([("ready", None, 300, 300)], library.gardens)


async def test_who_is_told_to_stop_is_followed_at_once(pool: Pool, user: User, library: Library) -> None:
    """Nobody waits for the end of a lease then."""
    await teach(pool, user, library.gardens[:6], [])
    stop = asyncio.Event()
    stop.set()

    assert await learnt.learn_next(pool, stop)
    assert await ask(pool, STATE) == [("applying", None, 0, 300)]
    assert await learnt.learn_next(pool, asyncio.Event())

    assert (await ask(pool, STATE), await ask(pool, SAID)) == ([("ready", None, 300, 300)], library.gardens)


async def test_another_space_is_learnt_anew(pool: Pool, user: User, library: Library) -> None:
    """As soon as it counts, each label by one dispatcher only, however many there are."""
    for number in range(4):
        await teach(pool, user, library.gardens[number * 5 : number * 5 + 6], [], f"garden {number}")
    await asyncio.gather(*(learn_all(pool) for _ in range(3)))
    assert [row[:2] for row in await ask(pool, STATE)] == [("ready", None)] * 4
    space = await looks.space(pool, dimension=DIMENSION, model="other", state="filling")
    await see(pool, library, space, turn=9)
    assert not await learnt.learn_next(pool, asyncio.Event())

    await do(pool, f"update embedding_spaces set state = 'retired' where space_id = {library.space}")
    await do(pool, f"update embedding_spaces set state = 'current' where space_id = {space}")
    await asyncio.gather(*(learn_all(pool) for _ in range(3)))

    assert await ask(pool, "select distinct state, space_id, done from learnt_labels") == [("ready", space, 300)]
    said = "select label, model, array_agg(asset_id order by asset_id) from labels group by 1, 2 order by 1"
    assert await ask(pool, said) == [(f"garden {number}", "other", library.gardens) for number in range(4)]


async def test_what_is_taught_stays_with_who_taught_it(pool: Pool, user: User, library: Library) -> None:
    """What another person gets of it has their labels, not those of who had it before."""
    berta = await people.person(pool, "berta")
    await teach(pool, user, library.gardens[:6], [])
    await learn_all(pool)
    given = library.gardens[10:20]

    async with pool.connection() as conn:
        await departure_queries.give(conn, given, receiver=berta.user_id)

    assert await ask(pool, SAID) == [one for one in library.gardens if one not in given]
    assert await learnt.apply_due(pool) == 10
    assert await ask(pool, SAID) == [one for one in library.gardens if one not in given]
