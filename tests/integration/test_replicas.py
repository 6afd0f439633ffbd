"""Several of each service share one database and one bus, and each may be replaced at any time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import pytest

from common import migrate
from common.db import Pool
from common.migrate import Migration
from ingest.handlers import Ingest
from lumilio import verify
from tests.support import photos
from tests.support.forked import KINDS
from tests.support.given import Repository, User
from tests.support.inference import EMBED_IMAGE, Fake, served
from tests.support.placing import paths, placed
from tests.support.relocating import fed, wish, worked_off
from tests.support.replicas import Fleet, fleet
from tests.support.rows import ask, expire
from tests.support.waiting import until

PHOTO = photos.jpeg(64, 48)
PLACED = "select count(*) from uploads where state = 'staged'"
UNSEEN = "select count(*) from assets where asset_id not in (select asset_id from embeddings)"
MADE = "select count(distinct asset_id) from thumbnails join embeddings using (asset_id)"
REPEATED = "select stage, state, lease_epoch, deaths, failures from asset_stages where lease_epoch > 1"
HELD = """
    select stage from asset_stages where state = 'running'
    union all
    select name from leases where lease_until > now() and name not like 'daily %'
"""
BLOCKED = "from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
NEWER = """
    create table of_a_later_release (asset_id uuid references assets on delete cascade, word text not null);
    alter table assets add column of_a_later_release text;
    alter table file_records add column of_a_later_release int not null default 0;
    alter table uploads add column of_a_later_release timestamptz;
    alter table asset_stages add column of_a_later_release jsonb;
    create index indexed_by_a_later_release on file_records (of_a_later_release);
"""


@pytest.fixture
def shared(database_url: str, nats_url: str) -> dict[str, str]:
    """What all replicas share."""
    return {"LUMILIO_DATABASE_URL": database_url, "LUMILIO_NATS_URL": nats_url}


@pytest.mark.timeout(600)
async def test_one_of_each_kind_is_replaced_while_people_send_and_nothing_is_lost_or_done_twice(
    pool: Pool, database_url: str, shared: dict[str, str], repository: Repository, user: User, tmp_path: Path
) -> None:
    """Each photo gets its place, its thumbnails and its vector at the first try; who ends holds nothing any more."""
    async with (
        served(Fake()) as model,
        fleet(KINDS, tmp_path, {**shared, "LUMILIO_INFERENCE_SERVERS": model.address}) as found,
    ):
        async with sending(found, pool, user) as sent:
            for kind in KINDS:
                await found.replace(kind)
        await until(lambda: is_none(pool, UNSEEN), seconds=120)
        await found.stop_all()

    assert await ask(pool, HELD) == []
    assert await ask(pool, REPEATED) == []
    assert await ask(pool, MADE) == [len(sent)]
    assert len(model.asked[EMBED_IMAGE]) == len(sent)
    assert sorted(paths(repository).values()) == sorted(sent)
    assert await verify.verify(database_url, acks=found.acks)


@pytest.mark.timeout(300)
async def test_who_is_killed_amid_moves_leaves_them_to_another(
    pool: Pool,
    database_url: str,
    shared: dict[str, str],
    repository: Repository,
    user: User,
    ingest: Ingest,
    tmp_path: Path,
) -> None:
    """Files have their new place and no row says so: another ingest finds them there, and all others follow."""
    sent = [PHOTO + b"%d" % number for number in range(8)]
    for number, content in enumerate(sent):
        await placed(pool, repository, user, content, f"{number}.jpg")
    await wish(pool, repository, "flat")
    await fed(pool)

    async with (
        fleet(["ingest"], tmp_path, shared, each=1) as found,
        pool.connection() as conn,
    ):
        await conn.execute("select from moves for update")

        async def is_amid() -> bool:
            (settled,) = await ask(pool, "select count(*) from moves where state <> 'due'")
            return bool(sum("/" not in path for path in paths(repository)) > settled)

        await until(is_amid, seconds=60, what="a file has its new place and no row says so")
        await found.kill("ingest")
        await conn.execute(f"select pg_terminate_backend(pid) {BLOCKED}".encode())
    assert await is_amid()
    await expire(pool)
    await worked_off(pool, ingest)

    assert paths(repository) == {f"{number}.jpg": content for number, content in enumerate(sent)}
    assert await verify.verify(database_url)


@pytest.mark.timeout(300)
async def test_services_work_on_when_a_newer_release_has_migrated_their_database(
    pool: Pool,
    database_url: str,
    shared: dict[str, str],
    repository: Repository,
    user: User,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """What they do not know comes while they work: columns, tables, an index; and one more of theirs starts as well."""
    async with fleet(["gateway", "ingest"], tmp_path, shared, each=1) as found:
        async with sending(found, pool, user) as sent:
            monkeypatch.setattr(migrate, "available", lambda: [Migration(9999, "9999_later.sql", NEWER)])
            await migrate.migrate(database_url)
            known = len(sent)
            await until(lambda: len(sent) > known + 5, seconds=60)
            await found.replace("ingest")
        await until(lambda: is_none(pool, PLACED), seconds=60)

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
            await until(lambda: is_none(pool, PLACED), seconds=60)

    async with found.entered(user) as http, asyncio.TaskGroup() as people:
        for _ in range(2):
            people.create_task(send())
        await until(lambda: sent, seconds=60)
        yield sent
        stop.set()


async def is_none(pool: Pool, question: str) -> bool:
    """Whether it counts nothing."""
    return await ask(pool, question) == [0]
