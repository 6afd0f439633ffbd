"""People who change folders of their own in every way there is, while scanning, reading and registering crash.

The model is the disk itself: once all is quiet, the catalogue says of every file what it is, and nothing else. What was
moved or edited since it was quiet last is followed by its path, so that assets are seen to stay themselves.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import ClassVar
from uuid import UUID

import psycopg
from blake3 import blake3
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, rule
from nats.aio.client import Client

from common import db, trash
from common.bus import Bus
from common.db import Connection
from common.outbox import Relay
from ingest import found
from ingest.handlers import Ingest
from lumilio.postgres import Postgres
from syncer.area import Area, area
from syncer.looking import Look
from syncer.reading import Reading, Wanted
from syncer.scans import Holding, NotOurs, Scan
from syncer.taking import Taking
from tests.chaos import lives
from tests.chaos.figures import Figures
from tests.support import databases, given, placing
from tests.support.intake import send
from tests.support.rows import ask, do
from tests.support.scanning import Disk, HereReaders

FOLDERS = (b"", b"A", b"a", b"A/sub", b"A/sub/deep", b"b\xff", "\u00e9".encode(), "e\u0301".encode())
NAMES = (b"x.jpg", b"X.jpg", b"y.jpg", b"\xe4.jpg")
PASSED_OVER = (b".x.jpg", b"x.tmp", b"Thumbs.db")
PHOTOS = tuple(b"\xff\xd8\xff photo %d" % number for number in range(4))
TEXT = b"this is no picture"
MANY = 10**6

folders = some.sampled_from(FOLDERS)
names = some.sampled_from(NAMES)
contents = some.sampled_from((*PHOTOS, TEXT)) | some.none()
numbers = some.integers(0, 30)
ENDS = ("dies", "cancelled", "cut off", "replaced")
crashes = some.none() | some.tuples(some.integers(1, 6), some.sampled_from(ENDS))


class Crash(Exception):
    """A process ends here."""


@dataclass(frozen=True)
class Frail(Holding):
    """A lease under which work ends badly when it is looked at the n-th time."""

    after: int = 0
    how: str = ""
    looks: list[None] = field(default_factory=list)

    async def check(self, conn: Connection) -> None:
        await super().check(conn)
        self.looks.append(None)
        if len(self.looks) != self.after:
            return
        if self.how == "dies":
            raise Crash
        if self.how == "replaced":
            raise NotOurs
        if self.how == "cut off":
            await conn.execute("select pg_terminate_backend(pg_backend_pid())")
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)


@dataclass
class Amid(Scan):
    """A scan during which people go on: between the look at the disk and the comparison."""

    meanwhile: Callable[[], None] = lambda: None

    async def _look(self, conn: Connection) -> Look:
        look = await super()._look(conn)
        self.meanwhile()
        return look


@dataclass
class Distracted(HereReaders):
    """Reads, and then people go on before it is saved."""

    meanwhile: Callable[[], None] = lambda: None

    async def read(self, root: bytes, wanted: list[Wanted]) -> list[Reading]:  # type: ignore[override]
        readings = await super().read(root, wanted)
        self.meanwhile()
        return readings


@dataclass
class Trace:
    """What became of a file since it was quiet: where it is, and with which contents it was there."""

    asset_id: UUID
    path: bytes | None
    written: list[bytes] = field(default_factory=list)
    has_moved: bool = False


class Folders(RuleBasedStateMachine):
    """One repository, and whoever has something to do with it."""

    server: ClassVar[Postgres]
    steps: ClassVar[int] = 0
    owners: set[int]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.opened = AsyncExitStack()
        self.traces: dict[bytes, Trace] = {}
        self.reused: set[bytes] = set()
        self.unique = 0
        self.ticks = 0
        self.promised: set[bytes] = set()
        self.trashed: dict[UUID, bool] = {}
        self.runner.run(self._open())

    async def _open(self) -> None:
        url = self.opened.enter_context(databases.fresh(self.server))
        folder = Path(self.opened.enter_context(tempfile.TemporaryDirectory(prefix="lumilio-folders-")))
        self.outside = folder / "outside"
        self.outside.mkdir()
        self.pool = await self.opened.enter_async_context(db.open_pool(url))
        self.repository = await given.new_repository(self.pool, bytes(folder / "repository"))
        self.users = [await given.new_user(self.pool, name, "", password_hash="") for name in ("anna", "ben")]
        await do(self.pool, f"update repositories set owner_id = {self.users[0].user_id}")
        self.owners = {self.users[0].user_id}
        self.disk = Disk(self.pool, url, self.repository, self.users[0])
        self.root = bytes(self.disk.root)
        self.ingest = Ingest(self.pool)
        self.taking = Taking(self.pool, Distracted(1), await self.disk.holding())
        await self._settle()

    # What people do.

    @rule(folder=folders, name=names | some.sampled_from(PASSED_OVER), content=contents)
    def write(self, folder: bytes, name: bytes, content: bytes | None) -> None:
        """A file is written in place, or anew."""
        self._write(_join(folder, name), content)

    @rule(number=numbers, content=contents, way=some.sampled_from(["in place", "over", "same time"]))
    def edit(self, number: int, content: bytes | None, way: str) -> None:
        """Another program saves a file, as programs do."""
        if (path := self._some_file(number, is_own=True)) is not None:
            self._write(path, content, way=way)

    @rule(number=numbers, folder=folders, name=names)
    def move(self, number: int, folder: bytes, name: bytes) -> None:
        """A file gets another name, which may be another file's."""
        if (path := self._some_file(number)) is not None:
            self._move(path, _join(folder, name))

    @rule(one=numbers, other=numbers)
    def swap(self, one: int, other: int) -> None:
        a, b = self._some_file(one, is_own=True), self._some_file(other, is_own=True)
        if a and b and a != b:
            self._move(a, b"swapping.jpg")
            self._move(b, a)
            self._move(b"swapping.jpg", b)

    @rule(folder=folders, other=folders)
    def move_folder(self, folder: bytes, other: bytes) -> None:
        self._move_folder(folder, other)

    @rule(folder=folders, other=folders)
    def swap_folders(self, folder: bytes, other: bytes) -> None:
        if folder and other and not other.startswith(folder + b"/") and not folder.startswith(other + b"/"):
            self._move_folder(folder, b"swapping")
            self._move_folder(other, folder)
            self._move_folder(b"swapping", other)

    @rule(number=numbers)
    def delete(self, number: int) -> None:
        if (path := self._some_file(number)) is not None:
            self._touch(path)
            os.unlink(self._at(path))
            self._follow(path, None)

    @rule(number=numbers)
    def take_out(self, number: int) -> None:
        """A file goes to a place of which nobody here knows."""
        if (path := self._some_file(number)) is not None:
            self._touch(path)
            os.rename(self._at(path), os.path.join(bytes(self.outside), b"%d" % self._tick()))
            self._follow(path, None)

    @rule(number=numbers, folder=folders, name=names)
    def bring_back(self, number: int, folder: bytes, name: bytes) -> None:
        kept = sorted(os.listdir(bytes(self.outside)))
        if kept:
            path = _join(folder, name)
            self._make_way(path)
            os.rename(os.path.join(bytes(self.outside), kept[number % len(kept)]), self._at(path))
            self._overwritten(path)

    @rule(number=numbers, folder=folders, name=names, is_link=some.booleans())
    def copy(self, number: int, folder: bytes, name: bytes, is_link: bool) -> None:
        source, path = self._some_file(number), _join(folder, name)
        if source is None or os.path.lexists(self._at(path)):
            return
        self._make_way(path)
        if is_link:
            os.link(self._at(source), self._at(path))
            self._forget_links(os.stat(self._at(path)).st_ino)
        else:
            shutil.copy2(self._at(source), self._at(path))
        self._overwritten(path)

    @rule(content=some.sampled_from(PHOTOS), user=some.integers(0, 1), is_placed=some.booleans())
    def upload(self, content: bytes, user: int, is_placed: bool) -> None:
        """What is acknowledged stays until somebody deletes it by hand."""
        self.runner.run(self._upload(content, user, is_placed=is_placed))

    async def _upload(self, content: bytes, user: int, *, is_placed: bool) -> None:
        answer = await send(self.pool, self.repository, self.users[user], content, "x.jpg")
        self.promised.add(content)
        self.owners.add(self.users[user].user_id)
        self.trashed[UUID(str(answer.asset_id))] = False
        if is_placed:
            await placing.place_all(self.pool, self.ingest)

    @rule(number=numbers, is_trashed=some.booleans(), is_moved=some.booleans())
    def wish(self, number: int, is_trashed: bool, is_moved: bool) -> None:
        """An asset is thrown away or taken back."""
        self.runner.run(self._wish(number, is_trashed=is_trashed, is_moved=is_moved))

    async def _wish(self, number: int, *, is_trashed: bool, is_moved: bool) -> None:
        assets = await ask(self.pool, "select asset_id, owner_id from assets order by asset_id")
        if not assets:
            return
        asset, owner = assets[number % len(assets)]
        async with self.pool.connection() as conn:
            await (trash.put if is_trashed else trash.take_back)(conn, asset, owner=owner)
        self.trashed[asset] = is_trashed
        if is_moved:
            await placing.place_all(self.pool, self.ingest)

    # What the services do.

    @rule(trees=some.sets(folders, max_size=2), flat=some.sets(folders, max_size=3), crash=crashes)
    def scan(self, trees: set[bytes], flat: set[bytes], crash: tuple[int, str] | None) -> None:
        """Some of it is scanned, or as much as a crash leaves time for."""
        self.runner.run(self._scan(area(trees, flat), crash))

    @rule(crash=crashes, change=some.integers(0, 5), number=numbers, folder=folders, name=names)
    def scan_all(self, crash: tuple[int, str] | None, change: int, number: int, folder: bytes, name: bytes) -> None:
        """All of it is scanned while people go on."""
        self.runner.run(self._scan(Area(), crash, lambda: self._change(change, number, folder, name)))

    async def _scan(
        self, wanted: Area, crash: tuple[int, str] | None, meanwhile: Callable[[], None] = lambda: None
    ) -> None:
        scan = await self.disk.begun(wanted, allowed=MANY)
        amid = Amid(
            scan.pool, scan.database_url, _frail(scan.holding, crash), scan.operation_id, scan.area, scan.allowed
        )
        amid.meanwhile = meanwhile
        await _survive(amid.run())

    @rule(crash=crashes, count=some.integers(1, 3), change=some.integers(0, 5), number=numbers, name=names)
    def read(self, crash: tuple[int, str] | None, count: int, change: int, number: int, name: bytes) -> None:
        """Some of what was found is read while people go on."""
        self.runner.run(self._read(crash, count, lambda: self._change(change, number, b"A", name)))

    async def _read(self, crash: tuple[int, str] | None, count: int, meanwhile: Callable[[], None]) -> None:
        await do(self.pool, "update file_records set read_after = now() + interval '1 h' where read_after is not null")
        await do(
            self.pool,
            f"""
            update file_records set read_after = now() where file_record_id in (
                select file_record_id from file_records where read_after is not null order by path limit {count}
            )
            """,
        )
        readers = Distracted(1, meanwhile=meanwhile)
        taking = replace(self.taking, holding=_frail(self.taking.holding, crash), readers=readers)
        for _ in range(2):
            await _survive(taking.run_once())
            await do(self.pool, "update file_records set read_after = now() where read_after < now() + interval '9 s'")

    @rule(count=some.integers(1, 3))
    def register(self, count: int) -> None:
        """Some of what was read is registered."""
        kept, found.BATCH = found.BATCH, count
        try:
            self.runner.run(self._registrar().register())
        finally:
            found.BATCH = kept

    def _registrar(self) -> found.Registrar:
        client = Client()
        bus = Bus(client, client.jetstream())
        return found.Registrar(self.pool, bus, Relay(self.pool, bus, 60), 60)

    @rule()
    def place(self) -> None:
        self.runner.run(placing.place_all(self.pool, self.ingest))

    @rule()
    def be_quiet(self) -> None:
        """Everybody pauses: now everything must be true."""
        self.runner.run(self._settle())

    def teardown(self) -> None:
        """Let all become quiet."""
        try:
            self.runner.run(self._settle())
        finally:
            self.runner.run(self.opened.aclose())
            self.runner.close()

    async def _settle(self) -> None:
        Folders.steps += 1
        await placing.settle(self.pool, self.ingest)
        await self.disk.settle(allowed=MANY)
        await self.disk.scan(allowed=MANY)  # what is no picture any more was read behind the first one
        await self._check()

    async def _check(self) -> None:
        """The catalogue is true to the disk, and whatever was followed is itself."""
        on_disk = dict(self._files())
        rows = await ask(
            self.pool,
            """
            select f.path, f.state, f.content_hash, a.content_hash, a.asset_id, a.owner_id
            from file_records f left join assets a using (asset_id)
            where not starts_with(encode(f.path, 'escape'), '.lumilio/')
            """,
        )
        records = {row[0]: row[1:] for row in rows}
        for path, content in on_disk.items():
            assert path in records, f"{path!r} has no record"
            state, content_hash, asset_hash, _, owner = records[path]
            if content.startswith(b"\xff\xd8"):
                assert (state, content_hash) == ("present", blake3(content).digest()), f"{path!r}: {records[path]}"
                assert asset_hash == content_hash, f"{path!r} is of an asset with other bytes"
                assert owner in self.owners, f"{path!r} is somebody else's"
            else:
                assert state == "other", f"{path!r}: {state}"
        gone = {path for path, record in records.items() if path not in on_disk and record[0] != "missing"}
        assert not gone, f"recorded, and not there: {gone}"
        await self._check_assets()
        self._check_promises()
        self._check_traces(records)
        self.traces = {
            path: Trace(record[3], path)
            for path, record in records.items()
            if record[0] == "present" and [row[4] for row in rows if row[1] == "present"].count(record[3]) == 1
        }
        self.reused = set()

    async def _check_assets(self) -> None:
        wrong = await ask(
            self.pool,
            """
            select a.asset_id, a.original_filename, a.missing_since, a.trashed_at, count(f.path) as files
            from assets a
            left join file_records f on f.asset_id = a.asset_id and f.state = 'present'
            group by a.asset_id
            having (a.missing_since is null) <> (count(f.path) > 0)
            """,
        )
        assert not wrong, f"shown without a file, or hidden although it has one: {wrong}"
        rows = dict(await ask(self.pool, "select asset_id, trashed_at is not null from assets"))
        assert {asset: rows.get(asset) for asset in self.trashed} == self.trashed

    def _check_promises(self) -> None:
        kept = {Path(os.fsdecode(path)).read_bytes() for path in self._kept_files()}
        assert self.promised <= kept, "an acknowledged upload is lost"

    def _check_traces(self, records: dict[bytes, tuple[object, ...]]) -> None:
        written = [content for trace in self.traces.values() for content in trace.written]
        for origin, trace in self.traces.items():
            if trace.path is None or trace.path not in records:
                continue
            is_only_moved = not trace.written and (origin not in self.reused or trace.path == origin)
            is_only_edited = not trace.has_moved and all(
                content.startswith(b"\xff\xd8\xff unique") and written.count(content) == 1 for content in trace.written
            )
            if origin in self.reused and not is_only_moved:
                continue
            if is_only_moved or is_only_edited:
                assert records[trace.path][3] == trace.asset_id, f"{origin!r}, now {trace.path!r}, is another asset"

    # How it is done.

    def _change(self, kind: int, number: int, folder: bytes, name: bytes) -> None:
        if kind == 0:
            self._write(_join(folder, name), None)
        elif kind == 1 and (path := self._some_file(number)) is not None:
            self._move(path, _join(folder, name))
        elif kind == 2:
            self.delete(number)
        elif kind == 3:
            self._move_folder(folder, b"A/sub")

    def _write(self, path: bytes, content: bytes | None, *, way: str = "in place") -> None:
        content = self._unique() if content is None else content
        self._make_way(path)
        target = self._at(path)
        is_there = os.path.lexists(target)
        status = os.stat(target) if is_there else None
        if way == "in place":
            with open(target, "wb") as file:
                file.write(content)
        else:
            with open(target + b".part", "wb") as file:
                file.write(content)
            os.rename(target + b".part", target)
        then = 10**18 + self._tick() * 10**9 + 123_456_789
        if way == "same time" and status is not None:
            then = status.st_mtime_ns
        os.utime(target, ns=(then, then))
        if status is not None and status.st_nlink > 1 and way == "in place":
            self._forget_links(status.st_ino)
        for origin, trace in self.traces.items():
            if trace.path == path:
                trace.written.append(content)
                if origin != path:
                    self.reused.add(path)
                return
        self._occupied(path)

    def _forget_links(self, inode: int) -> None:
        """Of the names of one file, nobody can say which one moved, and who writes into one writes into all."""
        for origin, trace in list(self.traces.items()):
            if trace.path is None or os.stat(self._at(trace.path)).st_ino == inode:
                del self.traces[origin]

    def _move(self, path: bytes, target: bytes) -> None:
        if path == target or os.path.isdir(self._at(target)):
            return
        self._touch(path)
        self._make_way(target)
        if os.path.lexists(self._at(target)) and os.path.samefile(self._at(path), self._at(target)):
            return
        os.rename(self._at(path), self._at(target))
        self._overwritten(target)
        self._follow(path, target)

    def _move_folder(self, folder: bytes, target: bytes) -> None:
        if not folder or not target or (target + b"/").startswith(folder + b"/"):
            return
        if not os.path.isdir(self._at(folder)) or os.path.lexists(self._at(target)):
            return
        self._make_way(target)
        os.rename(self._at(folder), self._at(target))
        for trace in list(self.traces.values()):
            if trace.path is not None and trace.path.startswith(folder + b"/"):
                self._follow(trace.path, target + trace.path[len(folder) :])
        for path, _ in self._files():
            if path.startswith(target + b"/"):
                self._occupied(path, unless_traced=True)

    def _overwritten(self, path: bytes) -> None:
        """Something else has a name now."""
        self._follow(path, None)
        self._occupied(path)

    def _occupied(self, path: bytes, *, unless_traced: bool = False) -> None:
        if not (unless_traced and path in self.traces and self.traces[path].path == path):
            self.reused.add(path)

    def _follow(self, path: bytes, target: bytes | None) -> None:
        for trace in self.traces.values():
            if trace.path == path:
                trace.path, trace.has_moved = target, True
        if target is not None:
            self._occupied(target, unless_traced=True)

    def _touch(self, path: bytes) -> None:
        """What somebody does by hand in the inbox is no longer promised."""
        if path.startswith(b"inbox/"):
            with open(self._at(path), "rb") as file:
                self.promised.discard(file.read())

    def _make_way(self, path: bytes) -> None:
        os.makedirs(os.path.dirname(self._at(path)), exist_ok=True)
        if os.path.isfile(self._at(path)):
            self._touch(path)

    def _some_file(self, number: int, *, is_own: bool = False) -> bytes | None:
        """A file; `is_own` leaves out what only the server writes."""
        files = sorted(path for path, _ in self._files() if not (is_own and path.startswith(b"inbox/")))
        return files[number % len(files)] if files else None

    def _files(self) -> Iterator[tuple[bytes, bytes]]:
        """What is to be in the catalogue."""
        for above, below, here in os.walk(self.root):
            below[:] = [name for name in below if not name.startswith(b".")]
            for name in here:
                if not name.startswith(b".") and name not in PASSED_OVER:
                    path = os.path.join(above, name)
                    with open(path, "rb") as file:
                        yield os.path.relpath(path, self.root), file.read()

    def _kept_files(self) -> Iterator[bytes]:
        for above, _, here in os.walk(self.root):
            yield from (os.path.join(above, name) for name in here if name != b".lumiliorepo")

    def _at(self, path: bytes) -> bytes:
        return os.path.join(self.root, path)

    def _unique(self) -> bytes:
        self.unique += 1
        return b"\xff\xd8\xff unique %d" % self.unique

    def _tick(self) -> int:
        self.ticks += 1
        return self.ticks


def _frail(holding: Holding, crash: tuple[int, str] | None) -> Holding:
    if crash is None:
        return holding
    return Frail(holding.repository, holding.lease, holding.holder, *crash)


async def _survive(work: object) -> None:
    """Begin again as a new process would, whatever happens."""
    task = asyncio.ensure_future(work)  # type: ignore[call-overload]
    with suppress(Crash, NotOurs, psycopg.Error, asyncio.CancelledError):
        await task


def _join(folder: bytes, name: bytes) -> bytes:
    return folder + b"/" + name if folder else name


def explore(server: Postgres, *, runs: int, steps: int, derandomize: bool) -> Figures:
    """So many lives of a repository, each of up to so many steps; an AssertionError tells the one that diverged."""
    Folders.server, Folders.steps = server, 0
    lives.live(Folders, runs=runs, steps=steps, derandomize=derandomize)
    return {"runs": runs, "quiet": Folders.steps}


async def explore_for_long(folder: Path, *, runs: int, steps: int) -> Figures:
    """The same with a server of its own, differently every time."""
    return await lives.with_own_server(folder, partial(explore, runs=runs, steps=steps, derandomize=False))
