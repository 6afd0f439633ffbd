"""The loop that every worker runs: claim, acknowledge, work, settle. A message only says that there is work."""

import asyncio
import contextlib
import math
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import psycopg
from nats.aio.msg import Msg

from common import bus, dead_letters, log, messages, metrics, outbox, queries, stages, tasks, traces
from common.bus import Bus, Doorbell
from common.db import OUTAGES, Pool, glance
from common.files import STARVED
from common.messages import StageFailed
from common.settings import Settings
from common.stages import (
    MAX_DEATHS,
    MAX_FAILURES,
    Claim,
    Died,
    LeaseLost,
    Reject,
    Save,
    Superseded,
    Wait,
    Work,
)
from common.streams import Durable

STARVED_SECONDS = 10.0
AGAIN_SECONDS = 1.0
LOOKS_PER_SECOND = 2
END_SECONDS = 1.0


@dataclass
class Worker:
    """Does the work of one stage in one process, up to `slots` rows at a time."""

    pool: Pool
    bus: Bus
    relay: outbox.Relay
    settings: Settings
    durable: Durable
    stage: str
    work: Work
    slots: int
    _held: dict[Claim, "asyncio.Task[None]"] = field(default_factory=dict)
    _claiming: "asyncio.Task[bool] | None" = None
    _doorbell: Doorbell = field(init=False)
    _looks: set[float] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._doorbell = Doorbell(self.bus, self.durable)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; then finish what is in hand, or give it back."""
        stopping = asyncio.create_task(stop.wait())
        pulling = asyncio.create_task(self._pull())
        renewing = asyncio.create_task(self._renew_for_ever())
        try:
            done, _ = await asyncio.wait({stopping, pulling, renewing}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # a bug ends the service, but not the work in hand
        finally:
            await tasks.cancel(stopping, pulling)
            if self._claiming is not None:
                await asyncio.wait({self._claiming}, timeout=self.settings.stop_seconds)
                await tasks.cancel(self._claiming)  # if the database stands still
            await self._finish()
            await tasks.cancel(renewing)

    def wake(self) -> None:
        """Look at the rows now: somebody in this process made some due."""
        self._doorbell.wake()

    async def _pull(self) -> None:
        """Whoever left due rows behind looks again before waiting: one of them may have rung, or its ring been lost."""
        free = asyncio.Semaphore(self.slots)
        hungry = True
        try:
            while True:
                await free.acquire()
                message = None if hungry else await self._doorbell.wait(self._poll())
                self._claiming = asyncio.create_task(self._claim(message, free, 1 + await _acquired(free)))
                hungry = await asyncio.shield(self._claiming)
        finally:
            await self._doorbell.close()

    def _poll(self) -> float:
        return self.settings.poll_seconds * random.uniform(0.9, 1.1)  # noqa: S311  # only spreads load

    async def _claim(self, message: Msg | None, free: asyncio.Semaphore, most: int) -> bool:
        """Claim first, acknowledge after: a message may be lost, a row may not; says whether more rows are due."""
        claims: list[Claim] = []
        try:
            claims = await stages.claim(
                self.pool,
                self.stage,
                most=most,
                lease_seconds=self.settings.lease_seconds,
                may_suspect=not any(claim.is_suspect for claim in self._held),
            )
        except psycopg.Error as error:
            log.get().warning("database away", stage=self.stage, error=_text(error))
            await asyncio.sleep(1)
            return True
        finally:
            for _ in range(most - len(claims)):
                free.release()
        for claim in claims:
            self._start(claim, free, _trace_of(message, claim))
        if message is not None:
            await self._acknowledge(message)
            if not claims:  # somebody has the row that rang, and may have to leave it due once more
                self._look_in(AGAIN_SECONDS)
        return any(claim.has_more for claim in claims)

    def _look_in(self, seconds: float) -> None:
        """Look at the rows when some seconds have passed, for one gets due then and nobody rings for it."""
        loop = asyncio.get_running_loop()
        at = math.ceil((loop.time() + seconds) * LOOKS_PER_SECOND) / LOOKS_PER_SECOND
        if at not in self._looks:
            self._looks.add(at)
            loop.call_at(at, self._look, at)

    def _look(self, at: float) -> None:
        self._looks.remove(at)
        self._doorbell.wake()

    async def _acknowledge(self, message: Msg) -> None:
        """A message that cannot be kept as a dead letter now is not acknowledged, and so comes back."""
        try:
            messages.decode(message.subject, message.data)
        except messages.Malformed as error:
            if not await dead_letters.keep(self.pool, message, error):
                return
        await bus.acknowledge(message)

    def _start(self, claim: Claim, free: asyncio.Semaphore, trace: str | None) -> None:
        def finished(_: "asyncio.Task[None]") -> None:
            del self._held[claim]
            free.release()
            if claim.is_suspect:  # the next one may be claimed
                self._doorbell.wake()

        self._held[claim] = asyncio.create_task(self._do(claim, trace))
        self._held[claim].add_done_callback(finished)

    async def _do(self, claim: Claim, trace: str | None) -> None:
        """One claim from start to its outcome, told in one log line."""
        started = time.monotonic()
        try:
            with traces.span(f"work {claim.stage}", parent=trace, asset=str(claim.asset_id)) as span:
                outcome = await self._attempt(claim)
                span.set_attribute("outcome", outcome)
        except Exception as error:  # noqa: BLE001  # nobody else would hear of it; the lease runs out
            outcome = f"not settled: {error!r}"
        self.relay.wake()
        metrics.settled(claim.stage, outcome, time.monotonic() - started)
        log.get().info(
            "work done",
            stage=claim.stage,
            asset=str(claim.asset_id),
            attempt=claim.epoch,
            outcome=outcome,
            ms=round((time.monotonic() - started) * 1000),
        )

    async def _attempt(self, claim: Claim) -> str:
        if claim.deaths > MAX_DEATHS:
            reason = claim.error or "the file ended every process that worked on it"
            return await self._conclude(self._give_up, claim, "poison", reason)
        try:
            await self.work(claim)
        except LeaseLost:
            return "lease lost"
        except Wait as wait:
            return await self._conclude(self._put_back, claim, "waiting", str(wait), after=wait.after)
        except Reject as rejection:
            return await self._conclude(self._give_up, claim, "permanent", str(rejection), rejection.save)
        except Superseded:
            return await self._conclude(self._leave, claim)
        except Died as death:
            return await self._conclude(self._put_back, claim, "transient", str(death), after=1.0, death=True)
        except OUTAGES as error:
            return await self._conclude(self._put_back, claim, "waiting", _text(error), after=1.0)
        except Exception as error:  # noqa: BLE001  # a bug must not end the worker
            if isinstance(error, OSError) and error.errno in STARVED:  # the machine's limits are nobody's fault
                return await self._conclude(self._put_back, claim, "waiting", _text(error), after=STARVED_SECONDS)
            return await self._stumble(claim, error)
        return "done"

    async def _stumble(self, claim: Claim, error: Exception) -> str:
        log.get().warning("work failed", stage=claim.stage, asset=str(claim.asset_id), exc_info=error)
        if claim.failures + 1 >= MAX_FAILURES:
            return await self._conclude(self._give_up, claim, "transient", _text(error))
        after = stages.backoff(claim.failures) * random.uniform(0.8, 1.2)  # noqa: S311  # only spreads load
        return await self._conclude(self._put_back, claim, "transient", _text(error), after=after, failure=True)

    async def _conclude(self, write: Callable[..., Awaitable[str]], claim: Claim, *args: object, **more: object) -> str:
        """Write an outcome, also through an outage of the database that is shorter than the lease."""
        deadline = time.monotonic() + self.settings.lease_seconds
        while True:
            try:
                return await write(claim, *args, **more)
            except OUTAGES as error:
                if time.monotonic() > deadline:
                    return f"not written: {_text(error)}"
                await asyncio.sleep(1)

    async def _give_up(self, claim: Claim, error_class: str, reason: str, save: Save | None = None) -> str:
        async with self.pool.connection() as conn:
            if not await queries.settle_failed(
                conn, claim.asset_id, claim.stage, epoch=claim.epoch, error_class=error_class, error=_text(reason)
            ):
                return "lease lost"
            failed = StageFailed(
                owner_id=claim.owner_id, asset_id=claim.asset_id, stage=claim.stage, reason=_text(reason)
            )
            await outbox.add(conn, failed)
            if save is not None:
                await save(conn)
        return f"failed: {reason}"

    async def _leave(self, claim: Claim) -> str:
        async with glance(self.pool) as conn:
            is_ours = await queries.settle_done(conn, claim.asset_id, claim.stage, epoch=claim.epoch)
        return "called off: it is wanted another way" if is_ours else "lease lost"

    async def _put_back(
        self, claim: Claim, error_class: str, reason: str, *, after: float, death: bool = False, failure: bool = False
    ) -> str:
        async with glance(self.pool) as conn:
            is_ours = await queries.put_back(
                conn,
                claim.asset_id,
                claim.stage,
                epoch=claim.epoch,
                after=after,
                death=death,
                failure=failure,
                error_class=error_class,
                error=_text(reason),
            )
        if is_ours and after < self.settings.poll_seconds:
            self._look_in(after)
        return f"again in {after:.0f} s: {reason}" if is_ours else "lease lost"

    async def _renew_for_ever(self) -> None:
        """As long before leases run out as can be, and soon again where some could not be renewed."""
        are_renewed = True
        while True:
            await asyncio.sleep(self.settings.lease_seconds / (3 if are_renewed else 30))
            are_renewed = False
            with contextlib.suppress(psycopg.Error):
                are_renewed = await self._renew()

    async def _renew(self) -> bool:
        """A claim that is no longer ours is cancelled; one that has just settled has left by itself."""
        claims = {(claim.asset_id, claim.epoch): claim for claim in self._held}
        if not claims:
            return True
        async with glance(self.pool.urgent) as conn:
            missed = await queries.renew(conn, self.stage, list(claims), lease_seconds=self.settings.lease_seconds)
        for key, is_ours in missed.items():
            if not is_ours and claims[key] in self._held:
                self._held[claims[key]].cancel()
        return not missed

    async def _finish(self) -> None:
        """What is not done in time is given back as soon as it has ended, and who hangs on a disk holds up no other."""
        if self._held:
            await asyncio.wait(self._held.values(), timeout=self.settings.stop_seconds)
        left = dict(self._held)
        for task in left.values():
            task.cancel()
        while left:
            await asyncio.wait(left.values(), timeout=END_SECONDS)
            ended = [claim for claim, task in left.items() if task.done()]
            await self._give_back(ended)
            left = {claim: task for claim, task in left.items() if claim not in ended}

    async def _give_back(self, claims: Sequence[Claim]) -> None:
        if claims:
            with contextlib.suppress(psycopg.Error):  # then the leases run out
                async with glance(self.pool.urgent) as conn:
                    await queries.give_back(conn, self.stage, [c.asset_id for c in claims], [c.epoch for c in claims])


def _trace_of(message: Msg | None, claim: Claim) -> str | None:
    """The trace of what rang, if it rang for this very work."""
    if message is None or message.headers is None or str(claim.asset_id).encode() not in message.data:
        return None
    return message.headers.get(traces.HEADER)


async def _acquired(free: asyncio.Semaphore) -> int:
    """Take all that is free at the moment; returns how much that was."""
    count = 0
    while not free.locked():
        await free.acquire()
        count += 1
    return count


def _text(reason: object) -> str:
    """A reason as the database can hold it, whatever bytes it tells of, without the noise of line ends."""
    text = (str(reason) or type(reason).__name__).encode(errors="backslashreplace").decode()
    return " ".join(text.replace("\0", "").split())[:1000]
