"""A repository that is not there, or only in part, is an outage: nothing of it is called missing."""

import asyncio
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from nats.aio.client import Client

from common import roots
from common.bus import Bus
from common.files import Offline
from common.marker import Marker
from common.outbox import Relay
from syncer import tending
from syncer.area import Area
from syncer.readers import Readers
from syncer.tending import Tending
from tests.support.rows import ask, do
from tests.support.scanning import Disk
from tests.support.waiting import until

TRIALS = 30


def jpeg(number: int) -> bytes:
    """As much of a photo as a scan looks at."""
    return b"\xff\xd8\xff photo %d" % number


@pytest.fixture
async def full(disk: Disk) -> Disk:
    """A repository with fewer files than it takes to be alarming."""
    for number in range(24):
        disk.write(f"{number % 6}/{number % 2}/{number}.jpg", jpeg(number))
    await disk.settle()
    await disk.settle()
    return disk


async def state(disk: Disk) -> tuple[list[Any], list[Any]]:
    """All that says of a file or an asset whether it is there."""
    return (
        await ask(disk.pool, "select path, state, missing_since, asset_id, read_after from file_records order by path"),
        await ask(disk.pool, "select asset_id, missing_since from assets order by asset_id"),
    )


class Opens:
    """Lets something happen when this process opens something for the n-th time, as a scan does all the time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.at: dict[int, Callable[[], None]] = {}
        self._open, self._lock = os.open, threading.RLock()
        monkeypatch.setattr(os, "open", self)

    def __call__(self, *arguments: Any, **options: Any) -> int:
        with self._lock:
            self.count += 1
            if (happens := self.at.pop(self.count, None)) is not None:
                happens()
        return self._open(*arguments, **options)

    def clear(self) -> int:
        """Begin to count anew; returns how often something was opened."""
        self.at.clear()
        count, self.count = self.count, 0
        return count


@dataclass
class Place:
    """What lies at the root: its repository, or something else for some time."""

    root: Path
    spare: Path

    @property
    def away(self) -> Path:
        return self.root.with_name("away")

    def nothing(self) -> None:
        """As when a disk was pulled out and its mount point with it."""
        os.rename(self.root, self.away)

    def empty(self) -> None:
        """As when a disk is not mounted."""
        self.nothing()
        self.root.mkdir()

    def another(self) -> None:
        """As when another disk is mounted there."""
        self.nothing()
        shutil.copytree(self.spare, self.root)

    def link(self) -> None:
        """As when somebody lets the path lead to something else."""
        self.nothing()
        self.root.symlink_to(self.spare)

    def unmarked(self) -> None:
        """As when half of a repository was copied."""
        self.nothing()
        shutil.copytree(self.spare, self.root)
        (self.root / ".lumiliorepo").unlink()

    def put_back(self) -> None:
        """The disk is there again."""
        if self.away.exists():
            if self.root.is_symlink():
                self.root.unlink()
            elif self.root.exists():
                shutil.rmtree(self.root)
            os.rename(self.away, self.root)


@pytest.fixture
def place(full: Disk) -> Iterator[Place]:
    """Where the repository is, and another one beside it with a photo of its own."""
    spare = full.root.with_name("spare")
    roots.create(bytes(spare), Marker(id=uuid4(), name="Another"))
    (spare / "0").mkdir()
    (spare / "0/another.jpg").write_bytes(jpeg(99))
    made = Place(full.root, spare)
    yield made
    made.put_back()


WAYS = ["nothing", "empty", "another", "link", "unmarked"]


async def test_whatever_comes_into_its_place_amid_a_scan_changes_nothing(
    full: Disk, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At any moment of a scan, for good or for a moment, the repository may be gone or be another one."""
    before, chance, opens = await state(full), Random(0), Opens(monkeypatch)
    await full.scan()
    length = opens.clear()

    for trial in range(TRIALS):
        first = chance.randint(1, length)
        opens.at = {first: getattr(place, WAYS[trial % len(WAYS)])}
        if trial % 2:
            opens.at[chance.randint(first + 1, length + 10)] = place.put_back
        with suppress(Offline):
            await full.scan()
        opens.clear()
        place.put_back()

        assert await state(full) == before, f"trial {trial}"


