"""Work on many assets: taken in as a row, and worked off in turns by whichever gateway holds it."""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import psycopg

from common import log, outbox_queries
from common.db import OUTAGES, Connection, glance
from common.process import Core
from gateway import albums, deeds, editing, policies
from gateway.actions import Action, AddToAlbum, Deed, Edit, RemoveFromAlbum, Restore, SetZone, ShiftTime, Tag, Trash
from gateway.errors import Conflict, Forbidden, Invalid, NotFound
from gateway.operation_schemas import OperationRequest
from gateway.policies import DELETE, Caller
from gateway.queries import operation_turns as turns
from gateway.queries import operations as queries
from gateway.queries import organising
from gateway.queries.operation_turns import Turn

BATCH = 500
FEW = 200
SOON_SECONDS = 1.0
TURN_SECONDS = 5.0
LEASE_SECONDS = 60.0
POLL_SECONDS = 2.0
LAST_TRY = 8
AWAY_SECONDS = 1.0
MOST_OPEN = 100
KEPT_DAYS = 30
CROWDED = 1000
"""So many events wait to be published that others would be late: telling goes first."""
CROWDED_SECONDS = 0.5


async def ask(conn: Connection, asked: OperationRequest, *, caller: Caller, key: str | None) -> int:
    """Take in what a caller wants done with their assets, all or nothing; returns which operation that is."""
    owner, action = caller.user.user_id, checked(asked.action)
    if isinstance(action, Trash | Restore):
        policies.of(DELETE).check(caller)
    if isinstance(action, AddToAlbum):
        await albums.require_writer(conn, action.album_id, user=owner)
    if isinstance(action, RemoveFromAlbum):
        await albums.part(conn, action.album_id, user=owner)
    if (asked.ids is None) == (asked.filter is None):
        raise Invalid("say either `ids` or `filter`")
    if asked.ids is not None:
        await _require_own(conn, asked.ids, owner=owner)
    if key is not None and (known := await _find_repeated(conn, key, asked, action, owner=owner)) is not None:
        return known
    chosen = None if asked.filter is None else builtins(asked.filter)
    operation_id = await begin(conn, action, owner=owner, chosen=chosen, named=_named(asked), key=key)
    if asked.filter is not None:
        await queries.choose_filtered(conn, operation_id, asked.filter, owner=owner, size=BATCH)
    else:
        await queries.choose_named(conn, operation_id, sorted(set(asked.ids or ())), size=BATCH)
    await queries.save_total(conn, operation_id)
    return operation_id


async def begin(
    conn: Connection,
    deed: Deed,
    *,
    owner: int,
    chosen: dict[str, Any] | None = None,
    named: bytes | None = None,
    key: str | None = None,
) -> int:
    """A new operation, whose assets are to be chosen in the same transaction."""
    await queries.forget_old(conn, owner=owner, days=KEPT_DAYS)
    if await queries.count_open(conn, owner=owner) >= MOST_OPEN:
        raise Conflict(f"{MOST_OPEN} operations of yours are not done yet: wait, or stop some")
    operation_id = await queries.add(conn, builtins(deed), owner=owner, chosen=chosen, named=named, key=key)
    if operation_id is None:
        raise Conflict("the same request has just been taken in: look at the operations")
    return operation_id


def checked(action: Action) -> Action:
    """The action as it is kept; Invalid, in words, for one that makes no sense."""
    match action:
        case Edit():
            given, _ = editing.checked(deeds.said_in(action), action.reset)
            return msgspec.convert({"kind": "edit", **given, "reset": action.reset}, Edit)
        case Tag():
            tidy = Tag(add=editing.checked_tags(action.add), remove=editing.checked_tags(action.remove))
            if not tidy.add and not tidy.remove:
                raise Invalid("no tag is named: say which to `add` or to `remove`")
            if both := sorted({*tidy.add} & {*tidy.remove}):
                raise Invalid(f"{', '.join(both)}: either add it or remove it")
            return tidy
        case ShiftTime(minutes=0, seconds=0):
            raise Invalid("nothing is shifted: say how many `minutes` or `seconds`")
        case SetZone():
            _require_zone(action.zone)
    return action


def builtins(value: object) -> dict[str, Any]:
    """What a struct says, as the database keeps it."""
    found: dict[str, Any] = msgspec.to_builtins(value)
    return found


async def _require_own(conn: Connection, asset_ids: Sequence[UUID], *, owner: int) -> None:
    foreign = await organising.find_foreign(conn, asset_ids, owner=owner)
    if foreign is not None:
        raise NotFound(f"no asset {foreign}; nothing was done")


async def _find_repeated(
    conn: Connection, key: str, asked: OperationRequest, action: Action, *, owner: int
) -> int | None:
    """What the same request was answered before; Conflict when it was another one."""
    known = await queries.find_by_key(conn, key, owner=owner)
    if known is None:
        return None
    same = known.action == builtins(action) and known.filter == (asked.filter and builtins(asked.filter))
    if not same or known.named_hash not in {None, _named(asked)}:
        raise Conflict("this Idempotency-Key came with another request before: take a new key for each")
    return known.operation_id


