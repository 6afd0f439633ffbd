"""Scans: a file that was copied in, a hundred thousand that are new, and a million that are as they were."""

import asyncio
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

from blake3 import blake3

from common import roots
from common.marker import Marker
from tests.bench import costs
from tests.bench.figures import Bench, Results, pause
from tests.support.waiting import until

FOLDERS = 1_000
KNOWN, NEW, NEW_BYTES, HEAD_BYTES = 1_000_000, 100_000, 50_000, 4096
SINGLES, ROUNDS = 25, 3
EMPTY = f"\\\\x{blake3().hexdigest()}"

RECORDS = "copy file_records (repository_id, path, size, modified_ns, inode, content_hash, mime_type) from stdin"
WISH = "insert into sync_operations (repository_id, folder, reason) values (%s, '', 'requested')"
COPIED = "select count(*) from file_records f join assets using (asset_id) where f.path like 'Copied/%'"
OPEN = """
    select case when count(*) filter (where state = 'done') > 0 then count(*) filter (where state <> 'done') else 1 end
    from sync_operations
    where repository_id = %(repository)s
"""
UNREAD = "select count(*) from file_records where repository_id = %(repository)s and state <> 'present'"
STARTED = """
    select extract(epoch from started_at)
    from sync_operations
    where repository_id = %(repository)s
    order by operation_id
    limit 1
"""
TOOK = """
    select extract(epoch from ended_at - started_at)
    from sync_operations
    where repository_id = %(repository)s
    order by operation_id desc
    limit 1
"""
NEWS = """
    select count(*)
    from sync_operations
    where repository_id = %(repository)s and counts ?| array['new', 'changed', 'moved', 'gone']
"""


async def scans_single(bench: Bench) -> Results:
    """From the last byte of a file that somebody copies into a folder until its asset is in the catalogue."""
    folder = bench.stack.repository / "Copied"
    folder.mkdir()
    times = []
    for number in range(SINGLES):
        (folder / f"{number}.jpg").write_bytes(_start())
        began = time.monotonic()
        await until(partial(_has_copied, bench, number + 1), seconds=60, every=0.02)
        times.append(time.monotonic() - began)
    return {
        "scans: a copied file is an asset after, s (median)": statistics.median(times),
        f"scans: the longest of {SINGLES}, s (<= 3.5)": max(times),
    }


async def scans_new(bench: Bench) -> Results:
    """A folder of new files until each is an asset with its stages; nothing is rendered meanwhile."""
    await pause(bench)
    root = bench.folder / "new"
    await asyncio.to_thread(_make, root, NEW, _start, NEW_BYTES)
    bare = await asyncio.to_thread(_hash_all, root)
    repository = await _add(bench, root)
    await until(lambda: _is_taken(bench, repository), seconds=900, every=0.1)
    ours = time.time() - await _number(bench, STARTED, repository)
    bare = min(bare, await asyncio.to_thread(_hash_all, root))
    return {
        "scans: new files of 50 kB, found, read and registered a second": NEW / ours,
        "scans: the same files hashed and nothing else, a second": NEW / bare,
        "scans: ratio of the times (<= 5)": ours / bare,
    }


async def scans_unchanged(bench: Bench) -> Results:
    """A million files that are as the catalogue has them, by turns with `find`."""
    root = bench.folder / "known"
    await asyncio.to_thread(_make, root, KNOWN, bytes, 0)
    repository = await _add(bench, root, are_known=True)
    ours, bare = [], []
    for number in range(ROUNDS):
        if number:
            await bench.conn.execute(WISH, (repository,))
        await until(lambda: _is_done(bench, repository), seconds=300, every=0.5)
        ours.append(await _number(bench, TOOK, repository))
        bare.append(await asyncio.to_thread(_find, root))
    assert await _number(bench, NEWS, repository) == 0
    return {
        "scans: a million unchanged files, s": statistics.median(ours),
        "scans: find, s": statistics.median(bare),
        "scans: ratio of the times (<= 3)": statistics.median(a / b for a, b in zip(ours, bare, strict=True)),
        "scans: the most memory that syncer had, MB (<= 150)": costs.peak_mb(bench.stack, "syncer"),
    }


def _start() -> bytes:
    """As much of a JPEG as nobody has looked behind, with bytes of its own."""
    return b"\xff\xd8\xff\xe0\0\x10JFIF\0" + os.urandom(HEAD_BYTES - 11)


def _make(root: Path, count: int, content: Callable[[], bytes], size: int) -> None:
    """Files that begin with their own bytes; the rest is a hole, so that no disk is measured."""
    for folder in range(FOLDERS):
        path = root / f"{folder % 40:02}" / f"folder {folder:04}"
        path.mkdir(parents=True)
        for number in range(count // FOLDERS):
            with open(f"{path}/IMG_{number:05}.jpg", "wb", buffering=0) as file:
                file.write(content())
                file.truncate(size)


def _files(root: Path) -> Iterator[os.DirEntry[bytes]]:
    waiting = [bytes(root)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    waiting.append(entry.path)
                else:
                    yield entry


def _hash_all(root: Path) -> float:
    """Seconds of reading and hashing in one process, which knows their names already."""
    paths = [entry.path for entry in _files(root)]
    began = time.monotonic()
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        blake3(os.read(descriptor, 1 << 20)).digest()
        os.close(descriptor)
    return time.monotonic() - began


def _find(root: Path) -> float:
    began = time.monotonic()
    subprocess.run(["find", root, "-printf", "%p %s %T@ %i\n"], stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - began


async def _add(bench: Bench, root: Path, *, are_known: bool = False) -> UUID:
    """Another repository, of which syncer hears once its files are recorded, if they are to be known."""
    repository = uuid4()
    rows = b"".join(_row(repository, root, entry) for entry in _files(root)) if are_known else b""
    await asyncio.to_thread(roots.create, bytes(root), Marker(id=repository, name=root.name))
    async with bench.conn.transaction():
        await bench.conn.execute(
            "insert into repositories (repository_id, name, root) values (%s, %s, %s)",
            (repository, root.name, bytes(root)),
        )
        async with bench.conn.cursor() as cursor, cursor.copy(RECORDS) as copy:
            await copy.write(rows)
    await bench.conn.execute("vacuum analyze file_records")
    return repository


def _row(repository: UUID, root: Path, entry: "os.DirEntry[bytes]") -> bytes:
    status = entry.stat()
    path = os.path.relpath(entry.path, bytes(root)).hex()
    facts = (str(repository), f"\\\\x{path}", status.st_size, status.st_mtime_ns, status.st_ino, EMPTY, "image/jpeg")
    return "\t".join(map(str, facts)).encode() + b"\n"


async def _number(bench: Bench, question: str, repository: UUID) -> float:
    row = await (await bench.conn.execute(question.encode(), {"repository": repository})).fetchone()
    return float(row[0] or 0) if row else 0


async def _has_copied(bench: Bench, count: int) -> bool:
    return await bench.ask(COPIED) == count


async def _is_taken(bench: Bench, repository: UUID) -> bool:
    return await _is_done(bench, repository) and not await _number(bench, UNREAD, repository)


async def _is_done(bench: Bench, repository: UUID) -> bool:
    return await _number(bench, OPEN, repository) == 0


ALL = (scans_single, scans_new, scans_unchanged)
