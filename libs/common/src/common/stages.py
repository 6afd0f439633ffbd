"""Work is a claimed row: what it can end with, and the claim that alone may write its result."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from common import queries
from common.db import Connection, Pool, glance

MAX_DEATHS = 3
MAX_FAILURES = 10
FIRST_RETRY_SECONDS = 5.0
LAST_RETRY_SECONDS = 3600.0


class Stage(StrEnum):
    """One kind of derived work on an asset; embeddings add `embed:<space>` of their own."""

    PLACE = "place"
    PURGE = "purge"
    RENDER = "render"
    TRANSCODE = "transcode"
    SIDECAR = "sidecar"


class Wait(Exception):  # an outcome, not an error
    """Not now: try again after some seconds; nothing is counted."""

    def __init__(self, reason: str, *, after: float) -> None:
        super().__init__(reason)
        self.after = after


Save: TypeAlias = Callable[[Connection], Awaitable[None]]


class Reject(Exception):  # an outcome, not an error
    """Never: the stage fails for good, with this reason for people; `save` writes in the same transaction."""

    def __init__(self, reason: str, *, save: Save | None = None) -> None:
        super().__init__(reason)
        self.save = save


class Died(Exception):  # an outcome, not an error
    """The work ended the process it ran in; after three deaths the stage fails."""


class Superseded(Exception):  # an outcome, not an error
    """Somebody wants it done another way, so what is being made is of no use: the stage is done again."""


class LeaseLost(Exception):  # an outcome, not an error
    """Somebody newer owns this work: stop and touch nothing."""


@dataclass(frozen=True)
class Claim:
    """The right to write one stage's result, until somebody newer holds it; `has_more` says that others were due.

    Who worked on a suspect before died each time: it is the only one in hand.
    """

    asset_id: UUID
    owner_id: int
    stage: str
    lane: int
    epoch: int
    deaths: int
    failures: int
    error: str | None
    is_suspect: bool = False
    has_more: bool = False

    @asynccontextmanager
    async def settle(self, pool: Pool) -> AsyncIterator[Connection]:
        """One transaction that saves the result and ends the stage; LeaseLost, and nothing written, when fenced.

        Statements are sent without waiting for each other, so ask for a result by fetching it, not by `rowcount`.
        """
        async with pool.connection() as conn, conn.pipeline():
            if not await queries.settle_done(conn, self.asset_id, self.stage, epoch=self.epoch):
                raise LeaseLost
            yield conn
            await conn.commit()  # it goes out with the last statements


@asynccontextmanager
async def settle_all(pool: Pool, claims: Sequence[Claim]) -> AsyncIterator[tuple[Connection, list[bool]]]:
    """One transaction that saves the results of many and ends their stages: all but those that were fenced.

    Says of each claim whether it is still held; what was lost is not to be saved.
    """
    async with pool.connection() as conn, conn.pipeline():
        held = [(claim.asset_id, claim.stage, claim.epoch) for claim in claims]
        ours = await queries.settle_all_done(conn, held)
        yield conn, [one in ours for one in held]
        await conn.commit()  # it goes out with the last statements


Work: TypeAlias = Callable[[Claim], Awaitable[None]]


async def claim(
    pool: Pool, stage: str, *, most: int = 1, lease_seconds: float, may_suspect: bool = True
) -> list[Claim]:
    """The most urgent due work of a stage, so much at most, and at most one suspect, if any may be."""
    async with glance(pool) as conn:
        rows = await queries.claim(
            conn, stage, most=most, lease_seconds=lease_seconds, suspicious=MAX_DEATHS - 1, may_suspect=may_suspect
        )
    return [
        Claim(
            row.asset_id,
            row.owner_id,
            stage,
            row.lane,
            row.lease_epoch,
            row.deaths,
            row.failures,
            row.error,
            is_suspect=row.is_suspect,
            has_more=row.has_more,
        )
        for row in rows
    ]


def backoff(failures: int) -> float:
    """Seconds until the next try after so many failures: 5 s doubling up to an hour."""
    return min(FIRST_RETRY_SECONDS * 2.0**failures, LAST_RETRY_SECONDS)