def _named(asked: OperationRequest) -> bytes | None:
    """A hash of the assets that are named, in whatever order."""
    if asked.ids is None:
        return None
    return hashlib.sha256(b"".join(sorted({one.bytes for one in asked.ids}))).digest()


def _require_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid("`zone` is the name of a time zone, like Europe/Paris") from None


@dataclass(frozen=True)
class Operations:
    """Works off operations in turns; as many gateways as like to may do so."""

    core: Core
    choosing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    """Few choose at once what may be a whole library, so that connections are left for others."""
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Say that there is something to do."""
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; what is in hand then goes on elsewhere, or at the next start."""
        stopping = asyncio.create_task(stop.wait())
        while not stop.is_set():
            self._woken.clear()
            if not await self._work(stop):
                await self._rest(stopping)

    async def try_at_once(self, operation_id: int) -> None:
        """Work on an operation for as long as a person likes to wait, if it is its turn."""
        with contextlib.suppress(psycopg.Error):
            await self.work(operation_id, seconds=SOON_SECONDS)
        self.wake()

    async def work(
        self, operation_id: int | None = None, *, seconds: float = TURN_SECONDS, stop: asyncio.Event | None = None
    ) -> bool:
        """Take a turn, at this operation or the next one; False when there is nothing to do."""
        async with glance(self.core.pool) as conn:
            turn = await turns.take_turn(conn, operation_id, lease_seconds=LEASE_SECONDS)
        if turn is None:
            return False
        deadline = time.monotonic() + seconds
        deed: Deed = msgspec.convert(turn.action, Deed)
        try:
            async with self.core.pool.connection() as conn:
                await deeds.prepare(conn, deed, owner=turn.owner_id)
            while not (is_crowded := await self._is_crowded()) and await self._do_batch(turn, deed):
                if time.monotonic() > deadline or (stop is not None and stop.is_set()):
                    break
        except Exception as error:  # noqa: BLE001  # whatever it is, it must not keep others from their turn
            await self._put_off(turn, error)
        else:
            async with glance(self.core.pool) as conn:
                await turns.give_turn(conn, turn, after=CROWDED_SECONDS if is_crowded else 0)
        return True

    async def _is_crowded(self) -> bool:
        """Whether more was done than can be told at once; while nobody can be told, nobody waits for that."""
        if not self.core.bus.connected:
            return False
        async with glance(self.core.pool) as conn:
            return await outbox_queries.count_unpublished(conn, limit=CROWDED) == CROWDED

    async def _work(self, stop: asyncio.Event) -> bool:
        try:
            return await self.work(stop=stop)
        except psycopg.Error as error:
            log.get().warning("operations delayed", error=str(error).strip())
            return False

    async def _rest(self, stopping: "asyncio.Task[bool]") -> None:
        woken = asyncio.create_task(self._woken.wait())
        await asyncio.wait({stopping, woken}, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        woken.cancel()

    async def _do_batch(self, turn: Turn, deed: Deed) -> bool:
        """One transaction, in which nobody else works on the operation; whether there is more to do."""
        async with self.core.pool.connection() as conn:
            batch = await turns.lock_batch(conn, turn)
            if batch is None:  # it was stopped, or somebody newer works on it
                return False
            outcome = await deeds.do(conn, deed, batch.asset_ids or (), owner=turn.owner_id)
            await turns.save_batch(
                *(conn, turn, batch),
                changed=outcome.changed,
                failures=outcome.failures,
                lease_seconds=LEASE_SECONDS,
            )
        self.core.relay.wake()
        if batch.is_last:
            await self._finish(turn, deed)
        return not batch.is_last

    async def _finish(self, turn: Turn, deed: Deed) -> None:
        async with self.core.pool.connection() as conn:
            await deeds.finish(conn, deed, owner=turn.owner_id)
        log.get().info("operation done", operation=turn.operation_id, kind=turn.action["kind"])

    async def _put_off(self, turn: Turn, error: Exception) -> None:
        """Nothing of the batch is done: it is tried again a little later, and given up when that never helps.

        An outage of the database counts for nothing.
        """
        log.get().warning("operation delayed", operation=turn.operation_id, tries=turn.tries, exc_info=error)
        async with glance(self.core.pool) as conn:
            if isinstance(error, NotFound | Forbidden):
                await turns.give_up(conn, turn, str(error))
            elif isinstance(error, OUTAGES):
                await turns.give_turn(conn, turn, after=AWAY_SECONDS)
            elif turn.tries + 1 >= LAST_TRY:
                await turns.give_up(conn, turn, "something went wrong on the server, again and again; see its log")
            else:
                await turns.give_turn(conn, turn, after=0.1 * 4**turn.tries, is_failure=True)
