"""Whatever people do and whenever things crash: real files and a real database agree with a dictionary.

The model knows of each content whether it was acknowledged, is in the trash, or is to go for good. Gateway and ingest
are called directly; a crash ends a call after any of its durable steps, and only an expired lease tells others of it.
"""

import asyncio
import os
import tempfile
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest
from blake3 import blake3
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from common import db, trash
from common.stages import Claim, LeaseLost, Reject, Stage, Wait
from ingest.handlers import Ingest
from ingest.housekeeping import Housekeeping
from ingest.purge import Purge
from lumilio.postgres import Postgres
from lumilio.verify import Ack, verify
from tests.chaos import lives
from tests.chaos.figures import Figures
from tests.support import databases, given
from tests.support.intake import send
from tests.support.recorder import Crash, Recorder
from tests.support.rows import ask, claim_next, do, expire

CONTENTS = tuple(b"\xff\xd8\xff a photo %d" % number for number in range(4))
NAMES = ("a.jpg", "b.jpg")

contents = some.sampled_from(CONTENTS)
names = some.sampled_from(NAMES)
lanes = some.sampled_from([0, 1])
crashes = some.none() | some.integers(1, 14)


class Library(RuleBasedStateMachine):
    """One person's photos, and what became of each: `known` says of a content whether it is in the trash.

    `going` are those in the trash that are to go for good, until they went or were wanted back.
    """

    server: ClassVar[Postgres]
    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.patch = pytest.MonkeyPatch()
        self.recorder = Recorder(self.patch)
        self.opened = AsyncExitStack()
        self.known: dict[bytes, bool] = {}
        self.going: set[bytes] = set()
        self.acks: list[Ack] = []
        self.paused: list[Claim] = []
        self.runner.run(self._open())

    async def _open(self) -> None:
        self.url = self.opened.enter_context(databases.fresh(self.server))
        self.folder = Path(self.opened.enter_context(tempfile.TemporaryDirectory(prefix="lumilio-model-")))
        self.pool = await self.opened.enter_async_context(db.open_pool(self.url))
        self.repository = await given.new_repository(self.pool, bytes(self.folder / "repository"))
        self.user = await given.new_user(self.pool, "anna", "", password_hash="")
        self.ingest, self.purge = Ingest(self.pool), Purge(self.pool)

    @rule(content=contents, name=names, lane=lanes, crash=crashes)
    def upload(self, content: bytes, name: str, lane: int, crash: int | None) -> None:
        """An answer is a promise; without one, the photo may be there or not."""
        self.runner.run(self._upload(content, name, lane, crash))

    async def _upload(self, content: bytes, name: str, lane: int, crash: int | None) -> None:
        self._crash_after(crash)
        try:
            answer = await send(self.pool, self.repository, self.user, content, name, lane=lane)
        except Crash:
            self._crash_after(None)
            if (found := (await self._record()).get(content)) is not None:
                assert found in {self.known.get(content, False), False}
                self.known[content] = found
                if not found:
                    self.going.discard(content)
        else:
            self.known[content] = False
            self.going.discard(content)
            self.acks.append(Ack(asset_id=answer.asset_id, content_hash=answer.content_hash))
        finally:
            self._crash_after(None)

    @rule(content=contents)
    def throw_away(self, content: bytes) -> None:
        self.runner.run(self._wish(content, is_trashed=True))

    @rule(content=contents)
    def take_back(self, content: bytes) -> None:
        self.runner.run(self._wish(content, is_trashed=False))

    async def _wish(self, content: bytes, *, is_trashed: bool) -> None:
        if content not in self.known:
            return
        (asset,) = await ask(self.pool, f"select asset_id from assets where content_hash = {_literal(content)}")
        async with self.pool.connection() as conn:
            change = trash.put if is_trashed else trash.take_back
            try:
                await change(conn, asset, owner=self.user.user_id)
            except trash.Going:
                assert content in self.going
                return
        self.known[content] = is_trashed
        if not is_trashed:
            self.going.discard(content)

    @rule(content=contents)
    def have_purged(self, content: bytes) -> None:
        """Only what is in the trash can go for good."""
        self.runner.run(self._have_purged(content))

    async def _have_purged(self, content: bytes) -> None:
        if content in self.known:
            (asset,) = await ask(self.pool, f"select asset_id from assets where content_hash = {_literal(content)}")
            async with self.pool.connection() as conn:
                await trash.purge(conn, [asset], asked_by=self.user.user_id, why="asked")
            if self.known[content]:
                self.going.add(content)

    @rule(crash=crashes)
    def purge_one(self, crash: int | None) -> None:
        """A worker purges what is due; it may die at any step."""
        self.runner.run(self._purge(crash))

    async def _purge(self, crash: int | None) -> bool:
        claim = await claim_next(self.pool, Stage.PURGE, seconds=3600)
        if claim is not None:
            await self._attempt(claim, crash)
        return claim is not None

    async def _note_purged(self) -> None:
        """What nobody knows any more was to go."""
        left = set(await self._record())
        for content in [content for content in self.going if content not in left]:
            self.going.remove(content)
            del self.known[content]
            self.acks = [ack for ack in self.acks if bytes.fromhex(ack.content_hash) != blake3(content).digest()]

    @rule(crash=crashes)
    def work(self, crash: int | None) -> None:
        """A worker takes the most urgent row; it may die at any step."""
        self.runner.run(self._work(crash))

    async def _work(self, crash: int | None) -> bool:
        claim = await self._claim()
        if claim is not None:
            await self._attempt(claim, crash)
        return claim is not None

    async def _claim(self) -> Claim | None:
        waiting = "select coalesce(min(lane), 9) from asset_stages where stage = 'place' and lease_until is null"
        (first,) = await ask(self.pool, f"{waiting} and next_at <= now()")
        claim = await claim_next(self.pool, Stage.PLACE, seconds=3600)
        assert claim is None or claim.lane <= first, "a person waits behind a bulk import"
        return claim

    async def _attempt(self, claim: Claim, crash: int | None = None) -> bool:
        """Whether the worker settled its row."""
        self._crash_after(crash)
        try:
            await (self.purge.purge if claim.stage == Stage.PURGE else self.ingest.place)(claim)
        except (Crash, Wait):
            return False
        finally:
            self._crash_after(None)
            await self._note_purged()
        return True

    @rule()
    def pause_a_worker(self) -> None:
        """A worker takes a row and stands still before it does anything."""
        if (claim := self.runner.run(self._claim())) is not None:
            self.paused.append(claim)

    @rule()
    def pause_a_purge(self) -> None:
        """The same of one that purges."""
        claim = self.runner.run(claim_next(self.pool, Stage.PURGE, seconds=3600))
        if claim is not None:
            self.paused.append(claim)

    @precondition(lambda self: self.paused)
    @rule()
    def wake_a_worker(self) -> None:
        """It goes on, and does not know that its lease may have run out."""
        self.runner.run(self._wake(self.paused.pop(0)))

    async def _wake(self, claim: Claim) -> None:
        (is_ours,) = await ask(
            self.pool,
            f"select count(*) from asset_stages where asset_id = '{claim.asset_id}' and stage = '{claim.stage}'"
            f" and lease_epoch = {claim.epoch} and state = 'running'",
        )
        try:
            has_settled = await self._attempt(claim)
        except (LeaseLost, Reject):
            assert not is_ours
        else:
            assert is_ours or not has_settled, "a worker without a lease has written"

    @rule()
    def wait_for_leases(self) -> None:
        """Everybody who is silent counts as dead."""
        self.runner.run(expire(self.pool))

    @rule()
    def clean_up(self) -> None:
        self.runner.run(Housekeeping(self.pool, 1, abandoned_seconds=0).clean())

    @rule()
    def restart(self) -> None:
        """Nothing that a process remembers matters."""
        self.runner.run(self._restart())

    async def _restart(self) -> None:
        self.paused.clear()
        await expire(self.pool)

    @invariant()
    def nothing_is_lost(self) -> None:
        """At every moment what was acknowledged lies on the disk, is known, and is announced."""
        Library.steps += 1
        assert self.runner.run(self._record()) == self.known
        assert set(self._on_disk().values()) >= set(self.known) - self.going
        assert self.runner.run(ask(self.pool, UNANNOUNCED)) == [0]

    def teardown(self) -> None:
        """Let everything settle: then each photo is there once, in the inbox or in the trash, and nothing else is."""
        try:
            self.runner.run(self._settle())
            folders = {content: path.split("/")[0] for path, content in self._on_disk().items()}
            assert len(folders) == len(self._on_disk())
            assert folders == {content: "trash" if trashed else "inbox" for content, trashed in self.known.items()}
        finally:
            self.patch.undo()
            self.runner.run(self.opened.aclose())
            self.runner.close()

    async def _settle(self) -> None:
        await expire(self.pool)
        while await self._work(None) or await self._purge(None):
            await do(self.pool, "update asset_stages set next_at = now() where state = 'pending'")
            await expire(self.pool)
        assert not self.going
        await Housekeeping(self.pool, 1, abandoned_seconds=0).clean()
        said: list[str] = []
        assert await verify(self.url, acks=self.acks, say=said.append), "\n".join(said)

    async def _record(self) -> dict[bytes, bool]:
        rows = await ask(self.pool, "select content_hash, trashed_at is not null from assets")
        return {HASHED[content_hash]: trashed for content_hash, trashed in rows}

    def _on_disk(self) -> dict[str, bytes]:
        """Every copy of a content, by its path from the inbox, the trash or staging on."""
        root = self.folder / "repository"
        found = {}
        for folder in (root / "inbox", root / ".lumilio/trash", root / ".lumilio/staging"):
            for path in folder.rglob("*"):
                if path.is_file() and (content := path.read_bytes()) in CONTENTS:
                    found[os.path.relpath(path, folder.parent)] = content
        return found

    def _crash_after(self, step: int | None) -> None:
        self.recorder.clear()
        self.recorder.crash_after = step


UNANNOUNCED = """
    select count(*)
    from uploads
    where not exists (
        select from outbox where subject = 'lumilio.upload.staged' and body ->> 'upload_id' = upload_id::text
    )
"""
HASHED = {blake3(content).digest(): content for content in CONTENTS}


def _literal(content: bytes) -> str:
    return f"'\\x{blake3(content).hexdigest()}'"


def explore(server: Postgres, *, runs: int, steps: int, derandomize: bool) -> Figures:
    """So many lives of a library, each of up to so many steps; an AssertionError tells the one that diverged."""
    Library.server, Library.steps = server, 0
    lives.live(Library, runs=runs, steps=steps, derandomize=derandomize)
    return {"runs": runs, "steps": Library.steps}


async def explore_for_long(folder: Path, *, runs: int, steps: int) -> Figures:
    """The same with a server of its own, differently every time."""
    return await lives.with_own_server(folder, partial(explore, runs=runs, steps=steps, derandomize=False))
