"""A machine at its limits, without names on a disk, descriptors or memory: it refuses, loses nothing and recovers."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from uuid import uuid4

import httpx
import psutil
import pytest

from lumilio.verify import Ack
from tests.support import photos, volumes
from tests.support.client import Client, signed_in
from tests.support.processes import family
from tests.support.settling import until_sound
from tests.support.stack import Stack
from tests.support.waiting import until

DESCRIPTORS = 64
CLIENTS = 90
MEMORY = 1 << 30
CGROUPS = Path("/sys/fs/cgroup/memory")
SMALL = {"LUMILIO_RESERVE_BYTES": str(2 << 20), "LUMILIO_RESERVE_PERCENT": "0"}

# What a client that gave up has left goes at once here.
TIDY = {"LUMILIO_CLEAN_SECONDS": "1", "LUMILIO_ABANDONED_SECONDS": "1"}

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[volumes.Volume]:
    """The disk of the repositories, with few names to give."""
    folder = tmp_path_factory.mktemp("scarce") / "data" / "repositories"
    with volumes.mounted(folder, megabytes=128, inodes=400) as made:
        yield made


@pytest.fixture(scope="module")
def stack(disk: volumes.Volume) -> Iterator[Stack]:
    """A server for all; the first of them sees it as it begins, before anything was decoded."""
    stack = Stack(disk.path.parent, {**SMALL, **TIDY})
    try:
        asyncio.run(stack.start())
        yield stack
    finally:
        asyncio.run(stack.end())


async def attempt(client: Client, seed: int) -> int:
    """Send a photo over a connection of its own, and note what was acknowledged; 0 when there is no answer."""
    async with httpx.AsyncClient(base_url=client.http.base_url, headers=client.http.headers, timeout=30) as http:
        try:
            answer = await http.post("/assets", files={"file": (f"{seed}.jpg", photos.jpeg(400, 300, seed=seed))})
        except httpx.TransportError:
            return 0
    if answer.status_code == 200:
        data = answer.json()["data"]
        client.acks.append(Ack(asset_id=data["asset_id"], content_hash=data["content_hash"]))
    return answer.status_code


async def answers(client: Client, status: int, seed: int) -> bool:
    return await attempt(client, seed) == status


@contextmanager
def descriptors(pid: int, limit: int) -> Iterator[None]:
    """A process that may open only so many files."""
    process = psutil.Process(pid)
    before = process.rlimit(psutil.RLIMIT_NOFILE)
    process.rlimit(psutil.RLIMIT_NOFILE, (limit, before[1]))
    try:
        yield
    finally:
        process.rlimit(psutil.RLIMIT_NOFILE, before)


@pytest.fixture
def scarce() -> Iterator[Path]:
    """A group of processes that share so much memory."""
    group = CGROUPS / f"lumilio-{uuid4().hex}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(MEMORY))
    except OSError as error:
        pytest.skip(f"no memory can be limited here: {error}")
    yield group
    for pid in (group / "cgroup.procs").read_text().split():
        with suppress(OSError):
            (CGROUPS / "cgroup.procs").write_text(pid)
    group.rmdir()


async def test_a_gigabyte_of_memory_is_enough(scarce: Path, stack: Stack) -> None:
    """Everything together takes photos of 12 megapixels and renders them, each that was acknowledged."""
    shot = photos.jpeg(4000, 3000, seed=1)
    async with signed_in(stack) as client:
        for pid in family(psutil.Process(stack.pid("gateway")).ppid()):
            (scarce / "cgroup.procs").write_text(str(pid))

        await asyncio.gather(*(client.send(shot + b"shot %d" % number, f"{number}.jpg") for number in range(8)))

        await until_sound(stack, client.acks)
    assert "oom_kill 0" in (scarce / "memory.oom_control").read_text().splitlines()


async def test_without_names_or_descriptors_uploads_are_refused(stack: Stack, disk: volumes.Volume) -> None:
    """Whoever is refused is told so, whoever is not has their photo; and nobody has to restart anything."""
    async with signed_in(stack) as client:
        assert await answers(client, 200, 0)

        disk.take_inodes()
        assert await answers(client, 507, 1)
        disk.clear()
        assert await answers(client, 200, 1)

        with descriptors(stack.pid("gateway"), DESCRIPTORS):
            told = await asyncio.gather(*(attempt(client, seed) for seed in range(2, CLIENTS)))
        assert set(told) <= {0, 200, 503}
        assert set(told) & {0, 503}

        await until(partial(answers, client, 200, CLIENTS), seconds=60)
        await until_sound(stack, client.acks)
