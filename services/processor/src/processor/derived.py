"""The files that a rendering leaves on the disk: all of them, or none where it fails."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from blake3 import blake3
from msgspec import Struct

from common import derived_files, files, layout, tasks
from common.formats import BY_MIME
from common.stages import Claim
from processor import images
from processor.images import Size
from processor.motion import Motion
from processor.queries import Original, Rendition, Thumbnail

FRAMES = {f"frame_{number}": layout.FRAMES + b"/%d" % number for number in range(1, layout.MOST_FRAMES + 1)}
KINDS = ("motion", "preview", "waveform", "waveform_image", *FRAMES)
"""The renditions that a rendering makes."""
EXTENSIONS = {"image/webp": ".webp", "image/jpeg": ".jpg", "image/png": ".png", "application/json": ".json"}
FOLDERS = {"preview": layout.PREVIEWS, "waveform": layout.WAVEFORMS, "waveform_image": layout.WAVEFORMS, **FRAMES}


class Blob(Struct, frozen=True, kw_only=True):
    """A small rendition, made in the sandbox: what kind of one, and its bytes."""

    kind: str
    mime: str
    data: bytes
    recipe: str | None = None


@dataclass(frozen=True)
class Plan:
    """What is to be written for a claim; no other claim has these names, so no other rendering can be hurt."""

    original: Original
    claim: Claim
    thumbnails: Mapping[Size, images.Thumbnail]
    motion: Motion | None = None
    blobs: Sequence[Blob] = ()

    def thumbnail_paths(self) -> Iterator[tuple[Size, bytes, images.Thumbnail]]:
        """Each size, its path and its bytes."""
        for size, thumbnail in self.thumbnails.items():
            named = (self.original.content_hash, self.claim.owner_id, self.claim.epoch)
            yield size, layout.thumbnail(size, *named, EXTENSIONS[thumbnail.mime]), thumbnail

    def motion_path(self) -> Iterator[tuple[Motion, bytes]]:
        """The video inside a motion photo and its path, if it is one."""
        if self.motion is not None:
            named = (self.original.content_hash, self.claim.owner_id, self.claim.epoch)
            yield self.motion, layout.derived(layout.MOTION, *named, BY_MIME[self.motion.mime].extension)

    def blob_paths(self) -> Iterator[tuple[Blob, bytes]]:
        """Each small rendition and its path."""
        for blob in self.blobs:
            named = (self.original.content_hash, self.claim.owner_id, self.claim.epoch)
            yield blob, layout.derived(FOLDERS[blob.kind], *named, EXTENSIONS[blob.mime])

    @property
    def paths(self) -> list[bytes]:
        """Everything that is written."""
        return [path for *_, path in (*self.motion_path(), *self.blob_paths())] + [
            path for _, path, _ in self.thumbnail_paths()
        ]


@dataclass(frozen=True)
class Written:
    """What lies on the disk."""

    thumbnails: list[Thumbnail]
    renditions: list[Rendition]


async def write(plan: Plan, file: int) -> Written:
    """The files on the disk, a motion photo's video out of the original; nothing of them unless all goes well."""
    try:
        return await tasks.to_the_end(_write, plan, file)
    except BaseException:
        await remove(plan)
        raise


async def remove(plan: Plan) -> None:
    """Take the files away again."""
    await asyncio.to_thread(_remove, plan)


def _write(plan: Plan, file: int) -> Written:
    home = plan.original.home
    with files.outages():
        for _, path, thumbnail in plan.thumbnail_paths():
            derived_files.write(home, path, thumbnail.data)
        for blob, path in plan.blob_paths():
            derived_files.write(home, path, blob.data)
        renditions = [_extracted(home, path, file, motion) for motion, path in plan.motion_path()]
    renditions += [_kept(blob, path) for blob, path in plan.blob_paths()]
    return Written([_described(*place) for place in plan.thumbnail_paths()], renditions)


def _remove(plan: Plan) -> None:
    for path in plan.paths:
        files.forget(plan.original.home, path)


def _extracted(home: bytes, path: bytes, file: int, motion: Motion) -> Rendition:
    digest = derived_files.copy(home, path, file, range(motion.start, motion.start + motion.length))
    return Rendition(kind="motion", path=path, mime_type=motion.mime, length=motion.length, hash=digest)


def _kept(blob: Blob, path: bytes) -> Rendition:
    digest, length = blake3(blob.data).digest(), len(blob.data)
    return Rendition(kind=blob.kind, path=path, mime_type=blob.mime, length=length, hash=digest, recipe=blob.recipe)


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
