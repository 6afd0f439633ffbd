"""People who leave: their photos become somebody else's or go for good, and then they are gone themselves.

A row says what is wished, and what is not done yet is what they still own; so a crash is finished by the next round.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import groupby

import psycopg

from common import audit, inbox, log, manifest_lines, marker, outbox, queries, trash
from common.db import Connection, Pool
from common.files import Offline
from common.messages import AssetsUpdated
from common.stages import Stage
from ingest import departure_queries
from ingest.departure_queries import Departure, Handed, Leaving

BATCH = 200
REASON = "its owner left"


async def go_on(pool: Pool) -> None:
    """Do for everybody who leaves what can be done now; what is being worked on is for a later round."""
    async with pool.connection() as conn:
        found = await departure_queries.list_departures(conn)
    for departure in found:
        try:
            await _take(pool, departure)
        except (psycopg.errors.IntegrityError, Offline) as error:  # made at this moment, or a disk is away
            log.get().warning("departure delayed", user=departure.user_id, error=str(error).strip())


async def _take(pool: Pool, departure: Departure) -> None:
    async with pool.connection() as conn:
        await departure_queries.hand_over_folders(conn, departure)
    if departure.receiver_id is None:
        await _throw(pool, departure)
        await _purge(pool, departure)
    else:
        await _transfer(pool, departure, departure.receiver_id)
    await _finish(pool, departure)


async def _transfer(pool: Pool, departure: Departure, receiver: int) -> None:
    after = None
    while True:
        async with pool.connection() as conn:
            page = await departure_queries.list_page(conn, owner=departure.user_id, after=after, limit=BATCH)
            if not page or not await departure_queries.lock_departure(conn, departure):
                return
            await departure_queries.lock_stages(conn, page, receiver=receiver)
            found = await departure_queries.list_at_rest(conn, page, owner=departure.user_id, receiver=receiver)
            await _give(conn, [one for one in found if one.twin_id is None], receiver)
            await _merge(conn, [one for one in found if one.twin_id is not None], receiver)
            handed = await departure_queries.list_handed(conn, [one.twin_id or one.asset_id for one in found])
            await asyncio.to_thread(_write_manifests, handed)
        after = page[-1]


async def _give(conn: Connection, leaving: list[Leaving], receiver: int) -> None:
    if leaving:
        meant = [one.asset_id for one in leaving]
        await departure_queries.give(conn, meant, receiver=receiver)
        await outbox.add(conn, AssetsUpdated(owner_id=receiver, asset_ids=meant))


async def _merge(conn: Connection, leaving: list[Leaving], receiver: int) -> None:
    """The disk follows: files go into the trash or come out of it, to where the receiver's own are."""
    pairs = [(one.asset_id, one.twin_id) for one in leaving if one.twin_id is not None]
    if not pairs:
        return
    twins = [twin for _, twin in pairs]
    await departure_queries.merge(conn, [asset for asset, _ in pairs], twins, receiver=receiver)
    shown = [one.twin_id for one in leaving if one.twin_id is not None and one.brings_back]
    await trash.take_back_many(conn, shown, owner=receiver, brings_bytes=True)
    for twin in twins:
        await queries.reopen(conn, twin, Stage.PLACE)
    await outbox.add(conn, AssetsUpdated(owner_id=receiver, asset_ids=twins))


async def _throw(pool: Pool, departure: Departure) -> None:
    while True:
        async with pool.connection() as conn:
            page = await departure_queries.list_shown(conn, owner=departure.user_id, limit=BATCH)
            if not page or not await departure_queries.lock_departure(conn, departure):
                return
            for asset_id in page:
                with suppress(trash.NoAsset):  # somebody was quicker
                    await trash.put(conn, asset_id, owner=departure.user_id, reason=REASON)


async def _purge(pool: Pool, departure: Departure) -> None:
    while True:
        async with pool.connection() as conn:
            page = await departure_queries.list_unwished(conn, owner=departure.user_id, limit=BATCH)
            if not page or not await departure_queries.lock_departure(conn, departure):
                return
            await trash.purge(conn, page, asked_by=departure.asked_by, why="asked")


async def _finish(pool: Pool, departure: Departure) -> None:
    """Nothing is theirs any more, so they are gone as well; what happened stays written down."""
    async with pool.connection() as conn:
        if departure.receiver_id is not None:
            await departure_queries.hand_over_albums(conn, owner=departure.user_id, receiver=departure.receiver_id)
        await departure_queries.hand_over_pauses(conn, departure)
        if not await departure_queries.forget_user(conn, departure.user_id):
            return
        about = f"user {departure.user_id}"
        await audit.note(conn, "user gone", user=departure.asked_by, about=about, assets=departure.fate)
    log.get().info("user gone", user=departure.user_id, assets=departure.fate)


def _write_manifests(handed: Sequence[Handed]) -> None:
    """A line per file from which the catalogue can be rebuilt, before the rows; a repeated one says the same."""
    now = datetime.now(UTC)
    for repository_id, files_there in groupby(handed, key=lambda one: one.repository_id):
        there = list(files_there)
        marker.check(there[0].root, repository_id, there[0].private_root)
        lines = [_line(one, now) for one in there]
        try:
            manifest_lines.append(there[0].home, lines, now=now)
        except OSError as error:
            raise Offline(f"its repository takes no manifest lines: {error.strerror}") from None


def _line(one: Handed, now: datetime) -> bytes:
    return manifest_lines.encoded(
        _path(one),
        name=one.original_filename,
        content_hash=one.content_hash,
        size=one.size,
        owner_id=one.owner_id,
        asset_id=one.asset_id,
        uploaded_at=one.uploaded_at,
        adopted_at=now,
    )


def _path(one: Handed) -> bytes:
    """Where a file lies, or for one in the trash a path that nobody else can have by now."""
    if one.trashed_from is None:
        return one.path
    return list(inbox.candidates(one.trashed_from, token=str(one.asset_id)))[-1]
