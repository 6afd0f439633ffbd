"""A whole `lumilio up` for tests that ask, break and restart it: real servers, real services, real disk."""

import asyncio
import fcntl
import os
import re
import subprocess
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals

from lumilio import launch, ports
from tests.support.processes import family
from tests.support.servers import open_way
from tests.support.waiting import until

START_SECONDS = 120
STOP_SECONDS = 60

# Short, so that the work of a killed worker is seen again within a test.
# The ballast is small, so that it costs no memory where temporary files lie in it. One person sends for many.
QUICK = {
    "LUMILIO_UPLOADS_AT_ONCE": "64",
    "LUMILIO_LEASE_SECONDS": "2",
    "LUMILIO_POLL_SECONDS": "1",
    "LUMILIO_RELAY_SECONDS": "1",
    "LUMILIO_BALLAST_BYTES": str(1 << 20),
    "LUMILIO_ML_PORT": "0",
}


@dataclass
class Stack:
    """One data directory and the `lumilio up` that serves it, if it runs; it can be started again after any end."""

    data: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=lambda: ports.choose(0))
    username: str = ""
    password: str = ""
    stages = ("place", "render")
    _process: "subprocess.Popen[bytes] | None" = None

    def launch(self) -> None:
        """Start the command and return at once; it ends with the process of this test run, however that ends."""
        open_way(self.data.parent)
        command = [sys.executable, "-m", "lumilio", "up", "--data", str(self.data), "--port", str(self.port)]
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                launch.wrap(command, death_signal=SIGTERM),
                env={**os.environ, **QUICK, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    async def start(self) -> None:
        """Start the command and wait until it serves; the first start tells user and password."""
        self.launch()
        await self.until_ready()

    async def until_ready(self) -> None:
        """Wait until everything serves."""
        await until(lambda: self._is_ready() or self._has_ended(), seconds=START_SECONDS, what="lumilio up is ready")
        if not self._is_ready():
            raise AssertionError(f"lumilio up ended: {self.output}")
        await until(lambda: "password" not in self.output or "shown this once" in self.output)
        self._note_password()

    async def stop(self, number: Signals = SIGTERM) -> int:
        """End the command in an orderly way; returns its exit code."""
        self.signal(number)
        return await self.until_ended()

    async def until_ended(self) -> int:
        """Wait for the end of the command; returns its exit code."""
        process = self._running()
        await until(self._has_ended, seconds=STOP_SECONDS, what="lumilio up has ended")
        self._process = None
        self._note_password()
        return process.wait()

    async def kill(self) -> None:
        """End the command as a crash does, and wait until nothing of it is left."""
        self.signal(SIGKILL)
        await self.until_ended()
        await self.until_gone()

    async def crash(self) -> None:
        """End every process at once, and ask nothing of the disk, which may be gone as well."""
        for pid in family(self.command_pid):
            with suppress(ProcessLookupError):
                os.kill(pid, SIGKILL)
        await self.until_ended()

    async def end(self) -> None:
        """Stop what runs, if it does, and make sure that nothing is left."""
        if self._process is not None:
            await self.stop()
        await self.until_gone()

    async def until_gone(self) -> None:
        """Wait until no process of this directory is left: every one of them inherits the lock."""
        await until(self._is_gone, seconds=STOP_SECONDS, what="all processes are gone")

    def signal(self, number: Signals) -> None:
        """Send a signal to the command itself."""
        self._running().send_signal(number)

    def pid(self, name: str) -> int:
        """The process of gateway, ingest, processor, nats or postgres."""
        return int((self.data / "run" / f"{name}.pid").read_text())

    def kill_child(self, name: str, number: Signals = SIGKILL) -> int:
        """Send a signal to a child, by default one that it cannot survive; returns which process it was."""
        pid = self.pid(name)
        os.kill(pid, number)
        return pid

    async def until_replaced(self, name: str, pid: int) -> None:
        """Wait until the supervisor has another process in the place of a dead child, and says that it is ready."""
        await until(lambda: self.pid(name) != pid, seconds=START_SECONDS, what=f"{name} has a new process")
        await until(
            lambda: 0 <= self.output.rfind(f"\n{name} ended") < self.output.rfind(f"\n{name} is ready again"),
            seconds=START_SECONDS,
            what=f"{name} is ready again",
        )

    @property
    def runs(self) -> bool:
        """Whether the command was started and has not ended."""
        return not self._has_ended()

    @property
    def command_pid(self) -> int:
        """The process of the command itself."""
        return self._running().pid

    @property
    def output(self) -> str:
        """What the running command, or the last one, has told so far."""
        return self._output.read_text()

    @property
    def base_url(self) -> str:
        """The address that the command told."""
        told = re.search(r"^ready .*: (http\S+)$", self.output, re.MULTILINE)
        assert told is not None
        return told[1]

    @property
    def database_url(self) -> str:
        return (self.data / "run" / "database.url").read_text().strip()

    @property
    def nats_url(self) -> str:
        return (self.data / "run" / "nats.url").read_text().strip()

    @property
    def nats_data(self) -> Path:
        return self.data / "nats"

    @property
    def repository(self) -> Path:
        return self.data / "repositories" / "primary"

    def log(self, name: str) -> str:
        """What a child has logged, over all its lives."""
        return (self.data / "log" / f"{name}.log").read_text()

    @property
    def _output(self) -> Path:
        return self.data.with_name(f"{self.data.name}.out")

    def _running(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None, "the stack does not run"
        return self._process

    def _note_password(self) -> None:
        """Do what a person does when the password is shown."""
        if shown := re.search(r"user +(\S+)\n +password +(\S+)\n", self.output):
            self.username, self.password = shown.groups()

    def _is_ready(self) -> bool:
        return re.search(r"^ready .*\n", self.output, re.MULTILINE) is not None

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _is_gone(self) -> bool:
        try:
            with (self.data / "run" / "children.lock").open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return True
        except BlockingIOError:
            return False
        return True


@asynccontextmanager
async def running_stack(folder: Path, **environment: str) -> AsyncIterator[Stack]:
    """A started stack with its data below `folder`; whatever is left of it at the end is an error."""
    stack = Stack(folder / "data", environment)
    try:
        await stack.start()
        yield stack
    finally:
        await stack.end()


@asynccontextmanager
async def running(module: str, *arguments: str, **environment: str) -> AsyncIterator[Process]:
    """A module as a process of its own, killed in the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments),
        env={**os.environ, **QUICK, **environment},
        stdout=DEVNULL,
        stderr=DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
