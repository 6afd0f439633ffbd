"""Scans as tests do them: once, by hand, with everything that follows from them."""

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

from nats.aio.client import Client

from common import lease_queries as leases
from common.bus import Bus
from common.db import Pool, glance
from common.outbox import Relay
from common.scan_queries import Counts
from ingest.found import Registrar
from syncer import comparing, reading
from syncer.area import Area
from syncer.comparing import Compared, Kept
from syncer.queries import operations
from syncer.readers import Readers
from syncer.reading import Reading, Wanted
from syncer.scans import Holding, Scan, State
from syncer.scrub import Pace, Scrub
from syncer.taking import Taking
from tests.support.given import Repository, User
from tests.support.rows import ask, do


class HereReaders(Readers):
    """Reads in this process, so that a test need not wait for others to start."""

    async def read(self, root: bytes, wanted: Sequence[Wanted]) -> list[Reading]:
        return [reading.read(root, one) for one in wanted]

    async def compare(self, root: bytes, kept: Sequence[Kept], *, is_probed: bool) -> Compared:
        return comparing.compare_all(root, kept, is_probed=is_probed)


@dataclass
class Disk:
    """A repository whose user area a test changes, and the syncer that tends it."""

    pool: Pool
    database_url: str
    repository: Repository
    owner: User
    holder: UUID = field(default_factory=uuid4)

    @property
    def root(self) -> Path:
        return Path(os.fsdecode(self.repository.root))

    async def holding(self) -> Holding:
        """The lease of the repository, which this test has."""
        async with glance(self.pool) as conn:
            tended = await operations.list_tended(conn)
            found = next(one for one in tended if one.repository_id == self.repository.repository_id)
            holding = Holding(found, f"repository {found.repository_id}", self.holder)
            assert await leases.take(conn, holding.lease, holding.holder, seconds=600)
        return holding

    async def begun(self, area: Area | None = None, *, allowed: int | None = None) -> Scan:
        """A scan that is to be run."""
        async with glance(self.pool) as conn:
            operation = await operations.begin(
                conn, self.repository.repository_id, folder=b"", reason="full", is_quick=False
            )
        return Scan(self.pool, self.database_url, await self.holding(), operation, area or Area(), allowed)

    async def scan(self, area: Area | None = None, *, allowed: int | None = None) -> tuple[State, Counts]:
        """One scan; what it found is still to be read."""
        scan = await self.begun(area, allowed=allowed)
        state = await scan.run()
        async with glance(self.pool) as conn:
            await operations.end(conn, scan.operation_id, state=state, counts=scan.counts, error=None, asks=scan.asks)
        return state, scan.counts

    async def read(self) -> None:
        """Have all read that was found, as if it stood still for long."""
        taking = Taking(self.pool, HereReaders(1), await self.holding())
        while await ask(self.pool, "select 1 from file_records where read_after is not null and trouble is null"):
            await do(self.pool, "update file_records set read_after = now() where read_after > now()")
            await taking.run_once()

    async def register(self) -> None:
        """Have all registered that was read."""
        client = Client()
        bus = Bus(client, client.jetstream())
        registrar = Registrar(self.pool, bus, Relay(self.pool, bus, 60), 60)
        while await registrar.register():
            pass

    async def scrub(self) -> list[bytes]:
        """Have all compared that is due; returns the folders in which something was missing."""
        dirty: list[bytes] = []
        scrub = Scrub(self.pool, HereReaders(1), await self.holding(), Pace(percent=100), dirty.append)
        while await scrub.run_once() == 0:
            pass
        return dirty

    async def settle(self, *, allowed: int | None = None) -> tuple[State, Counts]:
        """Scan it all, and do all that follows."""
        outcome = await self.scan(allowed=allowed)
        await self.read()
        await self.register()
        return outcome

    def write(self, path: str | bytes, content: bytes, *, age: float = 60) -> Path:
        """A file in the user area that has stood still for a while."""
        target = self.root / os.fsdecode(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        self.age(target, age)
        return target

    def age(self, path: Path, seconds: float = 60) -> None:
        """Let a file have been changed last a while ago."""
        then = time.time() - seconds
        with suppress(FileNotFoundError):
            os.utime(path, (then, then))

    async def catalogue(self) -> dict[bytes, str]:
        """What is recorded of every file, by its path."""
        return dict(await ask(self.pool, "select path, state from file_records order by path"))

    async def assets(self) -> list[str]:
        """The files by which assets are shown, in the order of their names."""
        return await ask(
            self.pool,
            """
            select original_filename
            from assets
            where missing_since is null and trashed_at is null
            order by original_filename
            """,
        )
