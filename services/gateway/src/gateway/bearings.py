"""What time it is and where repositories lie, by the database, without asking it every time."""

import time
from dataclasses import dataclass

from common.db import Pool, glance
from gateway.queries import signed

FRESH_SECONDS = 60


@dataclass
class Bearings:
    """The database's clock and the homes of repositories, as they were a minute ago at most."""

    pool: Pool
    _ahead: float = 0.0
    _seen: float = -float("inf")
    _homes: dict[bytes, bytes] | None = None

    def now(self) -> int | None:
        """The database's clock in seconds since 1970, or None when nobody asked it for a while."""
        moment = _elapsed()
        return int(moment + self._ahead) if moment - self._seen < FRESH_SECONDS else None

    def home(self, repository: bytes) -> bytes | None:
        """Where a repository keeps what was made of its originals, if that is known."""
        return (self._homes or {}).get(repository)

    async def ask(self) -> int:
        """The database's clock, which is asked now unless that was a short time ago."""
        known = self.now()
        if known is not None:
            return known
        async with glance(self.pool) as conn:
            now, homes = await signed.find_time(conn), await signed.list_homes(conn)
        self._homes = {home.repository_id.bytes: home.folder for home in homes}
        self._seen = _elapsed()
        self._ahead = now - self._seen
        return now


def _elapsed() -> float:
    """Seconds that go on while the machine sleeps, so that no address lives longer for that."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
