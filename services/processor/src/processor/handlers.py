"""The render stage: one visit to the sandbox gives a photo its thumbnails, its fingerprints and its metadata."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

from blake3 import blake3
from msgspec import structs

from common import files, layout, outbox, rendering
from common.db import Pool, glance
from common.messages import AssetProcessed
from common.stages import Claim, Died, LeaseLost, Reject, Wait
from processor import facts, images, options, queries, sandbox, sources
from processor.images import Options, Photo
from processor.metadata import where
from processor.queries import Original, Thumbnail
from processor.sandbox import Sandbox
from processor.unreadable import Unreadable

AWAY_RETRY_SECONDS = 10.0
EXTENSIONS = {"image/webp": ".webp", "image/jpeg": ".jpg"}


@dataclass(frozen=True)
class Processor:
    """Everything the processor needs to do its work; `spare` bytes of a disk are left to what cannot be made again.

    `options` are how thumbnails are made where a repository does not say.
    """

    pool: Pool
    sandbox: Sandbox
    spare: int = 0
    options: Options = field(default_factory=Options)

    async def render(self, claim: Claim) -> None:
        """Render a photo's thumbnails and read its metadata."""
        async with glance(self.pool) as conn:
            original = await queries.find_original(conn, claim.asset_id)
        if original is None:
            raise Wait("the original is not there at the moment", after=AWAY_RETRY_SECONDS)

        try:
            photo = await self._look(original, claim)
            photo = structs.replace(photo, metadata=await asyncio.to_thread(where.located, photo.metadata))
            thumbnails = await _written(original, claim, photo)
        except (files.Offline, FileNotFoundError) as outage:
            raise Wait(str(outage), after=AWAY_RETRY_SECONDS) from None

        try:
            async with claim.settle(self.pool) as conn:
                await queries.save_facts(conn, claim.asset_id, facts.of_photo(photo))
                await queries.save_thumbnails(conn, claim.asset_id, original.repository_id, thumbnails)
                await outbox.add(conn, AssetProcessed(owner_id=claim.owner_id, asset_id=claim.asset_id))
        except LeaseLost:
            await asyncio.to_thread(_remove, original, claim, photo)
            raise

    async def _look(self, original: Original, claim: Claim) -> Photo:
        source = await asyncio.to_thread(sources.open_source, original, self.spare)
        told = sources.told(original, source)
        asked = options.adjusted(self.options, rendering.read(source.rules.rendering)[0])
        try:
            return await self.sandbox.run(
                *(images.render, source.file, original.mime_type, told, asked),
                owner=claim.owner_id,
                limits=sandbox.limits_of(original.mime_type),
                beside=[other.descriptor for other in source.beside],
            )
        except Unreadable as error:
            raise Reject(str(error)) from None
        except sandbox.Died as error:
            raise Died(str(error)) from None
        finally:
            source.close()


async def _written(original: Original, claim: Claim, photo: Photo) -> list[Thumbnail]:
    """The thumbnails on the disk; a writing that fails or is cancelled leaves none behind."""
    writing = asyncio.create_task(asyncio.to_thread(_write, original, claim, photo))
    try:
        return await asyncio.shield(writing)
    except BaseException:
        await asyncio.wait({writing})
        await asyncio.to_thread(_remove, original, claim, photo)
        raise


def _write(original: Original, claim: Claim, photo: Photo) -> list[Thumbnail]:
    with files.outages():
        for _, path, thumbnail in _places(original, claim, photo):
            files.write_derived(original.home, path, thumbnail.data)
    return [_described(size, path, thumbnail) for size, path, thumbnail in _places(original, claim, photo)]


def _remove(original: Original, claim: Claim, photo: Photo) -> None:
    for _, path, _ in _places(original, claim, photo):
        files.forget(original.home, path)


def _places(original: Original, claim: Claim, photo: Photo) -> Iterator[tuple[str, bytes, images.Thumbnail]]:
    """Each size, its path and its bytes; no other claim has these names, so no other render can be hurt."""
    for size, thumbnail in photo.thumbnails.items():
        extension = EXTENSIONS[thumbnail.mime]
        yield size, layout.thumbnail(size, original.content_hash, claim.owner_id, claim.epoch, extension), thumbnail


def _described(size: str, path: bytes, thumbnail: images.Thumbnail) -> Thumbnail:
    return Thumbnail(
        size=size,
        path=path,
        mime_type=thumbnail.mime,
        width=thumbnail.width,
        height=thumbnail.height,
        length=len(thumbnail.data),
        hash=blake3(thumbnail.data).digest(),
    )
