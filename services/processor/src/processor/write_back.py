"""The sidecar stage: what a person says of a photo is written beside it, for every other program to read."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from common import files, layout, marker, outbox, sidecars, tasks
from common import queries as core
from common.db import Pool, glance
from common.edits import Edits
from common.messages import AssetReopened
from common.sidecars import Unfit, Version
from common.stages import Claim, Died, LeaseLost, Reject, Stage, Wait
from processor import sandbox, sidecar, survey
from processor import sidecar_queries as queries
from processor.metadata import where
from processor.metadata.packet import LARGEST
from processor.sandbox import Sandbox
from processor.sidecar import Clock, Merged, Wanted
from processor.sidecar_queries import Edited, Spot
from processor.sources import AWAY_RETRY_SECONDS, MISSING_RETRY_SECONDS
from processor.survey import Survey
from processor.unreadable import Unreadable

BUSY_RETRY_SECONDS = 0.5
READ_AGAIN_SECONDS = 30.0


@dataclass(frozen=True)
class Place:
    """Where a sidecar belongs: beside the original of a repository, or apart where nothing may be written beside it."""

    root: bytes
    path: bytes
    original: bytes | None
    repository_root: bytes
    repository_id: UUID
    private_root: bytes | None


@dataclass(frozen=True)
class WriteBack:
    """Everything that writing back needs."""

    pool: Pool
    sandbox: Sandbox

    async def write(self, claim: Claim) -> None:
        """Have every sidecar of an asset say what a person says of it; those of what is in the trash wait there."""
        try:
            await self._write_and_settle(claim)
        except (LeaseLost, asyncio.CancelledError):
            await self._look_again(claim)
            raise

    async def _write_and_settle(self, claim: Claim) -> None:
        edited = await self._edited(claim)
        async with glance(self.pool) as conn:
            spots = await queries.list_spots(conn, claim.asset_id)
        await self._find_place(claim, edited)
        is_taken_back = False if edited.is_trashed else await self._write_all(claim, spots)

        async with claim.settle(self.pool) as conn:
            if is_taken_back:  # what was read of the photo may be what we had written beside it
                await core.redo(conn, claim.asset_id, Stage.RENDER)
                await outbox.add(conn, AssetReopened(owner_id=claim.owner_id, asset_id=claim.asset_id))

    async def _edited(self, claim: Claim) -> Edited:
        async with glance(self.pool) as conn:
            edited = await queries.find_edited(conn, claim.asset_id)
        if edited is None:  # and its stages with it
            raise LeaseLost
        return edited

    async def _look_again(self, claim: Claim) -> None:
        """Somebody newer has settled, maybe before we wrote: what lies there may be what is no longer said."""
        async with self.pool.connection() as conn:
            await core.redo(conn, claim.asset_id, Stage.SIDECAR)

    async def _find_place(self, claim: Claim, edited: Edited) -> None:
        """Where an edited position lies; kept at once, for what is to be written may have to wait."""
        latitude, longitude = edited.edits.get("gps_latitude"), edited.edits.get("gps_longitude")
        if edited.has_place or latitude is None or longitude is None:
            return
        town = await asyncio.to_thread(where.place_of, latitude, longitude)
        zone = await asyncio.to_thread(where.zone_of, latitude, longitude)
        place = (msgspec.structs.asdict(town) if town else {}) | {"time_zone": zone}
        async with glance(self.pool) as conn:
            position = {"gps_latitude": latitude, "gps_longitude": longitude}
            await queries.save_edited_place(conn, claim.asset_id, position=position, place=place)

    async def _write_all(self, claim: Claim, spots: list[Spot]) -> bool:
        """Whether something was taken out; one place that takes nothing keeps no other from being written."""
        taken_back, reasons = False, []
        if not spots or any(layout.is_trashed(spot.path) for spot in spots):
            raise Wait("the original is not there at the moment", after=MISSING_RETRY_SECONDS if not spots else 1.0)
        for place in _places(claim.asset_id, spots):
            try:
                taken_back |= await self._write_one(claim, place)
            except (Unfit, Unreadable) as verdict:
                reasons.append(str(verdict))
        if reasons:
            raise Reject("; ".join(reasons))
        return taken_back

    async def _write_one(self, claim: Claim, place: Place) -> bool:
        """What is said is asked after what is there: whoever writes something newer meanwhile changes that."""
        with _waiting():
            found = await asyncio.to_thread(_read, place)
            merged = await self._merge(claim, place, found, _wants(await self._edited(claim)))
            if merged is None:
                return False
            if merged.is_taken_back:
                await self._read_again_later(claim)
            await tasks.to_the_end(_write, place, merged.content, found)
            return merged.is_taken_back

    async def _read_again_later(self, claim: Claim) -> None:
        """Whatever ends us after the sidecar is written, what it no longer says is not believed for long."""
        async with self.pool.connection() as conn:
            await core.redo(conn, claim.asset_id, Stage.RENDER, after=READ_AGAIN_SECONDS)

    async def _merge(self, claim: Claim, place: Place, found: Version | None, wants: Wanted) -> Merged | None:
        """What is to be written, None when all is said already; it is proved to keep all that others wrote."""
        if found is None and not wants:
            return None
        content, seen = sidecar.empty()
        if found is not None:
            content, seen = found.content, await self._survey(claim, place, found.content)
        merged = sidecar.merge(content, seen, wants, at=datetime.now(UTC))
        if found is not None and merged.content == found.content:
            return None
        after = await self._survey(claim, place, merged.content)
        said = {one.name: one.values for one in after.found}
        if after.rest != seen.rest or any(said.get(name, []) != values for name, values in wants.items()):
            raise Unreadable(f"{_name(place)} cannot be changed without losing something: nothing was written")
        return merged

    async def _survey(self, claim: Claim, place: Place, content: bytes) -> Survey:
        with _as_file(content) as descriptor:
            try:
                return await self.sandbox.run(survey.survey, descriptor, owner=claim.owner_id)
            except Unreadable as verdict:
                raise Unreadable(f"{_name(place)} is not changed: {verdict}") from None
            except sandbox.Died as error:
                raise Died(str(error)) from None


@contextmanager
def _waiting() -> Iterator[None]:
    """A disk that is away, full or failing, and a file that somebody else changes just now, cost no attempt."""
    try:
        with files.outages():
            yield
    except files.Offline as outage:
        raise Wait(str(outage), after=AWAY_RETRY_SECONDS) from None
    except sidecars.Gone as gone:
        raise Wait(str(gone), after=AWAY_RETRY_SECONDS) from None
    except (sidecars.Changed, BlockingIOError):
        raise Wait("the sidecar or its original is just being changed", after=BUSY_RETRY_SECONDS) from None


def _wants(edited: Edited) -> Wanted:
    edits = msgspec.convert(edited.edits, Edits)
    return sidecar.wanted(edits, Clock(edited.taken_at, edited.taken_offset_minutes))


def _places(asset_id: UUID, spots: list[Spot]) -> Iterator[Place]:
    """Beside every original that may have something beside it; once for each repository where that is not so."""
    homes = {}
    for spot in spots:
        if spot.private_root is not None:
            homes[spot.private_root] = Place(
                spot.private_root, layout.apart(asset_id), None, spot.root, spot.repository_id, spot.private_root
            )
        else:
            yield Place(spot.root, layout.beside(spot.path), spot.path, spot.root, spot.repository_id, None)
    yield from homes.values()


def _read(place: Place) -> Version | None:
    marker.check(place.repository_root, place.repository_id, place.private_root)
    return sidecars.read(place.root, place.path, limit=LARGEST)


def _write(place: Place, content: bytes, found: Version | None) -> None:
    sidecars.write(place.root, place.path, content, instead_of=found, beside=place.original)


@contextmanager
def _as_file(content: bytes) -> Iterator[int]:
    """Bytes as a file that can only be read, as the sandbox takes them."""
    with open(os.memfd_create("sidecar", os.MFD_CLOEXEC), "wb") as file:
        file.write(content)
        file.flush()
        descriptor = os.open(f"/proc/self/fd/{file.fileno()}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _name(place: Place) -> str:
    return os.path.basename(place.path).decode(errors="backslashreplace")
