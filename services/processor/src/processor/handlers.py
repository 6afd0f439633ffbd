"""The render stage: one visit to the sandbox gives an asset its pictures, its fingerprints and its metadata."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from msgspec import structs

from common import files, outbox, rendering, tasks
from common import queries as core
from common.db import Connection, Pool, glance
from common.messages import AssetProbed, AssetProcessed, Kind
from common.stages import Claim, LeaseLost, Reject, Stage, Wait
from processor import audios, derived, exiftool, facts, images, options, queries, sandbox, sources, stacks, videos
from processor.audios import Audio
from processor.derived import Blob, Plan, Written
from processor.exiftool import Exiftool
from processor.images import Options, Photo
from processor.metadata import where
from processor.queries import Original
from processor.sandbox import Sandbox
from processor.sources import AWAY_RETRY_SECONDS, MISSING_RETRY_SECONDS, Source
from processor.videos import Video

Media = Photo | Video | Audio
RENDERERS: dict[Kind, Callable[..., Media]] = {"photo": images.render, "video": videos.render, "audio": audios.render}


@dataclass(frozen=True)
class Processor:
    """Everything the processor needs to do its work; `spare` bytes of a disk are left to what cannot be made again.

    `options` are how thumbnails are made where a repository does not say.
    """

    pool: Pool
    sandbox: Sandbox
    spare: int = 0
    options: Options = field(default_factory=Options)
    second_look: Exiftool | None = None

    async def render(self, claim: Claim) -> None:
        """Render the thumbnails of an asset, and its preview, frames or waveform, and read its metadata."""
        async with glance(self.pool) as conn:
            original = await queries.find_original(conn, claim.asset_id)
        if original is None:
            raise Wait("the original is not there at the moment", after=MISSING_RETRY_SECONDS)

        try:
            media, plan, written = await self._render(original, claim)
        except (files.Offline, FileNotFoundError) as outage:
            raise Wait(str(outage), after=AWAY_RETRY_SECONDS) from None

        try:
            async with claim.settle(self.pool) as conn:
                await queries.follow_inference(conn, claim.asset_id, owner=claim.owner_id, lane=claim.lane)
                await _save(conn, original=original, claim=claim, media=media)
                await _save_files(conn, claim, original, written)
                await outbox.add(conn, AssetProcessed(owner_id=claim.owner_id, asset_id=claim.asset_id))
                if original.kind != "photo":
                    await _hand_on(conn, claim, original)
        except LeaseLost:
            await derived.remove(plan)
            raise

    async def _render(self, original: Original, claim: Claim) -> tuple[Media, Plan, Written]:
        """What the file holds, and what was made of it, while the file is open."""
        source = await tasks.opened(sources.open_source, original, self.spare, close=Source.close)
        try:
            media = await self._look_twice(original, source, claim)
            media = structs.replace(media, metadata=await asyncio.to_thread(where.located, media.metadata))
            if media.trouble:
                raise Reject(media.trouble, save=partial(_save, original=original, claim=claim, media=media))
            motion = media.motion if isinstance(media, Photo) else None
            plan = Plan(original, claim, media.thumbnails, motion, blobs(media))
            return media, plan, await derived.write(plan, source.file)
        finally:
            source.close()

    async def _look_twice(self, original: Original, source: Source, claim: Claim) -> Media:
        media = await self._look(original, source, claim)
        if self.second_look is None or not isinstance(media, Photo) or not exiftool.is_wanted(media):
            return media
        known = await self.second_look.complete(media.metadata, source.file, original.mime_type)
        return structs.replace(media, metadata=known)

    async def _look(self, original: Original, source: Source, claim: Claim) -> Media:
        render = RENDERERS[original.kind]
        asked = options.adjusted(self.options, rendering.read(source.rules.rendering)[0])
        with sandbox.outcomes():
            return await self.sandbox.run(
                *(render, source.file, original.mime_type, sources.told(original, source), asked),
                owner=claim.owner_id,
                limits=sandbox.limits_of(original.mime_type, os.fstat(source.file).st_size),
                beside=[other.descriptor for other in source.beside],
            )


def blobs(media: Media) -> list[Blob]:
    """The small renditions that were made beside the thumbnails."""
    if isinstance(media, Video):
        moving = [Blob(kind="preview", mime="image/webp", data=media.preview)] if media.preview else []
        return moving + [
            Blob(kind=f"frame_{number}", mime="image/jpeg", data=data, recipe=f"at {at}")
            for number, (at, data) in enumerate(media.frames.items(), start=1)
        ]
    if isinstance(media, Audio) and media.waveform:
        return [
            Blob(kind="waveform", mime="application/json", data=media.waveform.json),
            Blob(kind="waveform_image", mime="image/png", data=media.waveform.png),
        ]
    return []


async def _save(conn: Connection, *, original: Original, claim: Claim, media: Media) -> None:
    """What was read in the file, and what it has in common with others."""
    if await queries.tells_another_time(conn, claim.asset_id, media.metadata):  # stages are locked before assets
        await core.redo(conn, claim.asset_id, Stage.SIDECAR)
    keys = stacks.keys(media.metadata, file_name=original.file_name, mime=original.mime_type)
    await queries.save_facts(conn, claim.asset_id, facts.of(media))
    await queries.save_stack_keys(conn, claim.asset_id, owner=claim.owner_id, keys=keys)


async def _hand_on(conn: Connection, claim: Claim, original: Original) -> None:
    """What moves or sounds may need a version for browsers, which is another stage's to find out."""
    await core.follow(conn, claim.asset_id, Stage.TRANSCODE, owner=claim.owner_id, lane=claim.lane)
    await outbox.add(conn, AssetProbed(owner_id=claim.owner_id, asset_id=claim.asset_id, kind=original.kind))


async def _save_files(conn: Connection, claim: Claim, original: Original, written: Written) -> None:
    await queries.save_thumbnails(conn, claim.asset_id, original.repository_id, written.thumbnails)
    await queries.save_renditions(conn, claim.asset_id, original.repository_id, written.renditions, of=derived.KINDS)
