"""ffmpeg behind its walls: it has what it is handed and nothing else, comes to an end, and ends with its server."""

import asyncio
import errno
import os
import platform
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from msgspec import structs

from processor import confine, ffmpeg, narrow, seccomp
from processor.ffmpeg import LIMITS, Ffmpeg, Patience
from processor.narrow import LIBRARIES, Limits
from tests.support.processes import encoders, runs
from tests.support.waiting import until

needs_landlock = pytest.mark.skipif(not confine.walls().landlock, reason="this kernel knows no Landlock")
needs_seccomp = pytest.mark.skipif(not confine.walls().seccomp, reason="this kernel filters no system calls")
COLUMN = seccomp.MACHINES[platform.machine()].column
IOPRIO_GET = narrow.IOPRIO_SET[platform.machine()] + 1
PERL = "/usr/bin/perl"
QUIET = ("-hide_banner", "-nostdin", "-v", "error", "-nostats", "-progress", "pipe:1", "-stats_period", "0.1", "-y")
ENDLESS = ("-re", "-f", "lavfi", "-i", "testsrc=d=3600:s=64x64")
RAW = ("-f", "rawvideo", "-fd", "TARGET", "fd:")


@dataclass
class Run:
    """An output that lies in a file without a name, and what was told of the progress."""

    program: Ffmpeg
    target: int
    told: list[ffmpeg.Said] = field(default_factory=list)

    async def __call__(self, *arguments: str, limits: Limits = LIMITS) -> str:
        """Run ffmpeg with `TARGET` standing for the output's descriptor."""
        known = [argument.replace("TARGET", str(self.target)) for argument in arguments]
        nothing = os.open(os.devnull, os.O_RDONLY)
        try:
            return await self.program.run(
                [*QUIET, *known], standard_input=nothing, descriptors=[self.target], told=self._hear, limits=limits
            )
        finally:
            os.close(nothing)

    async def _hear(self, said: ffmpeg.Said) -> None:
        self.told.append(said)

    def length(self) -> int:
        return os.fstat(self.target).st_size


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Run]:
    target = os.open(tmp_path / "target", os.O_CREAT | os.O_RDWR)
    async with ffmpeg.opened() as program:
        yield Run(program, target)
    os.close(target)


