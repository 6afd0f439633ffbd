"""Looks at the disks of this machine: what is free on them, and whether repositories are in their place."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from threading import Thread
from typing import NamedTuple

from common import files, marker
from common.repository_queries import Repository
from lumilio.status.seen import Disk
from lumilio.status.settings import StatusSettings

ANSWER_SECONDS = 5
SILENT = "its disk does not answer"


class Look(NamedTuple):
    """What was seen of a folder: its disk and the number of that, and why a repository is not in its place."""

    device: int
    disk: Disk | None
    outage: str


async def look(
    repositories: Sequence[Repository], data: str | None, reserve: StatusSettings
) -> tuple[Sequence[Disk], Mapping[str, str]]:
    """Each disk once, with all that it holds, and why repositories of this machine are not in their place.

    Without a directory nobody knows whether this is their machine, and what is missing here says nothing.
    """
    asked: list[Callable[[], Look]] = [partial(_repository, one, reserve, is_here=bool(data)) for one in repositories]
    if data:
        asked.append(partial(_folder, "the database", os.path.join(data, "postgres"), reserve))
    looks = await asyncio.gather(*map(_soon, asked))
    outages = {one.name: seen.outage for one, seen in zip(repositories, looks, strict=False) if seen.outage}
    return _merged(looks), outages


def _repository(one: Repository, reserve: StatusSettings, *, is_here: bool) -> Look:
    """Another machine may have something else at that path, and another account may not write there."""
    look = marker.check if is_here else marker.recognize
    try:
        look(one.root, one.repository_id, one.private_root)
    except files.Offline as outage:
        return Look(0, None, str(outage) if is_here else "")
    return _folder(one.name, os.fsdecode(one.home), reserve)


def _folder(holds: str, path: str, reserve: StatusSettings) -> Look:
    try:
        disk, device = os.statvfs(path), os.stat(path).st_dev
    except OSError:
        return Look(0, None, "")
    size = disk.f_blocks * disk.f_frsize
    kept = max(reserve.reserve_bytes, int(size * reserve.reserve_percent / 100))
    return Look(device, Disk(holds=holds, path=path, free=disk.f_bavail * disk.f_frsize, size=size, reserve=kept), "")


def _merged(looks: Sequence[Look]) -> list[Disk]:
    """Each disk once, in the order in which they were seen."""
    found: dict[int, list[Disk]] = {}
    for one in looks:
        if one.disk is not None:
            found.setdefault(one.device, []).append(one.disk)
    return [
        Disk(
            holds=" and ".join(dict.fromkeys(disk.holds for disk in disks)),
            path=disks[0].path,
            free=disks[0].free,
            size=disks[0].size,
            reserve=disks[0].reserve,
        )
        for disks in found.values()
    ]


async def _soon(look: Callable[[], Look]) -> Look:
    """What a look gives, in a thread that nobody waits for: a disk may never answer."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Look] = loop.create_future()

    def run() -> None:
        seen = look()
        with contextlib.suppress(RuntimeError):  # whoever asked is gone
            loop.call_soon_threadsafe(answer.set_result, seen)

    Thread(target=run, daemon=True).start()
    await asyncio.wait({answer}, timeout=ANSWER_SECONDS)
    return answer.result() if answer.done() else Look(0, None, SILENT)