async def test_what_lies_there_for_no_longer_than_a_walk_is_not_walked(
    full: Disk, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The marker is right before and after; between them a copy with fewer files lay in the place of the repository."""
    before, opens = await state(full), Opens(monkeypatch)
    (await full.holding()).look()
    looking = opens.clear()
    await full.scan()
    length = opens.clear()
    for path in full.root.glob("?/?/*.jpg"):
        (place.spare / path.relative_to(full.root)).parent.mkdir(parents=True, exist_ok=True)

    opens.at = {looking + 2: place.another, length - looking: place.put_back}
    outcome, counts = await full.scan()

    assert (outcome, counts.files, counts.gone) == ("done", 24, 0)
    assert await state(full) == before


async def test_what_was_opened_before_the_marker_was_seen_is_looked_at_again(
    full: Disk, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another repository that lay there when the walk began to hold its directory is found out at the end."""
    before, opens = await state(full), Opens(monkeypatch)

    opens.at = {1: place.another, 2: place.put_back}
    with pytest.raises(Offline):
        await full.scan()

    assert opens.at == {}
    assert await state(full) == before


async def test_mounts_that_come_and_go_amid_a_scan_change_nothing(
    full: Disk, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same with real mounts over the repository: of an empty disk, and of another repository."""
    before, chance, opens = await state(full), Random(1), Opens(monkeypatch)
    await full.scan()
    length = opens.clear()

    for trial in range(TRIALS):
        first = chance.randint(1, length)
        with over(place, is_empty=trial % 3 > 0) as (mount, unmount):
            opens.at = {first: mount}
            if trial % 2:
                opens.at[chance.randint(first + 1, length + 10)] = unmount
            with suppress(Offline):
                await full.scan()
            opens.clear()

        assert await state(full) == before, f"trial {trial}"


@contextmanager
def over(place: Place, *, is_empty: bool) -> Iterator[tuple[Callable[[], None], Callable[[], None]]]:
    """What mounts something over a repository, and what takes it away."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    what = ["-t", "tmpfs", "none"] if is_empty else ["--bind", str(place.spare)]
    mounted: list[bool] = []

    def mount() -> None:
        done = subprocess.run(["mount", *what, str(place.root)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"a mount is needed and not allowed here: {done.stderr.strip()}")
        mounted.append(True)

    def unmount() -> None:
        if mounted:
            subprocess.run(["umount", "--lazy", str(place.root)], check=True)
            mounted.clear()

    try:
        yield mount, unmount
    finally:
        unmount()


@pytest.mark.parametrize("text", [None, b"id: [", b"", b"\xff\xfe"])
async def test_without_its_marker_a_repository_is_not_there(full: Disk, text: bytes | None) -> None:
    """A marker that is missing, or makes no sense, tells that something else is wrong."""
    before = await state(full)
    marker = full.root / ".lumiliorepo"
    if text is None:
        marker.unlink()
    else:
        marker.write_bytes(text)
    shutil.rmtree(full.root / "1")

    with pytest.raises(Offline):
        await full.scan()

    assert await state(full) == before


async def test_the_marker_of_another_is_not_its_own(full: Disk) -> None:
    """Files below another repository's marker are another repository's."""
    before = await state(full)
    (full.root / ".lumiliorepo").write_bytes(msgspec.yaml.encode(Marker(id=uuid4(), name="Another")))
    shutil.rmtree(full.root / "1")

    with pytest.raises(Offline, match="another one"):
        await full.scan()

    assert await state(full) == before


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(5, "Input/output error")])
async def test_a_folder_that_cannot_be_read_says_nothing_of_its_files(
    full: Disk, error: OSError, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What else is found counts, and nothing is called missing, there or elsewhere, until all can be seen."""
    before = await full.catalogue()
    shutil.rmtree(full.root / "1")
    full.write("new.jpg", jpeg(50))
    unreadable = Unreadable(monkeypatch, b"3", error)

    state, counts = await full.settle()
    found = await full.catalogue()
    unreadable.name = b""
    whole, _ = await full.settle()

    assert (state, whole) == ("partial", "done")
    assert found == before | {b"new.jpg": "present"}
    assert counts.troubles == [f"3: {error.strerror}"]
    assert set((await full.catalogue()).values()) == {"present", "missing"}


class Unreadable:
    """A folder of some name cannot be opened, whoever asks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: bytes, error: OSError) -> None:
        self.name, self._error, self._open = name, error, os.open
        monkeypatch.setattr(os, "open", self)

    def __call__(self, path: Any, *arguments: Any, **options: Any) -> int:
        if path == self.name:
            raise self._error
        return self._open(path, *arguments, **options)


async def test_when_all_of_few_files_are_gone_somebody_is_asked(disk: Disk) -> None:
    """A repository with nothing in it but its marker may be one whose folders were not copied yet."""
    disk.write("a.jpg", jpeg(1))
    disk.write("b.jpg", jpeg(2))
    await disk.settle()
    before = await state(disk)

    for name in ("a.jpg", "b.jpg"):
        (disk.root / name).unlink()
    asked, _ = await disk.settle()
    kept = await state(disk)
    allowed, _ = await disk.settle(allowed=2)

    assert (asked, allowed) == ("asking", "done")
    assert kept == before
    assert await disk.assets() == []


@pytest.mark.parametrize("count", [3, 60])
async def test_what_many_small_scans_missed_is_asked_about_before_it_is_hidden(disk: Disk, count: int) -> None:
    """However it is noticed that a whole disk is gone, folder by folder: somebody is asked before it shows."""
    for number in range(count):
        disk.write(f"{number}/{number}.jpg", jpeg(number))
    if count > 3:
        disk.write("rest.jpg", jpeg(99))
    await disk.settle()

    for number in range(count):
        shutil.rmtree(disk.root / str(number))
        await disk.scan(Area(frozenset({b"%d" % number})))
    asked, counts = await disk.settle()
    kept = await disk.assets()
    allowed, _ = await disk.settle(allowed=count)

    assert (asked, len(counts.examples)) == ("asking", min(count, 10))
    assert len(kept) == count + (count > 3)
    assert (allowed, len(await disk.assets())) == ("done", count > 3)


async def test_more_may_not_vanish_than_was_allowed(disk: Disk) -> None:
    """Who allowed two files to be gone has not allowed three."""
    for number in range(3):
        disk.write(f"{number}.jpg", jpeg(number))
    await disk.settle()

    for number in range(3):
        (disk.root / f"{number}.jpg").unlink()
    asked, _ = await disk.settle(allowed=2)

    assert asked == "asking"
    assert len(await disk.assets()) == 3


async def test_an_outage_is_told_and_its_end_as_well(full: Disk, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for a repository hears of both, and whatever changed meanwhile is found when it is back."""
    monkeypatch.setattr(tending, "AWAY_SECONDS", 0.05)
    before = await state(full)
    await do(full.pool, "update asset_stages set state = 'done', next_at = null where stage = 'render'")
    place.empty()
    bus = Bus(client := Client(), client.jetstream())
    work = Tending(full.pool, full.database_url, Relay(full.pool, bus, 60), Readers(1), await full.holding(), 0.05)
    running = asyncio.create_task(work.run())

    await until(lambda: says(full, "offline"))
    away = await state(full)
    (place.away / "5/1/23.jpg").unlink(missing_ok=True)
    place.put_back()
    await until(lambda: says(full, "online"))
    running.cancel()
    await asyncio.wait({running})

    assert away == before
    told = "select subject from outbox where subject like 'lumilio.repository.%' order by outbox_id"
    assert await ask(full.pool, told) == ["lumilio.repository.went_offline", "lumilio.repository.came_online"]
    assert sorted((await full.catalogue()).values()) == ["missing"] + ["present"] * 23
    assert await ask(full.pool, "select distinct state from asset_stages where stage = 'render'") == ["done"]


async def says(disk: Disk, word: str) -> bool:
    return await ask(disk.pool, "select state from repositories") == [word]


async def test_what_is_back_needs_no_rendering(full: Disk) -> None:
    """Files that were called missing and are there again are what they were."""
    shutil.move(full.root / "1", full.root.with_name("elsewhere"))
    await full.settle()
    await full.settle()
    await do(full.pool, "update asset_stages set state = 'done', next_at = null where stage = 'render'")
    hidden = len(await full.assets())

    shutil.move(full.root.with_name("elsewhere"), full.root / "1")
    _, counts = await full.settle()

    assert (hidden, len(await full.assets())) == (20, 24)
    assert counts.returned == 4
    assert await ask(full.pool, "select distinct state from asset_stages where stage = 'render'") == ["done"]


async def test_sightings_of_what_is_missing_are_counted_by_whole_scans_alone(full: Disk) -> None:
    """Whoever judges by them knows since when and how often all of it was looked at in vain."""
    (full.root / "5/1/23.jpg").unlink()

    await full.scan(Area(frozenset({b"5"})))
    of_a_part = await ask(full.pool, "select missed from file_records where state = 'missing'")
    for _ in range(3):
        await full.scan()

    assert of_a_part == [0]
    assert await ask(full.pool, "select missed from file_records where state = 'missing'") == [3]
    assert await ask(full.pool, "select count(*) from assets where trashed_at is not null") == [0]