@pytest.fixture
def canary() -> Iterator[socket.socket]:
    """Somebody listens and would like to hear of it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


def is_called(canary: socket.socket) -> bool:
    try:
        canary.accept()[0].close()
    except BlockingIOError:
        return False
    return True


async def bare(*arguments: str) -> int:
    """How ffmpeg ends without any walls."""
    process = await asyncio.create_subprocess_exec(
        *(ffmpeg.bundled(), *QUIET, *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await process.wait()


async def test_it_makes_what_it_is_asked_for(run: Run) -> None:
    """Output goes to the descriptor, and what is told of the progress ends with the end."""
    await run("-f", "lavfi", "-i", "testsrc=d=1:s=64x64:r=10", *RAW)

    assert run.length() == 10 * 64 * 64 * 3
    assert (run.told[-1]["progress"], run.told[-1]["frame"]) == ("end", "10")


@needs_seccomp
@pytest.mark.parametrize("scheme", ["tcp", "http", "rtmp", "udp", "unix"])
async def test_it_reaches_nobody(run: Run, canary: socket.socket, scheme: str) -> None:
    """Not even told to by its own command line does it make a connection."""
    host, port = canary.getsockname()
    address = f"{scheme}://{host}:{port}/x"

    with pytest.raises(ffmpeg.Failed, match="ffmpeg"):
        await run("-f", "u8", "-i", address, *RAW)

    assert not is_called(canary)
    if scheme in {"tcp", "http"}:
        await bare("-rw_timeout", "300000", "-f", "u8", "-i", address, "-f", "null", "-")
        assert is_called(canary)


@needs_landlock
@pytest.mark.parametrize(
    "arguments",
    [
        ("-f", "u8", "-ar", "8000", "-i", "SECRET"),
        ("-f", "lavfi", "-i", "amovie=SECRET:f=wav"),
        ("-f", "concat", "-safe", "0", "-i", "LIST"),
        ("-f", "u8", "-ar", "8000", "-i", "/proc/PARENT/environ"),
        ("-f", "u8", "-ar", "8000", "-i", "/etc/passwd"),
    ],
)
async def test_it_reads_nobodys_files(run: Run, tmp_path: Path, arguments: Sequence[str]) -> None:
    """Files that it is not handed open are not there for it, however it is asked for them."""
    secret, listed = tmp_path / "secret.wav", tmp_path / "list"
    assert await bare("-f", "lavfi", "-i", "sine=d=0.1", str(secret)) == 0
    listed.write_text(f"ffconcat version 1.0\nfile {secret}\n")
    told = {"SECRET": str(secret), "LIST": str(listed), "PARENT": str(os.getpid())}
    for word, meaning in told.items():
        arguments = [argument.replace(word, meaning) for argument in arguments]

    with pytest.raises(ffmpeg.Failed):
        await run(*arguments, "-f", "s16le", "-fd", "TARGET", "fd:")

    assert run.length() == 0
    assert await bare(*arguments, "-f", "null", "-") == 0


@needs_landlock
async def test_it_writes_nowhere_else(run: Run, tmp_path: Path) -> None:
    """It makes no file, neither where it stands nor elsewhere."""
    outside = tmp_path / "made.wav"
    for place in (str(outside), "made.wav", "/dev/shm/made.wav"):
        with pytest.raises(ffmpeg.Failed, match="Permission denied"):
            await run("-f", "lavfi", "-i", "sine=d=0.1", place)

    assert not outside.exists()
    assert os.listdir(run.program.folder) == ["cwd"]
    assert os.listdir(os.path.join(run.program.folder, "cwd")) == []


async def test_it_writes_no_more_than_it_may(run: Run) -> None:
    """What grows beyond its limit ends with a reason that is the file's."""
    with pytest.raises(ffmpeg.Endless, match="grows beyond all measure"):
        await run("-f", "lavfi", "-i", "testsrc=d=60:s=640x480", *RAW, limits=structs.replace(LIMITS, written=1 << 20))

    assert run.length() == 1 << 20


async def test_it_takes_no_more_time_than_it_may(run: Run) -> None:
    """Work that is out of proportion ends, also where it gets on."""
    run.program = replace(run.program, patience=Patience(every=0.1))
    with pytest.raises(ffmpeg.Endless, match="processor time"):
        await run(
            *("-f", "lavfi", "-i", "testsrc=d=36000:s=320x240", "-f", "null", "-"),
            limits=structs.replace(LIMITS, seconds=1),
        )


async def test_patience_ends_where_nothing_comes_of_it(run: Run) -> None:
    """Work without progress ends, and so does no work at all, each with its own reason."""
    run.program = replace(run.program, patience=Patience(used=1, every=0.1))
    with pytest.raises(ffmpeg.Endless, match="got no further"):
        await run("-f", "lavfi", "-i", r"testsrc=d=360000:s=16x16,select=lt(n\,0)", *RAW)

    run.program = replace(run.program, patience=Patience(idle=0.5, every=0.1))
    reading, writing = os.pipe()
    with pytest.raises(ffmpeg.Killed, match="stood still"):
        await run.program.run(
            [*QUIET, "-f", "u8", "-i", "fd:", "-f", "null", "-"],
            standard_input=reading,
            descriptors=[],
            told=run._hear,
        )
    os.close(reading)
    os.close(writing)


