"""Keeps programs running: starts them again when they die, and stops them in order."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from signal import SIGKILL, SIGTERM, Signals

from lumilio import launch
from lumilio.data import Data
from lumilio.logs import LogFile, warning_in
from lumilio.refusal import CannotStart
from lumilio.terminal import say, since

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 10.0  # what a full disk ended is back soon after there is room
HEALTHY_SECONDS = 60.0
DEATHS_AT_START = 3
ASK_SECONDS = 0.05
ASK_PATIENTLY_SECONDS = 1.0
PROGRESS_SECONDS = 10.0
TELL_SECONDS = 0.5
REPEAT_SECONDS = 60.0
WELL_SECONDS = 5.0
UNWELL_ANSWERS = 3


@dataclass(frozen=True)
class Program:
    """How one child is started, asked whether it is ready and, if it can tell, whether it is still well, and stopped.

    `stops_by` gives the order of stopping and, in seconds after its begin, the time when patience ends.
    """

    name: str
    command: list[str]
    ready: Callable[[], Awaitable[bool]]
    stops_by: float
    version: str = ""
    well: Callable[[], Awaitable[bool]] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    account: str = launch.SAME
    stop_signal: Signals = SIGTERM
    death_signal: Signals = SIGKILL


@dataclass
class Child:
    """A program that runs, or will run again in a moment."""

    program: Program
    data: Data
    log: LogFile
    deaths: int = 0
    _began: float = field(default_factory=time.monotonic)
    _last_words: str = ""
    _process: asyncio.subprocess.Process | None = None
    _told: dict[str, float] = field(default_factory=dict)

    async def keep_running(self) -> None:
        """Run until cancelled; a minute of health makes up for earlier deaths."""
        pause = FIRST_PAUSE
        while True:
            started = time.monotonic()
            ending = await self._run_once()
            self.deaths += 1
            if time.monotonic() - started > HEALTHY_SECONDS:
                pause = FIRST_PAUSE
            say(f"{self.program.name} ended ({ending}), starting it again in {pause:.0f} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def until_ready(self) -> None:
        """Wait as long as it takes, saying so; a program that keeps dying is given up."""
        said = time.monotonic()
        while not await self.program.ready():
            if self.deaths >= DEATHS_AT_START:
                raise CannotStart(f"{self.program.name} does not start: {self._last_words} (see {self.log.path})")
            if time.monotonic() - said > PROGRESS_SECONDS:
                said = time.monotonic()
                say(f"still waiting for {self.program.name} ({since(self._began)})")
            await asyncio.sleep(ASK_SECONDS)
        say(f"{' '.join([self.program.name, *self.program.version.split()])} ready ({since(self._began)})")

    async def tell_when_ready(self) -> None:
        """Say when it is, however long that takes."""
        while not await self.program.ready():
            await asyncio.sleep(ASK_PATIENTLY_SECONDS)
        say(f"{self.program.name} ready ({since(self._began)})")

    async def renew(self) -> None:
        """End the process and wait for the one that follows it."""
        deaths = self.deaths
        if self._process is not None:
            self._process.kill()
        while self.deaths == deaths:
            await asyncio.sleep(ASK_SECONDS)
        await self.until_ready()

    async def stop(self, deadline: float) -> None:
        """End the process, by force when it is still there at the deadline of the loop's clock."""
        process = self._process
        if process is not None and process.returncode is None:
            process.send_signal(self.program.stop_signal)
            try:
                async with asyncio.timeout_at(deadline):
                    await process.wait()
            except TimeoutError:
                say(f"{self.program.name} does not stop, so it is ended by force")
                os.killpg(process.pid, SIGKILL)
                await process.wait()
        with suppress(FileNotFoundError):
            os.unlink(self._pid_file)

    @property
    def _pid_file(self) -> str:
        return self.data.run(f"{self.program.name}.pid")

    async def _run_once(self) -> str:
        """How the program ended, or why it could not be started."""
        try:
            self._process = process = await self._spawn()
        except OSError as error:
            return f"not started: {error.strerror}"
        with suppress(OSError):  # a full disk is no reason to leave it alone
            self.data.note(f"{self.program.name}.pid", str(process.pid))
        telling = [asyncio.create_task(self._tell_warnings_for_ever())]
        if self.deaths:
            telling.append(asyncio.create_task(self._tell_return()))
        if self.program.well is not None:
            telling.append(asyncio.create_task(self._end_when_unwell(process, self.program.well)))
        try:
            return self._ending(await process.wait())
        finally:
            for task in telling:
                task.cancel()
            self._tell_warnings()

    async def _spawn(self) -> asyncio.subprocess.Process:
        program = self.program
        output = self.log.open()
        try:
            return await asyncio.create_subprocess_exec(
                *launch.wrap(program.command, death_signal=program.death_signal, account=program.account),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **program.environment},
                pass_fds=[self.data.held],
                start_new_session=True,  # the terminal's Ctrl-C is for the supervisor alone
            )
        finally:
            os.close(output)

    async def _end_when_unwell(
        self, process: asyncio.subprocess.Process, is_well: Callable[[], Awaitable[bool]]
    ) -> None:
        """A program that lives and does not work is better started anew."""
        unwell = 0
        while unwell < UNWELL_ANSWERS:
            await asyncio.sleep(WELL_SECONDS)
            unwell = 0 if await is_well() else unwell + 1
        say(f"{self.program.name} runs but is not well")
        process.kill()

    async def _tell_return(self) -> None:
        started = time.monotonic()
        while not await self.program.ready():
            await asyncio.sleep(ASK_SECONDS)
        say(f"{self.program.name} is ready again ({since(started)})")

    async def _tell_warnings_for_ever(self) -> None:
        while True:
            await asyncio.sleep(TELL_SECONDS)
            self._tell_warnings()

    def _tell_warnings(self) -> None:
        """Each kind of warning once a minute at most: the log file has them all."""
        for line in self.log.new_lines():
            warning = warning_in(line)
            if warning or not line.startswith("{"):  # an ordinary line of a service explains nothing
                self._last_words = (warning.text if warning else line.strip()) or self._last_words
            if warning and time.monotonic() - self._told.get(warning.event, -REPEAT_SECONDS) >= REPEAT_SECONDS:
                self._told[warning.event] = time.monotonic()
                say(f"{self.program.name}: {warning.text}")

    def _ending(self, code: int) -> str:
        return f"killed by {Signals(-code).name}" if code < 0 else f"exit code {code}: {self._last_words}"


@dataclass
class Supervisor:
    """All children of a run, each with the task that keeps it running."""

    data: Data
    _children: list[Child] = field(default_factory=list)
    _keeping: "list[asyncio.Task[None]]" = field(default_factory=list)

    def start(self, program: Program) -> Child:
        """Keep a program running from here on."""
        child = Child(program, self.data, LogFile(self.data.log(program.name)))
        self._children.append(child)
        self._keeping.append(asyncio.create_task(child.keep_running()))
        return child

    def start_beside(self, program: Program) -> None:
        """Keep a program running that nobody waits for; when it is ready, that is told."""
        self._keeping.append(asyncio.create_task(self.start(program).tell_when_ready()))

    async def stop(self) -> None:
        """Stop everything in the order of `stops_by`; patience that one did not need is the next one's."""
        started = asyncio.get_running_loop().time()
        for task in self._keeping:
            task.cancel()
        await asyncio.gather(*self._keeping, return_exceptions=True)
        ordered = sorted(self._children, key=_stops_by)
        for seconds, children in groupby(ordered, key=_stops_by):
            await asyncio.gather(*(child.stop(started + seconds) for child in children))


def _stops_by(child: Child) -> float:
    return child.program.stops_by
