"""What a file can do to us: nothing."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import psutil
import pytest
from PIL import Image

from processor import confine, decoders, images, sandbox
from processor.sandbox import Died, Sandbox, Status
from processor.unreadable import Unreadable
from tests.support import escapes, media
from tests.support.scraping import scrape, value
from tests.support.waiting import until

MODULES = (*sandbox.DECODERS, "tests.support.escapes")
QUICK = msgspec.structs.replace(sandbox.PHOTO, seconds=0.3)
SECONDS_TO_DIE = 3


@pytest.fixture
async def box() -> AsyncIterator[Sandbox]:
    async with sandbox.open(2, modules=MODULES) as opened:
        yield opened


def sandboxed(service: int | None = None) -> list[psutil.Process]:
    """The zygote of a service, by default ourselves, and behind it its children; not that which all tests share."""
    for process in psutil.Process(service).children():
        if {"processor.zygote", "tests.support.escapes"}.issubset(process.cmdline()):
            return [process, *process.children()]
    return []


def survivors(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those of the processes that do not end in time."""
    alive: list[psutil.Process] = psutil.wait_procs(processes, timeout=SECONDS_TO_DIE)[1]
    return alive


async def test_photos_are_rendered(box: Sandbox, tmp_path: Path) -> None:
    """A photo comes out of the sandbox as it does without one, whatever its camera wrote."""
    path = tmp_path / "photo.jpg"
    media.quadrants().save(path, exif=media.everything())
    with path.open("rb") as file:
        plain = images.render(file, "image/jpeg")
        file.seek(100)

        by_descriptor = await box.run(images.render, file.fileno(), "image/jpeg", owner=1)
        by_path = await box.run(images.render, path, "image/jpeg", owner=1)

    assert by_descriptor == by_path == plain
    assert (plain.metadata.description, plain.metadata.offset_minutes, plain.metadata.notes) == ("schön", 120, ())
    await box.run(decoders.self_test, None, owner=1)


async def test_no_escape(box: Sandbox) -> None:
    """Code that runs inside the sandbox has the file it was given, its own memory, and nothing else."""
    if box.status.level != "full":
        pytest.skip(str(box.status.reason))

    answers = {escape: await box.run(escapes.attempt, None, escape, owner=1) for escape in escapes.ESCAPES}

    assert answers == dict.fromkeys(escapes.ESCAPES, "EPERM") | {
        "fork by clone3": "ENOSYS",
        "open everything": "EMFILE",
    }
    assert not Path("/tmp/escaped").exists()


def test_escapes_are_real() -> None:
    """What the sandbox denies is possible outside of it."""
    harmless = [
        "read a file",
        "list a folder",
        "make an internet socket",
        "make a pair of sockets",
        "fork",
        "load code",
    ]

    code = f"from tests.support.escapes import attempt; print(*(attempt(name) for name in {harmless}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["escaped"] * len(harmless)


@pytest.mark.skipif(not confine.walls().landlock, reason="this kernel has no Landlock")
def test_landlock_stands_alone() -> None:
    """Were the system call filter to fail, Landlock alone would still deny every file."""
    alone = "from processor import confine; confine.forbid_privileges(); confine.restrict(confine.walls().landlock)"
    tries = f"print(*(attempt(name) for name in {['read a file', 'list a folder', 'write a file']}))"
    code = f"from tests.support.escapes import attempt; {alone}; {tries}"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["EACCES"] * 3


async def test_originals_cannot_be_written(box: Sandbox, tmp_path: Path) -> None:
    """The file under the decoder is read-only, and a descriptor that is not is refused."""
    (tmp_path / "photo").write_bytes(b"original")
    with (tmp_path / "photo").open("r+b") as writable, pytest.raises(ValueError, match="reading only"):
        await box.run(escapes.write_to, writable.fileno(), owner=1)

    assert await box.run(escapes.write_to, tmp_path / "photo", owner=1) in {"EPERM", "EBADF"}
    assert (tmp_path / "photo").read_bytes() == b"original"


@pytest.mark.parametrize(
    ("deed", "reason", "kind"),
    [
        (escapes.crash, r"crashed \(SIGSEGV\)", "crash"),
        (escapes.abort, r"crashed \(SIGABRT\)", "crash"),
        (escapes.leave, "ended without an answer", "other"),
        (escapes.loop, "took longer than 0.3 seconds", "time"),
        (escapes.hang_up_and_stay, "hung up without an answer", "other"),
        (escapes.eat, "needed more than 1.75 GB of memory", "memory"),
        (escapes.break_down, "ZeroDivisionError: nobody thought of this", "other"),
        (escapes.promise_a_number, "answered with nonsense", "answer"),
    ],
    ids=lambda deed: getattr(deed, "__name__", ""),
)
async def test_only_the_file_is_hurt(box: Sandbox, deed: object, reason: str, kind: str) -> None:
    """A decoder that crashes, loops or eats memory ends with a reason and is counted; the next file is read as ever."""
    assert callable(deed)
    before = await scrape()
    with pytest.raises(Died, match=reason):
        await box.run(deed, None, owner=1, limits=QUICK if kind == "time" else sandbox.PHOTO)

    told = value(await scrape(), "lumilio_sandbox_kills_total", reason=kind)
    assert told == value(before, "lumilio_sandbox_kills_total", reason=kind) + 1
    assert await box.run(escapes.attempt, None, "read a file", owner=1) == "EPERM"


