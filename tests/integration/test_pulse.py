"""The numbers of the whole server are what the rows say, and cheap to ask for."""

import pytest

from common import pulse_queries
from common.db import Pool
from common.pulse_queries import Failed, Meaning, Waiting
from tests.support import placing
from tests.support.given import Repository, User
from tests.support.rows import do

NOTHING = Waiting(count=0, oldest_seconds=0)


async def test_what_is_due_is_counted_by_stage_and_lane(pool: Pool, repository: Repository, user: User) -> None:
    """Neither what is done, blocked or in somebody's hands, nor what is to be tried later."""
    bulk, later, held, _ = [await placing.new_asset(pool, repository, user, number) for number in range(4)]
    await do(pool, "update asset_stages set next_at = now() - interval '10 min' where stage = 'place'")
    await do(pool, f"update asset_stages set lane = 1 where stage = 'place' and asset_id = '{bulk}'")
    await do(
        pool, f"update asset_stages set next_at = now() + interval '1 h' where stage = 'place' and asset_id = '{later}'"
    )
    await do(
        pool,
        f"""
        update asset_stages
        set state = 'running', lease_until = now() + interval '1 min'
        where stage = 'place' and asset_id = '{held}'
        """,
    )

    async with pool.connection() as conn:
        due = await pulse_queries.list_due(conn)

    assert [(one.stage, one.lane, one.due, one.is_paused) for one in due] == [
        ("place", 0, 1, False),
        ("place", 1, 1, False),
    ]
    assert [one.oldest_seconds for one in due] == pytest.approx([600, 600], abs=60)


async def test_a_paused_stage_is_told_as_one(pool: Pool, repository: Repository, user: User) -> None:
    """Its work waits by a person's will."""
    await placing.new_asset(pool, repository, user, 0)
    await do(
        pool,
        f"""
        insert into stage_pauses (stage, paused_by, reason, until)
        values ('place', {user.user_id}, 'a test', now() + interval '1 h')
        """,
    )

    async with pool.connection() as conn:
        assert [one.is_paused for one in await pulse_queries.list_due(conn)] == [True]


async def test_what_was_given_up_is_counted_by_stage(pool: Pool, repository: Repository, user: User) -> None:
    """Of all owners."""
    await placing.new_asset(pool, repository, user, 0)
    await do(
        pool,
        """
        update asset_stages set state = 'failed', next_at = null, error = 'no image', error_class = 'permanent'
        where stage = 'render'
        """,
    )

    async with pool.connection() as conn:
        assert await pulse_queries.list_failed(conn) == [Failed(stage="render", count=1)]


async def test_what_waits_is_counted_with_its_age(pool: Pool, repository: Repository, user: User) -> None:
    """Events, staged uploads and dead letters; where nothing waits, nothing is old."""
    async with pool.connection() as conn:
        assert await pulse_queries.find_unpublished(conn) == NOTHING
        assert await pulse_queries.find_unplaced(conn) == NOTHING
        assert await pulse_queries.find_dead_letters(conn) == NOTHING

    await placing.new_asset(pool, repository, user, 0)
    await do(
        pool, "insert into outbox (subject, body, created_at) values ('lumilio.x', '{}', now() - interval '2 min')"
    )
    await do(pool, "update uploads set created_at = now() - interval '2 min'")
    await do(
        pool,
        """
        insert into dead_letters (subject, body, reason, received_at)
        values ('lumilio.x', '', 'unreadable', now() - interval '2 min')
        """,
    )

    async with pool.connection() as conn:
        found = [
            await pulse_queries.find_unpublished(conn),
            await pulse_queries.find_unplaced(conn),
            await pulse_queries.find_dead_letters(conn),
        ]
    assert [one.count for one in found] == [1, 1, 1]
    assert [one.oldest_seconds for one in found] == pytest.approx([120, 120, 120], abs=60)


async def test_a_repository_tells_what_is_wrong_with_it(pool: Pool, repository: Repository) -> None:
    """That it is away and why, what is damaged in it, what was not compared lately, and that a scan asks."""
    await do(
        pool,
        f"""
        insert into file_records (repository_id, path, size, modified_ns, inode, state, scrubbed_at)
        select '{repository.repository_id}', number::text::bytea, 1, 1, 1, state, now() - days * interval '1 day'
        from (values (1, 'corrupt', 3), (2, 'present', null), (3, 'present', 40), (4, 'present', 3))
             f (number, state, days)
        """,
    )
    await do(pool, "update repositories set state = 'offline', offline_reason = 'the disk is not there'")
    await do(
        pool,
        f"""
        insert into sync_operations (repository_id, reason, state, asks)
        values ('{repository.repository_id}', 'daily', 'asking', 12)
        """,
    )

    async with pool.connection() as conn:
        (tree,) = await pulse_queries.list_trees(conn, days=30)

    assert (tree.state, tree.offline_reason) == ("offline", "the disk is not there")
    assert (tree.corrupt, tree.unverified, tree.overdue, tree.asks) == (1, 1, 1, 12)
    assert tree.oldest_verified_seconds == pytest.approx(40 * 86400, abs=60)


async def test_a_scan_that_was_answered_asks_no_more(pool: Pool, repository: Repository) -> None:
    """A later run over the same folder has seen the truth."""
    for state in ("asking", "done"):
        await do(
            pool,
            f"""
            insert into sync_operations (repository_id, reason, state)
            values ('{repository.repository_id}', 'daily', '{state}')
            """,
        )

    async with pool.connection() as conn:
        assert [tree.asks for tree in await pulse_queries.list_trees(conn, days=30)] == [None]


async def test_how_far_models_are_is_told_by_stage(pool: Pool, repository: Repository, user: User) -> None:
    """What is not added up yet counts, and a server that is there is known."""
    await placing.new_asset(pool, repository, user, 0)
    await do(pool, "insert into embedding_spaces (model, dimension, state) values ('clip', 4, 'current')")
    await do(
        pool, "insert into inference_stages (stage, kinds) select 'embed:' || space_id, '{photo}' from embedding_spaces"
    )
    await do(
        pool,
        """
        insert into stage_count_changes (stage, open, done, failed)
        select stage, 3, 2, 1 from inference_stages
        """,
    )
    await do(
        pool,
        """
        insert into inference_servers (address, dispatcher, is_there, tasks, slots, busy)
        values ('a:1', gen_random_uuid(), true, '{}', 1, 0), ('b:1', gen_random_uuid(), false, '{}', 1, 0)
        """,
    )

    async with pool.connection() as conn:
        (meaning,) = await pulse_queries.list_meaning(conn)
        servers = await pulse_queries.count_servers(conn)

    assert meaning == Meaning(stage=meaning.stage, model="clip", space_state="current", open=3, done=2, failed=1)
    assert servers == {True: 1, False: 1}
