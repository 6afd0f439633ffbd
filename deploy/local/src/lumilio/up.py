"""`lumilio up`: everything on one machine, from an empty directory to an address that serves."""

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from lumilio import ballast, first_start, inference, migrations, nats_server, ports, postgres, probe, watching
from lumilio.backup import schedule
from lumilio.backup.make import Source
from lumilio.backup.retention import BackupSettings
from lumilio.backup.schedule import Nightly
from lumilio.ballast import BallastSettings
from lumilio.data import Data, Secrets, check_database, check_whole, read_secrets
from lumilio.inference import InferenceSettings
from lumilio.logs import LogFile
from lumilio.nats_server import NatsServer
from lumilio.postgres import Postgres
from lumilio.supervisor import Child, Program, Supervisor
from lumilio.terminal import say, since
from lumilio.watching import WatchingSettings

WORKERS = ("ingest", "processor", "syncer", "ml-dispatcher")

# Seconds from the begin of a stop until each must have ended; together they keep the promise of ten.
GATEWAY_STOPS_BY = 5.5
WORKERS_STOP_BY = 8.0
NATS_STOPS_BY = 8.5
POSTGRES_STOPS_BY = 9.5
WORK_IN_HAND_SECONDS = "2"

ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # compared, not bound


@dataclass(frozen=True)
class Options:
    """Where to listen; a port of 0 is chosen, and one that is busy gives way to the next."""

    host: str
    port: int
    postgres_port: int
    nats_port: int
    ballast: BallastSettings
    inference: InferenceSettings
    backup: BackupSettings
    watching: WatchingSettings


async def up(options: Options, data: Data, stop: asyncio.Event) -> None:
    """Serve until told to stop."""
    supervisor = Supervisor(data)
    held_back = ballast.beside(data, options.ballast)
    held_back.look()  # first of all: on a full disk not even Postgres can start
    keeping = [asyncio.create_task(held_back.keep())]
    starting = asyncio.create_task(_start(options, data, supervisor))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            keeping.append(asyncio.create_task(starting.result().keep()))
        await stopping
    finally:
        for task in keeping:
            task.cancel()
        await asyncio.wait(keeping)
        await _stop(starting, supervisor)


async def _start(options: Options, data: Data, supervisor: Supervisor) -> Nightly:
    """Start everything; returns what is left to be done each night."""
    began = time.monotonic()
    say(f"data in {data.root}")
    check_whole(data)
    secrets = read_secrets(data)
    check_database(data, secrets)
    bus = _nats(options, data, secrets)
    database = _postgres(options, data, secrets)
    nats_child = await _start_servers(database, bus, data, supervisor)
    await _bring_up_to_date(database, bus, nats_child)
    await first_start.prepare(database.url(), data, secrets)
    health = watching.choose(options.watching)
    model_server = inference.beside(data, options.inference, stops_by=WORKERS_STOP_BY, health=health["ml-server"])
    environment = _environment(database, bus, data) | inference.told(model_server, options.inference)
    for name in (*WORKERS, "gateway", *([] if model_server is None else [model_server.name])):
        data.note(f"{name}.health", f"http://127.0.0.1:{health[name]}/ready")
    address = await _start_services(options, environment, health, data, secrets, supervisor)
    say(f"ready ({since(began)}): {address}")
    first_start.tell_password(data, secrets)
    _start_beside(options, environment, data, model_server, supervisor)
    source = Source(database.url(), Path(data.secrets), Path(data.root))
    return schedule.beside(source, data.root, options.backup)


def _nats(options: Options, data: Data, secrets: Secrets) -> NatsServer:
    return NatsServer(
        program=nats_server.find_program(),
        directory=data.nats,
        configuration=data.run("nats.conf"),
        port=_port("nats", options.nats_port),
        monitor_port=ports.choose(0),
        password=secrets.nats_password,
    )


def _postgres(options: Options, data: Data, secrets: Secrets) -> Postgres:
    return Postgres(
        programs=postgres.find_programs(),
        directory=data.postgres,
        port=_port("postgres", options.postgres_port),
        password=secrets.postgres_password,
    )


async def _start_servers(database: Postgres, bus: NatsServer, data: Data, supervisor: Supervisor) -> Child:
    """Both at once: NATS, which is returned, is ready before Postgres has created its directory."""
    nats_server.configure(bus)
    nats_program = Program(
        "nats",
        bus.command,
        partial(nats_server.answers, bus),
        NATS_STOPS_BY,
        version=nats_server.version(bus.program),
        well=partial(nats_server.is_well, bus),
        death_signal=nats_server.DEATH_SIGNAL,
    )
    nats_child = supervisor.start(nats_program)
    await _create_database(database, data)
    await supervisor.start(postgres.program(database, stops_by=POSTGRES_STOPS_BY)).until_ready()
    await nats_child.until_ready()
    data.note("database.url", database.url())
    data.note("nats.url", bus.url)
    data.note("monitor.url", bus.monitor_url)
    return nats_child


