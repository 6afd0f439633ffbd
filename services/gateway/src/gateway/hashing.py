"""Hashes passwords a few at a time: each takes 19 MiB, so whoever comes when many wait is asked to come again."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from common import passwords
from gateway.errors import Crowded

T = TypeVar("T")
AT_ONCE = 2
MOST_PENDING = 64


@dataclass
class Hashing:
    """The only place where passwords are hashed while serving."""

    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(AT_ONCE, "hashing"))
    pending: int = 0

    def refuse_crowd(self) -> None:
        """Crowded when so many wait that one more would wait for long."""
        if self.pending >= MOST_PENDING:
            raise Crowded("many are signing in at this moment: try again in some seconds")

    async def hashed(self, password: str) -> str:
        """The hash to store of a new password."""
        return await self._do(lambda: passwords.hashed(password))

    async def matches(self, stored: str, password: str) -> bool:
        """Whether this is the password behind a stored hash."""
        return await self._do(lambda: passwords.matches(stored, password))

    async def _do(self, work: Callable[[], T]) -> T:
        self.refuse_crowd()
        self.pending += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self.threads, work)
        finally:
            self.pending -= 1
