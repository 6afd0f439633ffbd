"""ffmpeg as the processor runs it: it tells how far it is, comes to an end, and ends with its server."""

import asyncio
import os
import platform
import resource
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from processor import confine, ffmpeg, narrow
from processor.ffmpeg import LIMITS, Patience
from processor.narrow import LIBRARIES
from tests.support.ffmpegs import ENDLESS, PERL, QUIET, RAW, Run, running
from tests.support.processes import encoders, runs
from tests.support.waiting import until

IOPRIO_GET = narrow.IOPRIO_SET[platform.machine()] + 1


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Run]:
    async with running(tmp_path / "target") as opened:
        yield opened


async def test_it_makes_what_it_is_asked_for(run: Run) -> None:
    """Output goes to the descriptor, and what is told of the progress ends with the end."""
    await run("-f", "lavfi", "-i", "testsrc=d=1:s=64x64:r=10", *RAW)

    assert run.length() == 10 * 64 * 64 * 3
    assert (run.told[-1]["progress"], run.told[-1]["frame"]) == ("end", "10")


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
            told=run.hear,
        )
    os.close(reading)
    os.close(writing)


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
        await run.program.run(["-e", script], standard_input=run.target, descriptors=[], told=run.hear, limits=limits)

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
    """Thumbnails come before it, at idle priority everybody does, and it is the first to go when memory runs out."""

    class Seen(Exception):
        """How it runs: by which policy, how nicely, with which class of disk accesses, and how it goes."""

    async def told(_: ffmpeg.Said) -> None:
        (child,) = encoders()
        nice, disk = os.getpriority(os.PRIO_PROCESS, child), confine.LIBC.syscall(IOPRIO_GET, 1, child) >> 13
        goes = Path(f"/proc/{child}/oom_score_adj").read_text().strip()
        raise Seen(os.sched_getscheduler(child), nice, disk, goes)

    with pytest.raises(Seen) as seen:
        await run.program.run(
            [*QUIET, *ENDLESS, "-f", "null", "-"],
            standard_input=run.target,
            descriptors=[],
            told=told,
            limits=structs.replace(LIMITS, priority=priority),
        )

    nicer = min(os.getpriority(os.PRIO_PROCESS, 0) + 15, 19)
    assert seen.value.args == (policy, nicer, 3 if priority == "idle" else 0, confine.OOM_SCORE)
