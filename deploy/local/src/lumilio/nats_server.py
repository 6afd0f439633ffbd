"""Embedded NATS: one account, on this machine only, and nothing acknowledged before it is on the disk."""

import asyncio
import json
import os
import shutil
import subprocess
import sysconfig
from contextlib import suppress
from dataclasses import dataclass
from signal import SIGTERM

from lumilio import durable, probe
from lumilio.refusal import CannotStart

USER = "lumilio"
DEATH_SIGNAL = SIGTERM
ANSWER_SECONDS = 2
MAX_PAYLOAD = 256 * 1024

# Told rather than guessed: the server's own guess is the free space at its start, which may be none.
MAX_FILE_STORE = 1024**3

# Strings are quoted as JSON, which the server's own format accepts.
CONFIGURATION = """\
server_name: lumilio
listen: "127.0.0.1:{port}"
http: "127.0.0.1:{monitor_port}"
max_payload: {max_payload}
jetstream {{
    store_dir: {store}
    sync_interval: always
    max_file_store: {max_file_store}
}}
accounts {{
    LUMILIO {{
        jetstream: enabled
        users: [{{ user: {user}, password: {password} }}]
    }}
}}
"""


@dataclass(frozen=True)
class NatsServer:
    """One server: its store, its ports on 127.0.0.1, its password and the file that tells it all this."""

    program: str
    directory: str
    configuration: str
    port: int
    monitor_port: int
    password: str

    @property
    def url(self) -> str:
        return f"nats://{USER}:{self.password}@127.0.0.1:{self.port}"

    @property
    def monitor_url(self) -> str:
        return f"http://127.0.0.1:{self.monitor_port}"

    @property
    def command(self) -> list[str]:
        return [self.program, "--config", self.configuration]


def find_program() -> str:
    """The server's binary: the wheel's, or one that is installed."""
    ours = os.path.join(sysconfig.get_path("scripts"), "nats-server")
    found = ours if os.path.exists(ours) else shutil.which("nats-server")
    if found is None:
        raise CannotStart("the program nats-server is missing: run `make clean run`")
    return found


def version(program: str) -> str:
    """The server's version, as in 2.15.1."""
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise CannotStart(f"the program {program} does not run here: {answer.stderr.strip()}")
    return answer.stdout.split()[-1].removeprefix("v")


def configure(server: NatsServer) -> None:
    """Write the file that the server reads at its start."""
    text = CONFIGURATION.format(
        port=server.port,
        monitor_port=server.monitor_port,
        max_payload=MAX_PAYLOAD,
        max_file_store=MAX_FILE_STORE,
        store=json.dumps(server.directory, ensure_ascii=False),
        user=json.dumps(USER),
        password=json.dumps(server.password),
    )
    durable.write(server.configuration, text.encode(), mode=0o600)


def forget_store(server: NatsServer) -> None:
    """Let the next start begin with nothing; out of the running server's sight first, and on the same disk."""
    aside = os.path.join(server.directory, "forgotten")
    shutil.rmtree(aside, ignore_errors=True)
    with suppress(FileNotFoundError):
        os.rename(os.path.join(server.directory, "jetstream"), aside)
    shutil.rmtree(aside, ignore_errors=True)


async def is_well(server: NatsServer) -> bool:
    """Whether the server says so of itself; after its disk was full it does not, until it is started anew."""
    return await probe.is_well("127.0.0.1", server.monitor_port, "/healthz")


async def answers(server: NatsServer) -> bool:
    """Whether the server greets; it does so when its store is open."""
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            greeting = await reader.readline()
            writer.close()
            await writer.wait_closed()
            return greeting.startswith(b"INFO ")
    return False