async def test_whoever_is_killed_from_outside_is_told_so(box: Sandbox) -> None:
    """As the kernel does where a container has too little memory: nothing is wrong with the file."""
    process = await box.run(escapes.process, None, owner=1)

    reading = asyncio.create_task(box.run(escapes.loop, None, owner=1))
    await asyncio.sleep(0)  # it is asked
    os.kill(process, signal.SIGKILL)

    with pytest.raises(Died, match="was killed, as happens where memory runs out"):
        await reading


async def test_verdicts_arrive(box: Sandbox) -> None:
    """The decoder's verdict on a file is raised with its words, and its process is not used again."""
    before = await box.run(escapes.process, None, owner=1)

    with pytest.raises(Unreadable, match=r"^the file is damaged: so it says$"):
        await box.run(escapes.refuse, None, owner=1)

    assert await box.run(escapes.process, None, owner=1) != before


async def test_long_answers_are_refused(box: Sandbox) -> None:
    """A process cannot fill our memory with its answer."""
    narrow = msgspec.structs.replace(sandbox.PHOTO, answer=1 << 20)

    assert len(await box.run(escapes.talk, None, 1_000_000, owner=1, limits=narrow)) == 1_000_000
    with pytest.raises(Died, match="answered with more than 1 MB"):
        await box.run(escapes.talk, None, 2_000_000, owner=1, limits=narrow)


async def test_a_process_reads_one_owners_files(box: Sandbox) -> None:
    """A process is used again for its owner, never for another, and there are never more than allowed."""
    first = await box.run(escapes.process, None, owner=1)
    again = await box.run(escapes.process, None, owner=1)
    others = [await box.run(escapes.process, None, owner=owner) for owner in range(2, 7)]

    assert first == again
    assert len({first, *others}) == 6
    assert not survivors([child for child in sandboxed() if child.pid in {first, *others[:-2]}])


async def test_a_process_reads_its_share(box: Sandbox) -> None:
    """After its share of files a process makes room for a fresh one."""
    limits = msgspec.structs.replace(sandbox.PHOTO, files=2)

    processes = [await box.run(escapes.process, None, owner=1, limits=limits) for _ in range(4)]

    assert processes[0] == processes[1] != processes[2] == processes[3]


async def test_a_cancelled_read_leaves_no_process(box: Sandbox) -> None:
    """Whoever stops waiting for a file stops its process too."""
    reading = asyncio.create_task(box.run(escapes.loop, None, owner=1))
    while len(sandboxed()) < 2:  # the zygote and the reader
        await asyncio.sleep(0)
    zygote, *readers = sandboxed()

    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    assert not await asyncio.to_thread(survivors, readers)
    assert zygote.is_running()


async def test_the_zygote_has_one_thread(box: Sandbox) -> None:
    """No library starts threads in the process that forks: its copies could wait for ever for what another one held."""
    await box.run(escapes.process, None, owner=1)

    assert [process.num_threads() for process in sandboxed()] == [1, 1]


async def test_a_dead_zygote_is_replaced(box: Sandbox) -> None:
    """When the process that forks is killed, its children die and the next file gets a new one."""
    await box.run(escapes.process, None, owner=1)
    before = sandboxed()

    before[0].kill()

    assert not await asyncio.to_thread(survivors, before)
    assert await box.run(escapes.first_bytes, Path(__file__), 3, owner=1) == b'"""'


async def test_a_machine_at_its_limits_costs_no_file(box: Sandbox) -> None:
    """Where no more processes can be had, those that read go on, and it is said that no file is at fault."""
    await box.run(escapes.process, None, owner=1)
    reading = asyncio.create_task(box.run(escapes.process, None, owner=1))
    zygote = sandboxed()[0]
    before = zygote.rlimit(resource.RLIMIT_NOFILE)

    for room in range(2):  # for nothing, and for its line alone
        await until(lambda: zygote.status() == psutil.STATUS_SLEEPING, what="it has closed what it passed on")
        taken = set(map(int, os.listdir(f"/proc/{zygote.pid}/fd")))
        free = [number for number in range(len(taken) + 2) if number not in taken]
        zygote.rlimit(resource.RLIMIT_NOFILE, (free[room], before[1]))
        with pytest.raises(sandbox.NoRoom):  # one that answers at once may have done so before it is noticed
            await box.run(escapes.loop, None, owner=2)
    zygote.rlimit(resource.RLIMIT_NOFILE, before)

    await reading
    await box.run(escapes.process, None, owner=2)
    assert sandboxed()[0] == zygote