@needs_seccomp
@pytest.mark.skipif(not os.path.exists(PERL), reason="there is no Perl")
@pytest.mark.parametrize(
    ("deed", "answer"),
    [
        ("socket(my $s, 2, 1, 0)", "Operation not permitted"),
        ("socketpair(my $a, my $b, 1, 1, 0)", "Operation not permitted"),
        ("defined fork", "Operation not permitted"),
        ("kill 0, getppid", "Operation not permitted"),
        ("chmod 0777, 'FOLDER'", "Operation not permitted"),
        ("open my $f, '<', '/etc/passwd'", "Permission denied"),
        ("open my $f, '>', 'FOLDER/new'", "Permission denied"),
        ("opendir my $d, '/proc'", "Permission denied"),
        ("exec '/usr/bin/true'", "Permission denied"),
        ("do { my $r; $r = syscall(DUP, 0) for 1..100; $r >= 0 }", "Too many open files"),
        ("read STDIN, my $x, 1 << 40", "Out of memory"),
    ],
)
async def test_one_that_was_taken_over_reaches_nobody(run: Run, tmp_path: Path, deed: str, answer: str) -> None:
    """Whatever runs behind the walls, as if somebody else had taken ffmpeg over, is refused what reaches others."""
    tmp_path.chmod(0o711)
    known = deed.replace("FOLDER", str(tmp_path)).replace("DUP", str(seccomp.FREE["dup"][COLUMN]))
    told = await pretended(run, f"print(({known}) ? 'escaped' : $!)")

    assert answer in told


@needs_seccomp
@pytest.mark.skipif(not os.path.exists(PERL), reason="there is no Perl")
async def test_every_call_that_reaches_others_is_refused(run: Run) -> None:
    """The kernel answers that they are not permitted before it looks at what they are asked for."""
    numbers = [numbers[COLUMN] for numbers in seccomp.REACHING_OUT.values()]
    numbers += seccomp.OLD_NAMES.values() if COLUMN == 0 else []

    told = await pretended(
        run, f"for ({','.join(map(str, numbers))}) {{ print 0 + syscall($_, (-1) x 6), 0 + $!, ' ' }}"
    )

    assert set(told.split()) == {f"-1{errno.EPERM}"}


async def pretended(run: Run, script: str) -> str:
    """What a script says that runs as ffmpeg does."""
    limits = structs.replace(LIMITS, readable=(*LIBRARIES, "/usr/share/perl", "/etc/perl", os.devnull))
    process = await asyncio.create_subprocess_exec(
        *narrow.command(run.program.folder, limits, PERL, "-e", script),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={},
    )
    return (await process.communicate())[0].decode()


@pytest.mark.skipif(not os.path.exists(PERL), reason="there is no Perl")
@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ("print 'x' x (1 << 20) while 1", ffmpeg.Killed),
        ("print $i++, qq(=\\n) while 1", ffmpeg.Killed),
        ("print STDERR 'x' x (1 << 20) for 1..50; exit 1", ffmpeg.Failed),
    ],
    ids=["one line", "many words", "many complaints"],
)
async def test_one_that_babbles_costs_no_memory(run: Run, script: str, outcome: type[Exception]) -> None:
    """Whatever is said without end, the processor keeps a little of it."""
    run.program = replace(run.program, program=PERL)
    limits = structs.replace(LIMITS, readable=(*LIBRARIES, "/usr/share/perl", "/etc/perl", os.devnull))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with pytest.raises(outcome):
        await run.program.run(["-e", script], standard_input=run.target, descriptors=[], told=run._hear, limits=limits)

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 << 10
    assert encoders() == []


async def test_whoever_is_told_may_end_it(run: Run) -> None:
    """What listening to the progress raises comes out as it is, and nothing runs on."""

    class Enough(Exception):
        pass

    async def told(_: ffmpeg.Said) -> None:
        raise Enough

    with pytest.raises(Enough):
        await run.program.run(
            [*QUIET, *ENDLESS, "-f", "null", "-"], standard_input=run.target, descriptors=[], told=told
        )
    assert encoders() == []


async def test_a_cancelled_one_is_gone(run: Run) -> None:
    """Whoever is cancelled leaves no process behind, whenever that is."""
    for seconds in (0.0, 0.001, 0.01, 0.1, 0.5):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(seconds):
                await run(*ENDLESS, *RAW)
        assert encoders() == []


