"""The trash as a wish: a transaction says whether an asset belongs there or goes for good, and stages make it so."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple
from uuid import UUID

from common import outbox, trash_queries
from common.db import Connection
from common.messages import AssetRestored, AssetTrashed, PurgeRequested

BY_OWNER = "trashed by its owner"
BY_UPLOAD = "its name was taken by an upload"
GOING = "is being purged, and cannot be taken back: send the file again to have it"
Why = Literal["asked", "expired"]


class NoAsset(LookupError):
    """There is no such asset, or it belongs to somebody else."""


class Going(Exception):
    """The asset is being purged, so files of it may be gone for good already."""


class Back(NamedTuple):
    """What came back from the trash, and what cannot because it is being purged."""

    restored: Sequence[UUID]
    going: Sequence[UUID]


async def put(conn: Connection, asset_id: UUID, *, owner: int, reason: str = BY_OWNER) -> None:
    """Hide an asset at once and have its originals moved away; nothing happens when it is in the trash already."""
    thrown = await put_many(conn, [asset_id], owner=owner, reason=reason)
    if not thrown and not await trash_queries.is_known(conn, asset_id, owner=owner):
        raise NoAsset(f"no asset {asset_id}")


async def put_many(
    conn: Connection, asset_ids: Sequence[UUID], *, owner: int, reason: str = BY_OWNER, lane: int = 0
) -> Sequence[UUID]:
    """The same for many of the owner's assets; returns those that were not in the trash."""
    await trash_queries.lock_places(conn, asset_ids)
    thrown = await trash_queries.mark_trashed(conn, asset_ids, owner=owner, reason=reason)
    if thrown:
        await trash_queries.move_away(conn, thrown, lane=lane)
        await outbox.add(conn, *(AssetTrashed(owner_id=owner, asset_id=one) for one in thrown))
    return thrown


async def take_back(conn: Connection, asset_id: UUID, *, owner: int, brings_bytes: bool = False) -> bool:
    """Show an asset again and have its originals moved back; False when it was not in the trash.

    Going when it is being purged, unless its bytes come with it: they are placed when the purge has found that out.
    """
    back = await take_back_many(conn, [asset_id], owner=owner, brings_bytes=brings_bytes)
    if back.going:
        raise Going(f"asset {asset_id} {GOING}")
    if not back.restored and not await trash_queries.is_known(conn, asset_id, owner=owner):
        raise NoAsset(f"no asset {asset_id}")
    return bool(back.restored)


async def take_back_many(
    conn: Connection, asset_ids: Sequence[UUID], *, owner: int, brings_bytes: bool = False, lane: int = 0
) -> Back:
    """Show those of the owner's assets again that are in the trash; whatever wish to purge them is called off.

    What is being purged stays, unless its bytes are brought. Versions for browsers are made as well, if they were not
    because of the trash.
    """
    await trash_queries.lock_stages(conn, asset_ids)
    going = [] if brings_bytes else await trash_queries.list_going(conn, asset_ids, owner=owner)
    meant = sorted(set(asset_ids) - set(going))
    restored = await trash_queries.mark_restored(conn, meant, owner=owner)
    await trash_queries.call_off(conn, meant, owner=owner)
    if restored:
        await trash_queries.move_back(conn, restored, lane=lane)
        await outbox.add(conn, *(AssetRestored(owner_id=owner, asset_id=one) for one in restored))
    return Back(restored, going)


async def purge(conn: Connection, asset_ids: Sequence[UUID], *, asked_by: int | None, why: Why) -> int:
    """Wish that assets in the trash go for good, with the files that they have now; how many that is."""
    await trash_queries.lock_stages(conn, asset_ids)
    wished = await trash_queries.wish_purge(conn, asset_ids, asked_by=asked_by, reason=why)
    meant = [asset_id for asset_id, _ in wished]
    if meant:
        await trash_queries.list_files(conn, meant)
        await trash_queries.open_purge(conn, meant, lane=int(why == "expired" or len(meant) > 1))
        counts = Counter(owner for _, owner in wished)
        await outbox.add(conn, *(PurgeRequested(owner_id=owner, assets=count) for owner, count in counts.items()))
    return len(meant)
