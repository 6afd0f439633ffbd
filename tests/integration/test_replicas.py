"""Several of each service share one database and one bus, and each may be replaced at any time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import psycopg
import pytest

from common.db import Pool
from lumilio import verify
from tests.support.given import Repository, User
from tests.support.placing import PHOTO, paths
from tests.support.relocating import OPEN, wish
from tests.support.replicas import Fleet, fleet
from tests.support.rows import ask
from tests.support.waiting import until

SERVICES = ("gateway", "ingest")
PLACED = "select count(*) from uploads where state = 'staged'"
HELD = """
    select stage from asset_stages where state = 'running'
    union all
    select name from leases where lease_until > now() and name <> 'daily clean-up'
"""
NEWER = """
    create table of_a_later_release (asset_id uuid references assets on delete cascade, word text not null);
    alter table assets add column of_a_later_release text;
    alter table file_records add column of_a_later_release int not null default 0;
    alter table uploads add column of_a_later_release timestamptz;
    alter table asset_stages add column of_a_later_release jsonb;
    create index indexed_by_a_later_release on file_records (of_a_later_release);
    insert into migrations (number, name, digest) values (9999, '9999_of_a_later_release.sql', '');
"""


@pytest.mark.timeout(300)
async def test_replicas_are_replaced_while_people_send_and_lose_nothing(
    pool: Pool, database_url: str, nats_url: str, repository: Repository, user: User
) -> None:
    """Whoever is asked to end leaves nothing that others had to wait for; all that was acknowledged has its place.

    Meanwhile the inbox is ordered anew, and in the end all lies in the new order.
    """
    async with fleet(SERVICES, LUMILIO_DATABASE_URL=database_url, LUMILIO_NATS_URL=nats_url) as found:
        async with sending(found, pool, user) as sent:
            await wish(pool, repository, "flat")
            for name in SERVICES:
                await found.replace(name)
        await until(lambda: is_placed(pool), seconds=60)
        await until(lambda: is_ordered(pool), seconds=60)
        for name in ("gateway", "gateway", "ingest", "ingest"):
            await found.stop(name)

    assert await ask(pool, HELD) == []
    assert sorted(paths(repository).values()) == sorted(sent)
    assert all("/" not in path for path in paths(repository))
    assert await verify.verify(database_url, acks=found.acks)


async def test_services_work_on_when_a_newer_release_has_migrated_their_database(
    pool: Pool, database_url: str, nats_url: str, repository: Repository, user: User
) -> None:
    """What they do not know comes while they work: columns, tables, an index; and one more of theirs starts as well."""
    async with fleet(SERVICES, each=1, LUMILIO_DATABASE_URL=database_url, LUMILIO_NATS_URL=nats_url) as found:
        async with sending(found, pool, user) as sent:
            async with await psycopg.AsyncConnection.connect(database_url) as conn:
                await conn.execute(NEWER)
            known = len(sent)
            await until(lambda: len(sent) > known + 5, seconds=60)
            await found.replace("ingest")
        await until(lambda: is_placed(pool), seconds=60)

    assert sorted(paths(repository).values()) == sorted(sent)
    assert await verify.verify(database_url, acks=found.acks)


@asynccontextmanager
async def sending(found: Fleet, pool: Pool, user: User) -> AsyncIterator[list[bytes]]:
    """Two people send photos meanwhile, the next one when all have their place; what was acknowledged."""
    numbers, sent, stop = count(), list[bytes](), asyncio.Event()

    async def send() -> None:
        while not stop.is_set():
            number = next(numbers)
            content = PHOTO + b"%d" % number
            await found.send(http, content, f"{number}.jpg")
            sent.append(content)
            await until(lambda: is_placed(pool), seconds=60)

    async with found.entered(user) as http, asyncio.TaskGroup() as people:
        for _ in range(2):
            people.create_task(send())
        await until(lambda: sent, seconds=60)
        yield sent
        stop.set()


async def is_placed(pool: Pool) -> bool:
    return await ask(pool, PLACED) == [0]


async def is_ordered(pool: Pool) -> bool:
    return not await ask(pool, OPEN)