async def test_a_machine_without_threads_is_no_verdict(run: Run) -> None:
    """That there was none to spare says nothing of the film, which is tried again later."""
    with pytest.raises(ffmpeg.NotBegun, match="too little to spare"):
        await run(*ENDLESS, *RAW, limits=structs.replace(LIMITS, threads=1))


async def test_one_that_is_told_to_stop_is_nobodys_fault(run: Run) -> None:
    """Whoever ends a server by telling all of its processes does not make it give up on a film."""
    ends: list[signal.Signals] = [signal.SIGTERM]

    async def told(_: ffmpeg.Said) -> None:
        if ends:  # it says how far it came before it goes, and again and again where the machine is busy
            os.kill(encoders()[0], ends.pop())

    with pytest.raises(ffmpeg.Stopped):
        await run.program.run(
            [*QUIET, *ENDLESS, "-f", "null", "-"], standard_input=run.target, descriptors=[], told=told
        )


async def test_a_crash_is_no_verdict(run: Run) -> None:
    """One that is killed says so, for it may have been the machine."""
    ends: list[signal.Signals] = [signal.SIGSEGV]

    async def told(_: ffmpeg.Said) -> None:
        if ends:  # what it said before its end may still be unread
            os.kill(encoders()[0], ends.pop())

    with pytest.raises(ffmpeg.Killed, match="SIGSEGV"):
        await run.program.run(
            [*QUIET, *ENDLESS, "-f", "null", "-"], standard_input=run.target, descriptors=[], told=told
        )


async def test_one_that_cannot_be_started_is_no_verdict(run: Run) -> None:
    """A program that is not there says nothing of the film that it was to read."""
    run.program = replace(run.program, program="/nowhere/ffmpeg")
    with pytest.raises(ffmpeg.NotBegun, match="/nowhere/ffmpeg"):
        await run("-version")


async def test_it_ends_with_its_server(tmp_path: Path) -> None:
    """A server that is killed leaves no ffmpeg behind; one that hears Ctrl+C is heard by nobody else."""
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVER), stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert server.stdout is not None
    child = int(await server.stdout.readline())
    assert runs(child)
    assert (os.getpgid(child), os.getsid(child)) == (child, os.getsid(0)), "in a group of its own, and the same session"

    server.kill()
    await server.communicate()

    await until(lambda: not runs(child))


SERVER = f"""
import asyncio
from pathlib import Path
from processor import ffmpeg
from tests.support.processes import encoders

async def told(said):
    pass

async def main():
    async with ffmpeg.opened() as program:
        silent = {["-v", "error", "-nostdin", "-nostats", *ENDLESS, "-f", "null", "-"]}
        work = asyncio.create_task(program.run(silent, standard_input=0, descriptors=[], told=told))
        while not any(Path(f"/proc/{{child}}/comm").read_text().startswith("ffmpeg") for child in encoders()):
            await asyncio.wait({{work}}, timeout=0.05)
        print(*encoders(), flush=True)
        await work

asyncio.run(main())
"""


@pytest.mark.parametrize(("priority", "policy"), [("low", os.SCHED_OTHER), ("idle", os.SCHED_IDLE)])
async def test_it_gives_way(run: Run, priority: narrow.Priority, policy: int) -> None:
    """Thumbnails come before it, and at idle priority everybody does."""

    class Seen(Exception):
        """How it runs: by which policy, how nicely, and with which class of disk accesses."""

    async def told(_: ffmpeg.Said) -> None:
        (child,) = encoders()
        nice, disk = os.getpriority(os.PRIO_PROCESS, child), confine.LIBC.syscall(IOPRIO_GET, 1, child) >> 13
        raise Seen(os.sched_getscheduler(child), nice, disk)

    with pytest.raises(Seen) as seen:
        await run.program.run(
            [*QUIET, *ENDLESS, "-f", "null", "-"],
            standard_input=run.target,
            descriptors=[],
            told=told,
            limits=structs.replace(LIMITS, priority=priority),
        )

    nicer = min(os.getpriority(os.PRIO_PROCESS, 0) + 15, 19)
    assert seen.value.args == (policy, nicer, 3 if priority == "idle" else 0)
