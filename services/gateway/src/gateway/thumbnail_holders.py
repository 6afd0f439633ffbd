"""Who asks for a thumbnail with a token, and where it lies: asked in one question, together with all who wait."""

import asyncio
from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

import psycopg
from litestar.types import HTTPScope

from common.db import Pool, glance
from gateway.errors import NotSignedIn
from gateway.queries import held as queries
from gateway.queries.held import Held, Question
from gateway.queries.users import Bearer
from gateway.tokens import KEY_PREFIX, Tokens

BEARER = b"Bearer "
CLOCKS_DIFFER_SECONDS = 10
MOST_TOKENS = 256


@dataclass
class Holders:
    """Asks one question at a time; whatever comes meanwhile goes into the next one."""

    pool: Pool
    tokens: Tokens
    _waiting: list[tuple[Question, "asyncio.Future[Held | None]"]] = field(default_factory=list)
    _asking: "asyncio.Task[None] | None" = None

    def __post_init__(self) -> None:
        self._read = lru_cache(MOST_TOKENS)(self.tokens.read)

    async def find(self, scope: HTTPScope, asset: str, size: str) -> Held | None:
        """A thumbnail of the caller's own; None where anything is in the way, and the API says what."""
        bearer = self._bearer(scope)
        if bearer is None:
            return None
        answer: asyncio.Future[Held | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((Question(bearer, UUID(asset), size), answer))
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_all())
        found = await answer
        if found is not None:
            scope["user"] = bearer
        return found

    def _bearer(self, scope: HTTPScope) -> Bearer | None:
        """Whom the one token of a request names; what it is worth the database says."""
        shown = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(shown) != 1 or not shown[0].startswith(BEARER):
            return None
        token = shown[0].removeprefix(BEARER).decode("latin-1")
        try:
            return None if token.startswith(KEY_PREFIX) else self._read(token)
        except NotSignedIn:
            return None

    async def _ask_all(self) -> None:
        """Ask until nobody waits."""
        try:
            while self._waiting:
                asked, self._waiting = self._waiting, []
                found = await self._ask([question for question, _ in asked])
                for number, (_, answer) in enumerate(asked, start=1):
                    if not answer.done():
                        answer.set_result(found.get(number))
        finally:
            self._asking = None

    async def _ask(self, questions: list[Question]) -> dict[int, Held]:
        try:
            async with glance(self.pool) as conn:
                return await queries.list_held(conn, questions, leeway=CLOCKS_DIFFER_SECONDS)
        except psycopg.Error:
            return {}
