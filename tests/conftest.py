"""What tests stand on: a real Postgres, a real NATS, a repository on the disk, a user."""

import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from uuid import UUID

import nats
import pytest
from nats.js.errors import NotFoundError

from common import bus as buses
from common import db, passwords, streams
from common.bus import Bus
from common.db import Pool
from ingest.handlers import Ingest
from lumilio.nats_server import NatsServer
from lumilio.postgres import Postgres
from lumilio.verify import verify
from tests.support import containers, databases, given, memory, placing
from tests.support.gateway import Api, serving
from tests.support.given import Repository, User
from tests.support.recorder import Recorder
from tests.support.scanning import Disk
from tests.support.servers import running_nats, running_postgres
from tests.support.waiting import until


def pytest_collection_finish() -> None:
    """What is loaded by now stays, so nobody need look through it for garbage, nor copy it who is forked."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """One server per process of the test run, with a migrated template database."""
    with (
        memory.folder(tmp_path_factory.mktemp("postgres")) as folder,
        containers.running_postgres() if containers.wanted() else running_postgres(folder) as server,
    ):
        databases.make_template(server)
        yield server


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """One server per process of the test run."""
    with (
        memory.folder(tmp_path_factory.mktemp("nats")) as folder,
        containers.running_nats() if containers.wanted() else running_nats(folder) as server,
    ):
        yield server


@pytest.fixture
def empty_database_url(postgres: Postgres) -> Iterator[str]:
    """A database without any table."""
    with databases.fresh(postgres, "template1") as url:
        yield url


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    """A migrated database of this test alone."""
    with databases.fresh(postgres) as url:
        yield url


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """Connections to the test's database, as services have them."""
    async with db.open_pool(database_url) as opened:
        yield opened


@pytest.fixture
async def nats_url(nats_server: NatsServer) -> str:
    """A server with the declared stream and durables, and no message in it."""
    client = await nats.connect(nats_server.url)
    js = client.jetstream()
    with suppress(NotFoundError):
        await js.delete_stream(streams.NAME)
    await streams.migrate(js)
    await client.close()
    return nats_server.url


@pytest.fixture
async def bus(nats_url: str) -> AsyncIterator[Bus]:
    """A connection to the bus, as services have it."""
    async with buses.connect(nats_url, name="test") as connected:
        await until(lambda: connected.connected)
        yield connected


@pytest.fixture
async def repository(pool: Pool, tmp_path: Path) -> Repository:
    """The default repository, empty."""
    return await given.new_repository(pool, bytes(tmp_path / "repository"))


@pytest.fixture
async def user(pool: Pool) -> User:
    """An ordinary user called anna."""
    password = "a long enough password"
    return await given.new_user(pool, "anna", password, password_hash=_hashed(password))


@pytest.fixture
async def disk(pool: Pool, database_url: str, repository: Repository, user: User) -> Disk:
    """The repository with folders of anna's own, and the syncer that tends it, to be called by hand."""
    async with pool.connection() as conn:
        await conn.execute("update repositories set owner_id = %s", (user.user_id,))
    return Disk(pool, database_url, repository, user)


@pytest.fixture
async def api(pool: Pool, repository: Repository, user: User) -> AsyncIterator[Api]:
    """A served gateway without a bus, and a client of it that is signed in as anna."""
    async with serving(pool) as served:
        await served.enter(user.username)
        yield served


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """What is made durable from here on, in its order."""
    return Recorder(monkeypatch)


@pytest.fixture
async def asset(pool: Pool, repository: Repository, user: User) -> UUID:
    """A staged asset whose place stage is due."""
    return await placing.new_asset(pool, repository, user, 0)


@pytest.fixture
def ingest(pool: Pool) -> Ingest:
    """The work of ingest, to be called by hand."""
    return Ingest(pool)


@pytest.fixture
async def sound(database_url: str, pool: Pool) -> AsyncIterator[None]:
    """The oracle has nothing to say when the test is over."""
    said: list[str] = []
    yield
    assert await verify(database_url, say=said.append), "\n".join(said)


@cache
def _hashed(password: str) -> str:
    return passwords.hashed(password)