async def _create_database(database: Postgres, data: Data) -> None:
    began = time.monotonic()
    log = LogFile(data.log("postgres")).open()
    try:
        if await postgres.prepare(database, log=log):
            say(f"database created ({since(began)})")
    finally:
        os.close(log)


async def _bring_up_to_date(database: Postgres, bus: NatsServer, nats_child: Child) -> None:
    began = time.monotonic()
    await postgres.ensure_database(database)
    applied = await migrations.apply(database.url())
    say(f"schema ready ({', '.join([*applied, since(began)])})")
    try:
        await migrations.declare(bus.url)
    except migrations.DamagedStore as error:
        say(f"{error}; it begins a new one, nothing is lost by that")
        await _begin_anew(bus, nats_child)


async def _begin_anew(bus: NatsServer, nats_child: Child) -> None:
    """A store rings bells, and what they ring for stands in the database; on a full disk nothing rings for a while."""
    nats_server.forget_store(bus)
    await nats_child.renew()
    try:
        await migrations.declare(bus.url)
    except migrations.DamagedStore as error:
        say(f"{error}; work is looked for every few seconds until it can")


def _environment(database: Postgres, bus: NatsServer, data: Data) -> dict[str, str]:
    """What every service is told; other settings of the caller pass through."""
    return {
        "LUMILIO_STOP_SECONDS": WORK_IN_HAND_SECONDS,
        "LUMILIO_REPOSITORY_ROOTS": data.repositories,
        "LUMILIO_PRIVATE_ROOTS": data.private,
        **os.environ,
        "LUMILIO_DATABASE_URL": database.url(),
        "LUMILIO_NATS_URL": bus.url,
        "LUMILIO_NATS_MONITOR_URL": bus.monitor_url,
    }


async def _start_services(
    options: Options,
    environment: dict[str, str],
    health: Mapping[str, int],
    data: Data,
    secrets: Secrets,
    supervisor: Supervisor,
) -> str:
    """Start them all, wait for them all; returns the address to open."""
    host, port = ANYWHERE.get(options.host, options.host), _port("gateway", options.port, host=options.host)
    programs = [_worker(name, environment, health[name]) for name in WORKERS]
    gateway = Program(
        "gateway",
        [sys.executable, "-m", "gateway"],
        partial(probe.is_well, host, port, "/api/v1/health"),
        GATEWAY_STOPS_BY,
        environment={
            **environment,
            "LUMILIO_HOST": options.host,
            "LUMILIO_PORT": str(port),
            "LUMILIO_HEALTH_PORT": str(health["gateway"]),
            "LUMILIO_JWT_SECRET": secrets.jwt_secret,
            "LUMILIO_DATABASE_DIRECTORY": data.postgres,
        },
    )
    children = [supervisor.start(program) for program in (*programs, gateway)]
    await asyncio.gather(*(child.until_ready() for child in children))
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _start_beside(
    options: Options, environment: dict[str, str], data: Data, model_server: Program | None, supervisor: Supervisor
) -> None:
    """Models take long to load and nobody needs them to keep photos, so they come last."""
    if model_server is not None:
        wanted = {**environment, **model_server.environment}
        supervisor.start_beside(replace(model_server, environment=wanted))
    elif advice := inference.advice(data, options.inference):
        say(advice)


def _worker(name: str, environment: dict[str, str], port: int) -> Program:
    return Program(
        name,
        [sys.executable, "-m", name.replace("-", "_")],
        partial(probe.is_well, "127.0.0.1", port, "/ready"),
        WORKERS_STOP_BY,
        environment={**environment, "LUMILIO_HEALTH_PORT": str(port)},
    )


def _port(name: str, preferred: int, *, host: str = "127.0.0.1") -> int:
    port = ports.choose(preferred, host=host)
    if preferred not in {0, port}:
        say(f"port {preferred} is busy: {name} takes {port}")
    return port


async def _stop(starting: "asyncio.Task[Nightly]", supervisor: Supervisor) -> None:
    began = time.monotonic()
    say("stopping")
    starting.cancel()
    await asyncio.wait({starting})
    await supervisor.stop()
    say(f"stopped ({since(began)})")
