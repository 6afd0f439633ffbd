import asyncio
import random

import msgspec
from nats.js.errors import NotFoundError

from common import outbox, streams
from common.bus import Bus
from common.db import Pool
from common.messages import AssetProcessed
from common.outbox import Relay
from tests.support.waiting import until

OWNER = 1


async def unpublished(pool: Pool) -> int:
    async with pool.connection() as conn:
        cursor = await conn.execute("select count(*) from outbox where published_at is null")
        return int((await cursor.fetchall())[0][0])


async def all_published(pool: Pool) -> bool:
    return await unpublished(pool) == 0


def event(number: int) -> AssetProcessed:
    return msgspec.convert({"owner_id": OWNER, "asset_id": f"{number:032x}"}, AssetProcessed)


async def test_late_commits_are_published_too(pool: Pool, bus: Bus) -> None:
    """Ids commit out of order; no row is skipped because a higher one went first, and none is sent twice."""
    relays = [asyncio.create_task(Relay(pool, bus, 0.05).run()) for _ in range(3)]
    source = random.Random(7)

    async def write(writer: int) -> None:
        for batch in range(10):
            async with pool.connection() as conn:
                await outbox.add(conn, *(event(writer * 1000 + batch * 10 + number) for number in range(5)))
                await conn.execute("select pg_sleep(%s)", (source.random() * 0.05,))

    await asyncio.gather(*(write(writer) for writer in range(4)))
    await until(lambda: all_published(pool))
    for relay in relays:
        relay.cancel()

    assert (await bus.js.stream_info(streams.NAME)).state.messages == 4 * 10 * 5


async def test_a_rolled_back_change_announces_nothing(pool: Pool, bus: Bus) -> None:
    """An event exists exactly if its change does."""
    async with pool.connection() as conn:
        await outbox.add(conn, event(1))
        await conn.rollback()

    assert await unpublished(pool) == 0


async def test_publishing_again_is_one_message(pool: Pool, bus: Bus) -> None:
    """A relay that died between publishing and marking is forgiven by the message's id."""
    async with pool.connection() as conn:
        await outbox.add(conn, event(1))
    relaying = asyncio.create_task(Relay(pool, bus, 0.05).run())
    await until(lambda: all_published(pool))

    async with pool.connection() as conn:
        await conn.execute("update outbox set published_at = null")
    await until(lambda: all_published(pool))
    relaying.cancel()

    assert (await bus.js.stream_info(streams.NAME)).state.messages == 1


async def test_the_relay_restores_a_lost_stream(pool: Pool, bus: Bus) -> None:
    """Publishing into nothing creates the stream and goes on."""
    await bus.js.delete_stream(streams.NAME)
    async with pool.connection() as conn:
        await outbox.add(conn, event(1))

    relaying = asyncio.create_task(Relay(pool, bus, 0.05).run())
    await until(lambda: all_published(pool))
    relaying.cancel()

    assert (await bus.js.stream_info(streams.NAME)).state.messages == 1


async def test_a_service_leaves_an_existing_stream_alone(bus: Bus) -> None:
    """Only `lumilio migrate` changes stream and durables, so a rolling update cannot fight over them."""
    await bus.js.update_stream(name=streams.NAME, subjects=["lumilio.>"], max_msgs=12345)

    for _ in range(3):
        await streams.ensure_durable(bus.js, streams.PLACE)

    assert (await bus.js.stream_info(streams.NAME)).config.max_msgs == 12345


async def test_migrating_sets_what_is_declared(bus: Bus) -> None:
    """Stream and durables are declared once, in code."""
    await bus.js.update_stream(name=streams.NAME, subjects=["lumilio.>"], max_msgs=12345)
    await bus.js.delete_consumer(streams.NAME, streams.PLACE.name)

    await streams.migrate(bus.js)

    assert (await bus.js.stream_info(streams.NAME)).config.max_msgs != 12345
    for durable in streams.DURABLES:
        found = (await bus.js.consumer_info(streams.NAME, durable.name)).config
        assert found.filter_subjects == list(durable.subjects)


async def test_a_missing_durable_is_noticed(bus: Bus) -> None:
    """The client says so in a way that the code relies on."""
    await bus.js.delete_consumer(streams.NAME, streams.RENDER.name)

    try:
        await bus.js.consumer_info(streams.NAME, streams.RENDER.name)
    except NotFoundError:
        return
    raise AssertionError("the durable should be gone")
