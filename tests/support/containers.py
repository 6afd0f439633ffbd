"""The same servers for tests, in containers of the images of compose: `LUMILIO_TEST_BACKEND=docker`."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lumilio import nats_server, postgres
from lumilio.nats_server import NatsServer
from lumilio.postgres import Postgres, Programs
from tests.support import servers
from tests.support.waiting import until

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

START_SECONDS = 120  # the first one may have to fetch its image
DEPLOY = Path(__file__).parents[2] / "deploy"
QUICK = ("fsync", "full_page_writes", "shared_buffers", "max_wal_size")


def wanted() -> bool:
    """Whether the tests are to run against containers."""
    return os.environ.get("LUMILIO_TEST_BACKEND", "") == "docker"


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A server with an empty cluster."""
    settings = " ".join(f"-c{name}={servers.QUICK[name]}" for name in QUICK)
    container = (
        _container("LUMILIO_POSTGRES_IMAGE")
        .with_envs(POSTGRES_USER=postgres.USER, POSTGRES_DB="postgres", POSTGRES_PASSWORD=servers.PASSWORD)
        .with_env(
            "POSTGRES_INITDB_ARGS", "--encoding=UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8"
        )
        .with_command(f"postgres -cmax_connections=60 {settings}")
        .with_exposed_ports(5432)
    )
    with container:
        server = Postgres(Programs("", "", ""), "", container.get_exposed_port(5432), servers.PASSWORD)
        _wait(lambda: servers.accepts(server), container)
        yield server


@contextmanager
def running_nats() -> Iterator[NatsServer]:
    """A server with our configuration and an empty store."""
    container = (
        _container("LUMILIO_NATS_IMAGE")
        .with_volume_mapping(DEPLOY / "kubernetes/components/nats", "/etc/nats", "ro")
        .with_env("SERVER_NAME", "lumilio")
        .with_env("NATS_PASSWORD", f'"{servers.PASSWORD}"')
        .with_command("--config /etc/nats/nats.conf")
        .with_exposed_ports(4222, 8222)
    )
    with container:
        port, monitor_port = container.get_exposed_port(4222), container.get_exposed_port(8222)
        server = NatsServer("", "", "", port, monitor_port, servers.PASSWORD)
        _wait(lambda: asyncio.run(nats_server.is_well(server)), container)
        yield server


def _container(variable: str) -> "DockerContainer":
    """Of the image that is named in the environment, or the one of compose."""
    from testcontainers.core.container import DockerContainer  # takes a second, and most runs do without

    example = dict(line.split("=", 1) for line in (DEPLOY / ".env.example").read_text().splitlines() if "=" in line)
    return DockerContainer(os.environ.get(variable) or example[variable])


def _wait(answers: Callable[[], bool], container: "DockerContainer") -> None:
    """Until a server answers that nobody but us knows of."""

    async def wait() -> None:
        await until(lambda: asyncio.to_thread(answers), seconds=START_SECONDS)

    try:
        asyncio.run(wait())
    except AssertionError as error:
        said = b"".join(container.get_logs()).decode(errors="replace")
        raise RuntimeError(f"the server does not start: {said[-2000:]}") from error
