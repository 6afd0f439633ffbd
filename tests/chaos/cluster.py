"""A cluster in small: replicas of every kind, people who send photos to them, and what must be true in the end."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg

from common import db, passwords
from common.db import Pool
from lumilio.verify import verify
from tests.support import databases, given, photos
from tests.support.given import Repository, User
from tests.support.inference import Fake, served
from tests.support.relocating import OPEN
from tests.support.replicas import Fleet, fleet
from tests.support.rows import ask
from tests.support.servers import running_nats, running_postgres
from tests.support.waiting import until

PEOPLE = 4
MOST_WAITING = 30
SETTLE_SECONDS = 900
MOTIFS = [photos.jpeg(160, 120, seed=number) for number in range(50)]
LIKE_A_CLUSTER = {
    "LUMILIO_LEASE_SECONDS": "60",
    "LUMILIO_STOP_SECONDS": "8",
    "LUMILIO_CLEAN_SECONDS": "5",
    "LUMILIO_ABANDONED_SECONDS": "60",
    "LUMILIO_ACCESS_TOKEN_SECONDS": "86400",
}
TO_DO = """
    select (select count(*) from asset_stages where stage in ('place', 'render') and state not in ('done', 'failed'))
         + (select count(*) from uploads where state = 'staged')
"""
UNSEEN = "select count(*) from assets where asset_id not in (select asset_id from embeddings)"
MADE = "select count(distinct asset_id) from thumbnails join embeddings using (asset_id)"
FAILED = "select stage, error_class, error from asset_stages where state = 'failed'"
# Who takes over what another one left running has waited for a lease to run out.
NOTING = """
    create table taken_over (stage text not null);
    create function note_taken_over() returns trigger language plpgsql as $$
    begin
        insert into taken_over (stage) values (new.stage);
        return null;
    end
    $$;
    create trigger taken_over after update on asset_stages for each row
    when (old.state = 'running' and new.state = 'running' and new.lease_epoch > old.lease_epoch)
    execute function note_taken_over();
"""


@dataclass(frozen=True)
class Cluster:
    """The replicas, and what they share."""

    fleet: Fleet
    pool: Pool
    database_url: str
    repository: Repository
    user: User
    model: Fake

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        """Some people send photos meanwhile, each the next one when only few of all wait to be rendered."""
        numbers, stop = count(len(self.fleet.acks)), asyncio.Event()

        async def send() -> None:
            while not stop.is_set():
                number = next(numbers)
                content = MOTIFS[number % len(MOTIFS)] + b"%d" % number
                await self.fleet.send(http, content, f"{number}.jpg")
                await until(self._is_calm, seconds=SETTLE_SECONDS, what="little is left to render")

        async with self.fleet.entered(self.user) as http, asyncio.TaskGroup() as people:
            for _ in range(PEOPLE):
                people.create_task(send())
            yield
            stop.set()

    async def until_sent(self, number: int) -> None:
        """Wait until so many photos were acknowledged."""
        await until(lambda: len(self.fleet.acks) >= number, seconds=SETTLE_SECONDS, what=f"{number} are sent")

    async def until_settled(self) -> None:
        """Every photo has its place, its thumbnails and its vector; nothing failed, and no message was unreadable."""
        await until(self._is_settled, seconds=SETTLE_SECONDS, every=0.5, what="all is done")
        assert await ask(self.pool, FAILED) == []
        assert await ask(self.pool, "select subject, reason from dead_letters") == []
        assert await ask(self.pool, MADE) == [len(self.fleet.acks)]

    async def taken_over(self) -> list[str]:
        """The stages of work that somebody took over from another whose lease had run out."""
        return await ask(self.pool, "select stage from taken_over")

    async def end(self) -> None:
        """All replicas end as they are asked to, and everything is as it was acknowledged."""
        await self.fleet.stop_all()
        said: list[str] = []
        assert await verify(self.database_url, acks=self.fleet.acks, say=said.append), "\n".join(said)

    async def _is_calm(self) -> bool:
        return bool((await ask(self.pool, TO_DO))[0] < MOST_WAITING)

    async def _is_settled(self) -> bool:
        return [*await ask(self.pool, TO_DO), *await ask(self.pool, UNSEEN), *await ask(self.pool, OPEN)] == [0, 0]


@asynccontextmanager
async def running(folder: Path, kinds: Sequence[str], *, release: str = "") -> AsyncIterator[Cluster]:
    """Two replicas of each kind, of another release if its sources are named, on a database of its schema."""
    async with AsyncExitStack() as stack:
        server = await asyncio.to_thread(stack.enter_context, running_postgres(folder))
        nats = stack.enter_context(running_nats(folder))
        url = stack.enter_context(databases.fresh(server, "template1"))
        addresses = {"LUMILIO_DATABASE_URL": url, "LUMILIO_NATS_URL": nats.url}
        of_release = {"PYTHONPATH": release} if release else {}
        await migrate({**addresses, **of_release})
        async with await psycopg.AsyncConnection.connect(url) as conn:
            await conn.execute(NOTING)
        pool = await stack.enter_async_context(db.open_pool(url))
        repository = await given.new_repository(pool, bytes(folder / "repository"))
        user = await given.new_user(pool, "anna", "a password", password_hash=passwords.hashed("a password"))
        model = await stack.enter_async_context(served(Fake(slots=8)))
        environment = {**LIKE_A_CLUSTER, **addresses, "LUMILIO_INFERENCE_SERVERS": model.address, **of_release}
        logs = folder / "log"
        logs.mkdir()
        found = await stack.enter_async_context(fleet(kinds, logs, environment))
        yield Cluster(found, pool, url, repository, user, model)


async def migrate(environment: dict[str, str]) -> None:
    """`lumilio migrate`, of the release that the environment names."""
    command = [sys.executable, "-m", "lumilio", "migrate"]
    ran = await asyncio.to_thread(
        subprocess.run, command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
