"""What looks alike is found, once and whoever looks for it; what does not is left alone."""

import asyncio
import random
from itertools import combinations
from uuid import UUID

import pytest

from common import space_queries
from common.db import Pool
from ingest import departure_queries
from ml_dispatcher import likeness
from tests.support import looks, people
from tests.support.given import User
from tests.support.looks import STRONG, pictures, turned, vector
from tests.support.rows import ask, do
from tests.support.waiting import until

PAIRS = "select asset_id, other_id from likeness_pairs order by 1, 2"
WAITING = "select 1 from pg_stat_activity where datname = current_database() and wait_event = 'advisory'"


async def compared(pool: Pool) -> list[tuple[UUID, UUID]]:
    """All pairs, when nothing is due any more."""
    while await likeness.compare(pool):
        pass
    return await ask(pool, PAIRS)


async def test_all_that_differ_in_few_bits_are_found(pool: Pool, user: User) -> None:
    """Every pair of at most six bits, no other, whatever the bits are and whoever looks at the same time."""
    chance = random.Random(7)
    originals = [chance.getrandbits(64) for _ in range(60)]
    hashes = [turned(one, *chance.sample(range(64), count)) for one in originals for count in (0, 2, 3, 4, 6, 7, 8, 12)]
    assets = await pictures(pool, user, *hashes)
    known = {asset: one for asset, one in zip(assets, hashes, strict=True) if 12 <= one.bit_count() <= 52}
    truth = [
        (one, other) for one, other in combinations(sorted(known), 2) if (known[one] ^ known[other]).bit_count() <= 6
    ]

    await asyncio.gather(*(likeness.compare(pool, 100) for _ in range(6)))

    assert len(truth) > 200
    assert await compared(pool) == truth
    assert await ask(pool, "select count(*) from likeness_due") == [0]


async def test_what_is_no_duplicate(pool: Pool, user: User) -> None:
    """Other people's, black frames, covers of recordings, films of other length, raw files and Live Photos."""
    berta = await people.person(pool, "berta")
    await pictures(pool, user, STRONG)
    await pictures(pool, berta, STRONG)
    await pictures(pool, user, 0, 0, 1, None)
    await pictures(pool, user, STRONG, STRONG, kind="audio")
    films = await pictures(pool, user, STRONG >> 8, STRONG >> 8, STRONG >> 8, kind="video")
    both = await pictures(pool, user, STRONG >> 16, STRONG >> 16)
    for film, seconds in zip(films, (60, 60.5, 90), strict=True):
        await do(pool, f"update assets set duration = {seconds} where asset_id = '{film}'")
    for role, asset in zip(("raw", "developed"), both, strict=True):
        await do(
            pool,
            f"insert into stack_keys (owner_id, kind, key, asset_id, role)"
            f" values ({user.user_id}, 'raw', 'k', '{asset}', '{role}')",
        )

    assert await compared(pool) == [(films[0], films[1])]


async def test_vectors_are_the_second_witness(pool: Pool, user: User) -> None:
    """They tell apart what has a like fingerprint by chance, and find what was cut or turned; by an index, too."""
    space = await looks.space(pool)
    hashes = [STRONG, turned(STRONG, 1, 2), turned(STRONG, 3, 4), STRONG >> 5, STRONG >> 9]
    one, like, unlike, cut, other = await pictures(pool, user, *hashes)
    assert await compared(pool) == [(one, like), (one, unlike), (like, unlike)]

    angles = [0, 8, 90, 2, 30]
    await looks.seen(pool, space, [one, like, unlike, cut, other], [vector(angle) for angle in angles])
    expected = [(one, like), (one, cut), (like, cut)]
    assert await compared(pool) == expected

    await do(pool, "delete from likeness_pairs")
    await do(pool, f"insert into likeness_due (asset_id) values ('{one}'), ('{like}'), ('{cut}')")
    await do(
        pool,
        f"create index embeddings_hnsw_{space}_{user.user_id} on embeddings"
        f" using hnsw ((vector::halfvec(4)) halfvec_cosine_ops) where space_id = {space} and owner_id = {user.user_id}",
    )
    assert await compared(pool) == expected


