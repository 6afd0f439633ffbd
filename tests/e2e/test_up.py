"""`lumilio up` from a person's point of view: it starts, says what matters, survives and ends cleanly."""

import asyncio
import io
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from signal import SIGINT

import psycopg
import pytest

from lumilio_client import api
from tests.support import photos
from tests.support.client import program
from tests.support.processes import family, runs
from tests.support.stack import Stack
from tests.support.waiting import until

SERVICES = ("gateway", "ingest", "processor")
SERVERS = ("nats", "postgres")
SHUT_DOWN = "database system is shut down"

# Lines after which a first start is killed: the next step is under way then.
STEPS = ("data in", "postgres", "schema ready", "repository", "gateway ready")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A server that is stopped, killed and damaged by one test after the other."""
    stack = Stack(tmp_path_factory.mktemp("server") / "data")
    yield stack
    asyncio.run(stack.end())


@pytest.fixture
async def stack(server: Stack) -> Stack:
    """The same as its first administrator; it runs, if need be again."""
    if not server.runs:
        await server.start()
    return server


@pytest.fixture
async def idle(tmp_path: Path) -> AsyncIterator[Stack]:
    """A stack that was never started."""
    stack = Stack(tmp_path / "data")
    yield stack
    await stack.end()


def has_told(stack: Stack, begin: str) -> bool:
    return any(line.startswith(begin) for line in stack.output.splitlines())


async def signs_in(stack: Stack) -> bool:
    async with program(stack) as client:
        return (await client.ask(api.me())).username == stack.username


async def tells_that_all_is_well(stack: Stack) -> bool:
    """What `lumilio status` says of a server that it finds by its directory."""
    command = [sys.executable, "-m", "lumilio", "status", "--data", str(stack.data)]
    environment = {**os.environ, "LUMILIO_RESERVE_BYTES": "0", "LUMILIO_RESERVE_PERCENT": "0"}
    told = await asyncio.to_thread(subprocess.run, command, env=environment, capture_output=True, text=True)
    return told.returncode == 0 and told.stdout.startswith("All is well.") and "gateway, ingest" in told.stdout


async def test_the_first_start_shows_the_password_and_no_other_does(stack: Stack) -> None:
    """The administrator's password is told once, works, and is kept nowhere afterwards."""
    assert stack.username == "admin"
    assert len(stack.password) >= 16
    assert await signs_in(stack)
    assert await tells_that_all_is_well(stack)

    await stack.stop()
    await stack.start()

    assert "password" not in stack.output
    assert stack.password not in (stack.data / "secrets.json").read_text()
    assert await signs_in(stack)


async def test_a_first_start_that_crashes_anywhere_is_completed_by_the_next(idle: Stack) -> None:
    """Whatever step a crash interrupts, the next start ends with an administrator who can sign in."""
    for step in STEPS:
        idle.launch()
        await until(partial(has_told, idle, step), seconds=60, every=0.005, what=step)
        await idle.kill()

    await idle.start()

    assert await signs_in(idle)
    with psycopg.connect(idle.database_url) as conn:
        assert conn.execute("select count(*) from repositories").fetchone() == (1,)


async def test_a_repository_that_is_added_gets_what_is_sent_to_it(stack: Stack) -> None:
    """Below the data directory without any setting, by the API, and its photos are shown like all others."""
    place = stack.data / "repositories" / "holidays"
    async with program(stack) as client:
        wish = api.CreateRepository(name="Holidays", path=str(place), storage_strategy="flat")
        made = await client.ask(api.create_repository(wish))
        photo = io.BytesIO(photos.jpeg(80, 60))
        asset = (await client.upload(photo, name="a.jpg", repository_id=made.id)).asset_id

        async def is_complete() -> bool:
            shown = await client.ask(api.get_asset(asset))
            return (shown.status, shown.storage_path) == ("complete", "inbox/a.jpg")

        await until(is_complete, seconds=60)
    assert (place / "inbox" / "a.jpg").exists()


async def test_a_killed_supervisor_leaves_no_process_and_no_damage(stack: Stack) -> None:
    """kill -9 takes everything along, and the next start needs no help."""
    everyone = [pid for name in (*SERVICES, *SERVERS) for pid in family(stack.pid(name))]
    assert len(everyone) > len(SERVICES) + len(SERVERS)

    await stack.kill()

    await until(lambda: not any(map(runs, everyone)))
    await stack.start()
    assert await signs_in(stack)


async def test_killed_services_are_started_again(stack: Stack) -> None:
    """A service that dies is replaced, and a person is told both."""
    killed = {name: stack.kill_child(name) for name in SERVICES}

    for name, pid in killed.items():
        await stack.until_replaced(name, pid)
        assert f"{name} ended (killed by SIGKILL), starting it again in 1 s" in stack.output

    assert await signs_in(stack)


async def test_killed_servers_come_back_at_the_same_place(stack: Stack) -> None:
    """Services live through the death of Postgres and NATS, and find them again."""
    services = [stack.pid(name) for name in SERVICES]
    killed = {name: stack.kill_child(name) for name in SERVERS}

    for name, pid in killed.items():
        await stack.until_replaced(name, pid)

    assert await until(lambda: signs_in(stack), seconds=60)
    assert [stack.pid(name) for name in SERVICES] == services


async def test_ctrl_c_is_orderly_and_quick(stack: Stack) -> None:
    """A stop ends everything within ten seconds, nothing by force, and Postgres with its checkpoint."""
    shut_down = stack.log("postgres").count(SHUT_DOWN)
    began = time.monotonic()

    code = await stack.stop(SIGINT)

    assert code == 0
    assert time.monotonic() - began < 10
    assert "by force" not in stack.output
    assert stack.log("postgres").count(SHUT_DOWN) == shut_down + 1


async def test_a_busy_port_gives_way_to_the_next(server: Stack) -> None:
    """Something else on the port is no reason not to serve, but a reason to say where."""
    if server.runs:
        await server.stop()

    with socket.create_server(("127.0.0.1", server.port)):
        await server.start()

    assert server.base_url != f"http://127.0.0.1:{server.port}"
    assert f"port {server.port} is busy: gateway takes" in server.output
    assert await signs_in(server)


async def test_a_damaged_broker_store_is_replaced(stack: Stack) -> None:
    """It only rings bells, so the server starts without it and says so in one line."""
    await stack.stop()
    for path in stack.nats_data.rglob("*"):
        if path.is_file():
            path.write_bytes(b"garbage")

    await stack.start()

    assert "it begins a new one" in stack.output
    assert await signs_in(stack)


async def test_secrets_without_their_database_are_told(stack: Stack, tmp_path: Path) -> None:
    """A lost database is not replaced by an empty one that nobody can sign in to."""
    await stack.stop()
    lost = shutil.move(stack.data / "postgres", tmp_path)

    stack.launch()

    assert await stack.until_ended() == 1
    assert "from your backup" in stack.output
    shutil.move(lost, stack.data)
