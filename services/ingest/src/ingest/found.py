"""Registers files that were found in people's own folders: where they lie, without moving or copying them."""

import asyncio
import os
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import TypeAlias
from uuid import UUID

import psycopg

from common import formats, log, manifest_lines, marker, outbox, streams, trash_queries
from common import queries as core
from common.bus import Bus, Doorbell
from common.db import Connection, Pool
from common.files import Offline
from common.messages import AssetReopened, AssetStored, AssetUpdated, Event, Kind
from common.names import display_name
from common.outbox import Relay
from common.stages import Stage
from ingest import found_queries as queries
from ingest.found_queries import FoundFile, NewAsset

BATCH = 500
AWAY_SECONDS = 10.0
Content: TypeAlias = tuple[int, bytes]
KINDS: dict[str, Kind] = {known.mime_type: known.kind for known in formats.FORMATS}


class Away(Exception):  # an outcome, not an error
    """A repository takes no manifest lines at the moment; the text says why."""

    def __init__(self, repository_id: UUID, reason: str) -> None:
        super().__init__(reason)
        self.repository_id = repository_id


@dataclass(frozen=True)
class Registrar:
    """Makes assets of files that were found."""

    pool: Pool
    bus: Bus
    relay: Relay
    poll_seconds: float

    async def run(self, stop: asyncio.Event) -> None:
        """Register until told to stop; an outage only delays it."""
        await Doorbell(self.bus, streams.REGISTER).follow(self._all, stop)

    async def _all(self) -> float:
        """Register whatever waits, but nothing of what is away; returns the seconds until it is worth to look again."""
        away: list[UUID] = []
        while True:
            try:
                if not await self.register(away):
                    return AWAY_SECONDS if away else self.poll_seconds
                self.relay.wake()
            except Away as outage:  # the others are not to wait for it
                log.get().warning("registering delayed", repository=str(outage.repository_id), error=str(outage))
                away.append(outage.repository_id)
            except (psycopg.Error, OSError) as error:
                log.get().warning("registering delayed", error=str(error).strip())
                return 1.0

    async def register(self, away: Sequence[UUID] = ()) -> int:
        """Register some files, none of repositories that are away; returns how many. Away when another is."""
        async with self.pool.connection() as conn:
            held = await queries.list_changed(conn, away, limit=BATCH)
            await trash_queries.lock_stages(conn, held)  # which everybody holds before files
            found = await queries.lock_found(conn, held, away, known=KINDS, limit=BATCH)
            changed = [one for one in found if one.asset_id is not None and one.known_id is None and not one.is_kept]
            renewed = [one for one in changed if await _renew(conn, one)]
            rest = [one for one in found if one not in renewed]
            made = await _new_assets(conn, rest)
            await asyncio.to_thread(_write_manifests, found, _ids(found, made, renewed))
            ours = await queries.save_assets(conn, list(made.values()))
            await queries.link(conn, found)
            await queries.hide_forsaken(conn, [one.asset_id for one in rest if one.asset_id is not None])
            await outbox.add(conn, *_stored(rest, made, ours), *_renewed(renewed))
        return len(found)


async def _renew(conn: Connection, one: FoundFile) -> bool:
    """Whether an asset has the new content of its only file now; what was made of the old one is made again."""
    assert one.asset_id is not None  # noqa: S101  # the caller has looked
    if not await queries.renew(conn, one, kind=KINDS[one.mime_type]):
        return False
    for stage in (Stage.RENDER, Stage.TRANSCODE):
        await core.redo(conn, one.asset_id, stage)
    return True


async def _new_assets(conn: Connection, found: Sequence[FoundFile]) -> dict[Content, NewAsset]:
    """An asset for each content that its owner does not have."""
    unknown = {_content(one): one for one in reversed(found) if one.known_id is None}
    ids = await queries.new_ids(conn, len(unknown))
    return {content: _new_asset(asset_id, one) for asset_id, (content, one) in zip(ids, unknown.items(), strict=True)}


def _ids(
    found: Sequence[FoundFile], made: Mapping[Content, NewAsset], renewed: Sequence[FoundFile]
) -> dict[Content, UUID]:
    known = {_content(one): one.known_id for one in found if one.known_id is not None}
    kept = {_content(one): one.asset_id for one in renewed if one.asset_id is not None}
    return {**known, **{content: asset.asset_id for content, asset in made.items()}, **kept}


def _new_asset(asset_id: UUID, one: FoundFile) -> NewAsset:
    return NewAsset(
        asset_id=asset_id,
        owner_id=one.owner_id,
        content_hash=one.content_hash,
        size=one.size,
        kind=KINDS[one.mime_type],
        mime_type=one.mime_type,
        original_filename=_name(one),
    )


def _write_manifests(found: Sequence[FoundFile], assets: Mapping[Content, UUID]) -> None:
    """A line per file from which the catalogue can be rebuilt, before the rows; a repeated one says the same."""
    now = datetime.now(UTC)
    ordered = sorted(found, key=_repository)
    for repository_id, files_there in groupby(ordered, key=_repository):
        there = list(files_there)
        lines = [_line(one, assets[_content(one)], now) for one in there]
        try:
            marker.check(there[0].root, repository_id, there[0].private_root)
            manifest_lines.append(there[0].home, lines, now=now)
        except (Offline, OSError) as error:
            raise Away(repository_id, str(error)) from None


def _line(one: FoundFile, asset_id: UUID, now: datetime) -> bytes:
    return manifest_lines.encoded(
        one.path,
        name=_name(one),
        content_hash=one.content_hash,
        size=one.size,
        owner_id=one.owner_id,
        asset_id=asset_id,
        adopted_at=now,
    )


def _stored(found: Sequence[FoundFile], made: Mapping[Content, NewAsset], ours: Container[UUID]) -> list[Event]:
    repositories = {_content(one): one.repository_id for one in found}
    return [
        AssetStored(
            owner_id=asset.owner_id, asset_id=asset.asset_id, repository_id=repositories[content], kind=asset.kind
        )
        for content, asset in made.items()
        if asset.asset_id in ours
    ]


def _renewed(found: Sequence[FoundFile]) -> list[Event]:
    ids = [(one.owner_id, one.asset_id) for one in found if one.asset_id is not None]
    updated: list[Event] = [AssetUpdated(owner_id=owner, asset_id=asset) for owner, asset in ids]
    return updated + [AssetReopened(owner_id=owner, asset_id=asset) for owner, asset in ids]


def _content(one: FoundFile) -> Content:
    return one.owner_id, one.content_hash


def _repository(one: FoundFile) -> UUID:
    return one.repository_id


def _name(one: FoundFile) -> str:
    return display_name(os.path.basename(one.path).decode(errors="replace"))