async def test_another_space_compares_everything_anew(pool: Pool, user: User) -> None:
    """What was alike in the old one only is no more, what is in the new one is found, from where somebody broke off."""
    old, new = await looks.space(pool), await looks.space(pool, model="new", state="filling")
    assets = await pictures(pool, user, *[STRONG >> number for number in (0, 5, 9)])
    await looks.seen(pool, old, assets, [vector(angle) for angle in (0, 1, 60)])
    await looks.seen(pool, new, assets, [vector(angle) for angle in (0, 60, 59)])
    assert await compared(pool) == [(assets[0], assets[1])]

    async with pool.connection() as conn:
        await space_queries.make_current(conn, new)
    assert await likeness.compare(pool, 2) == 2
    assert await ask(pool, "select walked_to from likeness_walks") == [assets[1]]

    assert await compared(pool) == [(assets[1], assets[2])]
    assert await ask(pool, "select 1 from likeness_walks") == []


async def test_a_crowd_in_a_space_has_few_pairs_each(pool: Pool, user: User) -> None:
    """However many lie at the same place."""
    chance = random.Random(3)
    assets = await pictures(pool, user, *(chance.getrandbits(64) & 0xFFFF_FFFF_0000_FFFF | 1 << 20 for _ in range(60)))
    await looks.seen(pool, await looks.space(pool), assets, [vector(0)] * 60)

    pairs = await compared(pool)

    assert 59 <= len(pairs) <= 60 * likeness.MOST


async def test_thousands_alike_are_a_chain(pool: Pool, user: User) -> None:
    """A crowd has so many pairs each at most, all of it hangs together, and the picture beside it hangs on it."""
    await pictures(pool, user, *[STRONG] * 2000, turned(STRONG, 5, 6))

    pairs = await compared(pool)

    assert len(pairs) <= 2001 * likeness.MOST
    groups: dict[UUID, UUID] = {}
    for one, other in pairs:
        groups[other] = min(groups.get(one, one), groups.get(other, one))
    assert len(groups) == 2000
    counts = await ask(pool, "select count(*) from likeness_pairs group by asset_id order by 1 desc limit 1")
    assert counts[0] <= 2 * likeness.MOST


async def test_who_breaks_off_leaves_all_due(pool: Pool, user: User) -> None:
    """Nothing is taken out before its pairs are there."""
    assets = await pictures(pool, user, STRONG, turned(STRONG, 9))

    async with pool.connection() as conn:
        await conn.execute("select pg_advisory_xact_lock(hashtextextended('likeness', 0))")
        working = asyncio.create_task(likeness.compare(pool))
        await until(lambda: ask(pool, WAITING))
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working

    assert await ask(pool, "select count(*) from likeness_due") == [2]
    assert await compared(pool) == [tuple(assets)]


async def test_pairs_follow_their_assets(pool: Pool, user: User) -> None:
    """Through another look, a purge and another owner; what was dismissed stays dismissed."""
    berta = await people.person(pool, "berta")
    hashes = [STRONG, STRONG, turned(STRONG, 7), turned(STRONG, 7, 8)]
    first, twin, near, dismissed = await pictures(pool, user, *hashes)
    await compared(pool)
    await do(pool, f"update likeness_pairs set dismissed_at = now() where other_id = '{dismissed}'")

    await do(pool, f"update assets set perceptual_hash = {STRONG >> 7} where asset_id = '{dismissed}'")
    assert await ask(pool, "select count(*), count(dismissed_at) from likeness_pairs") == [(6, 3)]
    await do(pool, f"update assets set perceptual_hash = {looks.signed(hashes[3])} where asset_id = '{dismissed}'")
    await compared(pool)
    assert await ask(pool, "select count(*), count(dismissed_at) from likeness_pairs") == [(6, 3)]

    await do(pool, f"delete from assets where asset_id = '{first}'")
    assert await ask(pool, "select asset_id from likeness_due") == [twin]
    assert (twin, near) in await compared(pool)
    async with pool.connection() as conn:
        await departure_queries.give(conn, [twin, near, dismissed], receiver=berta.user_id)
    await compared(pool)
    assert await ask(pool, "select distinct owner_id from likeness_pairs") == [berta.user_id]
    assert await ask(pool, "select distinct owner_id from likenesses") == [berta.user_id]