@pytest.mark.parametrize("failure", [escapes.starve, escapes.read_a_broken_disk])
async def test_a_reader_whom_the_machine_fails_costs_no_file(box: Sandbox, failure: Callable[[], None]) -> None:
    """A decoder that gets no thread, or no bytes from the disk, tells nothing of its file."""
    with pytest.raises(sandbox.NoRoom, match=r"^(OSError|BlockingIOError)"):
        await box.run(failure, None, owner=1)


async def test_closing_leaves_no_process() -> None:
    """When the sandbox closes, idle and busy processes are gone within a second."""
    async with sandbox.open(2, modules=MODULES) as box:
        await box.run(escapes.process, None, owner=1)
        reading = asyncio.create_task(box.run(escapes.loop, None, owner=2))
        while len(sandboxed()) < 3:
            await asyncio.sleep(0)
        processes = sandboxed()
        reading.cancel()
        started = asyncio.get_running_loop().time()

    assert asyncio.get_running_loop().time() - started < 1
    assert not survivors(processes)


SERVICE = """
import asyncio
from processor import sandbox
from tests.support import escapes

async def serve():
    async with sandbox.open(2, modules=("tests.support.escapes",)) as box:
        await box.run(escapes.process, None, owner=1)
        print("ready", flush=True)
        await box.run(escapes.loop, None, owner=2)

asyncio.run(serve())
"""


def test_a_killed_service_leaves_no_process() -> None:
    """After kill -9 of the service neither the zygote nor an idle or busy child lives on."""
    with subprocess.Popen([sys.executable, "-c", SERVICE], stdout=subprocess.PIPE) as service:
        assert service.stdout is not None
        service.stdout.readline()
        family: list[psutil.Process] = []
        while len(family) < 3:
            family = sandboxed(service.pid)
        service.kill()

    assert not survivors(family)


async def test_walls_can_be_demanded(box: Sandbox) -> None:
    """The sandbox says how well it confines, and with `require` opens only where it does so fully."""
    if box.status.level == "full":
        async with sandbox.open(1, require=True) as opened:
            assert opened.status == Status("full")
    else:
        with pytest.raises(RuntimeError, match="the sandbox is reduced"):
            async with sandbox.open(1, require=True):
                pass


async def test_hundreds_of_bad_files_in_a_row(box: Sandbox, tmp_path: Path) -> None:
    """After 300 files that crashed, looped or ate memory the same service reads the next one, and did so in between."""
    media.quadrants().save(tmp_path / "photo.jpg")
    zygote = sandboxed()[0]
    brief = msgspec.structs.replace(sandbox.PHOTO, seconds=0.05)
    deeds: list[Callable[[], object]] = [escapes.crash, escapes.eat, escapes.loop]

    async def dies(deed: Callable[[], object]) -> None:
        with pytest.raises(Died):
            await box.run(deed, None, owner=1, limits=brief if deed is escapes.loop else sandbox.PHOTO)

    for _ in range(10):
        await asyncio.gather(*(dies(deed) for deed in deeds * 10))
        assert (await box.run(images.render, tmp_path / "photo.jpg", "image/jpeg", owner=2)).width == 480

    assert sandboxed()[0] == zygote


async def test_large_pictures_need_no_disk(box: Sandbox, tmp_path: Path) -> None:
    """A picture that can only be decoded whole is held in memory, for there is nowhere else to put it."""
    Image.new("RGB", (6200, 6200)).save(tmp_path / "photo.webp", lossless=True, quality=0, method=0)

    assert (await box.run(images.render, tmp_path / "photo.webp", "image/webp", owner=1)).width == 6200


async def test_the_loop_goes_on(box: Sandbox, tmp_path: Path) -> None:
    """While a photo is rendered the event loop does other work."""
    media.quadrants(4000, 3000).save(tmp_path / "photo.jpg")
    rendering = asyncio.create_task(box.run(images.render, tmp_path / "photo.jpg", "image/jpeg", owner=1))
    turns = 0

    while not rendering.done():
        await asyncio.sleep(0)
        turns += 1

    assert (await rendering).width == 4000
    assert turns > 100


async def test_decoders_give_way(box: Sandbox) -> None:
    """Whoever takes files in and answers people goes first when there are not cores enough."""
    await box.run(escapes.process, None, owner=1)

    assert min(process.nice() for process in sandboxed()) > psutil.Process().nice()


async def test_decoders_are_the_first_to_go_when_memory_runs_out(box: Sandbox) -> None:
    """The kernel takes one of them rather than the service, or the database beside it."""
    await box.run(escapes.process, None, owner=1)

    scores = {Path(f"/proc/{process.pid}/oom_score_adj").read_text().strip() for process in sandboxed()}

    assert scores == {confine.OOM_SCORE}
