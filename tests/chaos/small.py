"""The smallest server that can lose a photo: Postgres, and both services that touch originals in one forked process."""

import asyncio
import os
import subprocess
from collections.abc import Mapping
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, field
from io import StringIO
from multiprocessing.process import BaseProcess
from pathlib import Path
from signal import SIGINT, SIGKILL

import uvloop

from common import migrate, settings
from gateway import main as gateway
from ingest import main as ingest
from lumilio import first_start, launch, ports, postgres
from lumilio.data import Data, read_secrets
from lumilio.postgres import Postgres
from tests.support import forked
from tests.support.processes import family
from tests.support.servers import open_way
from tests.support.waiting import until

START_SECONDS = 120


@dataclass
class Small:
    """A server below a data directory, which can be started again after any end; photos are placed and not rendered."""

    folder: Path
    nats_url: str
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=lambda: ports.choose(0))
    username: str = first_start.USERNAME
    password: str = ""
    stages = ("place",)
    _jwt_secret: str = ""
    _database: Postgres | None = None
    _postgres: "subprocess.Popen[bytes] | None" = None
    _services: BaseProcess | None = None

    async def install(self) -> None:
        """An empty database and repository, durably, as the first start of the command leaves them."""
        open_way(self.folder.parent)
        data = Data(os.fspath(self.folder), -1)
        (self.folder / "repositories").mkdir(exist_ok=True)
        secrets = read_secrets(data)
        self.password, self._jwt_secret = secrets.first_password or "", secrets.jwt_secret
        self._database = Postgres(postgres.find_programs(), data.postgres, ports.choose(0), secrets.postgres_password)
        with self._log.open("ab") as log:
            await postgres.prepare(self._database, log=log.fileno())
        await self._start_postgres()
        await postgres.ensure_database(self._database)
        await migrate.migrate(self.database_url)
        with redirect_stdout(StringIO()):
            await first_start.prepare(self.database_url, data, secrets)

    async def start(self) -> None:
        """Start what does not run, and wait until it serves."""
        if self._postgres is None:
            await self._start_postgres()
        environment = {
            **self.environment,
            "LUMILIO_DATABASE_URL": self.database_url,
            "LUMILIO_NATS_URL": self.nats_url,
            "LUMILIO_PORT": str(self.port),
            "LUMILIO_JWT_SECRET": self._jwt_secret,
        }
        self._services = forked.forks.Process(target=serve, args=(environment, os.fspath(self._log)), daemon=True)
        self._services.start()
        await until(self._is_ready, seconds=START_SECONDS, what="gateway and ingest serve")

    async def crash(self) -> None:
        """End every process at once, and ask nothing of the disk, which may be gone as well."""
        assert self._postgres is not None
        dying = [self._postgres.pid, *family(self._postgres.pid)]
        if self._services is not None:
            dying.append(self._services.pid or 0)
        for pid in filter(None, dying):
            with suppress(ProcessLookupError):
                os.kill(pid, SIGKILL)
        self._postgres.wait()
        if self._services is not None:
            self._services.join()
        self._postgres = self._services = None

    @property
    def runs(self) -> bool:
        return self._postgres is not None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database_url(self) -> str:
        assert self._database is not None
        return self._database.url()

    @property
    def repository(self) -> Path:
        return self.folder / "repositories" / "primary"

    @property
    def _log(self) -> Path:
        return self.folder.with_name("small.log")

    async def _start_postgres(self) -> None:
        database = self._database
        assert database is not None
        await postgres.prepare(database, log=0)
        command = launch.wrap(database.command(), death_signal=SIGINT, account=database.programs.account)
        with self._log.open("ab") as log:
            self._postgres = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        await until(lambda: postgres.answers(database), seconds=START_SECONDS, what="Postgres answers")

    async def _is_ready(self) -> bool:
        assert self._services is not None
        assert self._services.is_alive(), self._log.read_text()[-2000:]
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.close()
            return True
        return False


def serve(environment: Mapping[str, str], log: str) -> None:
    """Both services as their own mains start them, in one loop, until killed."""
    forked.redirect(log)

    async def both() -> None:
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(gateway.serve(settings.load(gateway.Settings, environment), stop))
            tasks.create_task(ingest.serve(settings.load(ingest.IngestSettings, environment), stop))

    uvloop.run(both())
