"""The SQL of an owner's assets as clients see them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from common.db import Connection, struct_row
from common.messages import Kind
from common.queries import Progress
from common.rendering import Policy


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One asset with where it lies, what it says of itself and how far its stages are."""

    asset_id: UUID
    owner_id: int
    content_hash: bytes
    size: int
    kind: Kind
    mime_type: str
    original_filename: str
    uploaded_at: datetime
    trashed_at: datetime | None
    archived_at: datetime | None
    liked: bool
    rating: int | None
    missing_since: datetime | None
    width: int | None
    height: int | None
    taken_at: datetime | None
    taken_offset_minutes: int | None
    edited_taken_at: datetime | None
    thumbhash: bytes | None
    sort_at: datetime
    repository_id: UUID | None
    path: bytes | None
    facts: dict[str, Any]
    edits: dict[str, Any]
    edited_place: dict[str, Any] | None
    has_failed: bool
    is_complete: bool
    live_video_id: UUID | None
    beside: str | None
    """What there is to show beside thumbnails: a photo's motion, a video's preview, a recording's waveform."""
    web_policy: Policy | None


class Thumbnail(msgspec.Struct, frozen=True, kw_only=True):
    """A derived picture that a client can ask for."""

    size: str
    mime_type: str
    width: int
    height: int
    hash: bytes


class Rendition(msgspec.Struct, frozen=True, kw_only=True):
    """Something else that was made of an original and that a client can ask for."""

    kind: str
    mime_type: str
    bytes: int


class StageState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far one kind of work on an asset is, and why it failed if it did."""

    stage: str
    state: str
    error: str | None
    progress: Progress | None = None
    """Of what runs."""


async def list_assets(conn: Connection, asset_ids: list[UUID], *, owner: int) -> list[Asset]:
    """These assets of the owner in the given order, also hidden ones; foreign and unknown ones are left out."""
    async with conn.cursor(row_factory=struct_row(Asset)) as cursor:
        await cursor.execute(
            """
            select a.asset_id, a.owner_id, a.content_hash, a.size, a.kind, a.mime_type, a.original_filename,
                   a.uploaded_at, a.trashed_at, a.archived_at, a.liked, a.rating, a.missing_since, a.width, a.height,
                   a.taken_at, a.taken_offset_minutes, a.edited_taken_at, a.thumbhash, a.sort_at, f.repository_id,
                   f.path, coalesce(m.facts, '{}') as facts, coalesce(m.edits, '{}') as edits, m.edited_place,
                   coalesce(s.has_failed, false) as has_failed, coalesce(s.is_complete, false) as is_complete,
                   live.asset_id as live_video_id,
                   shown.kind as beside, a.web_policy
            from unnest(%(assets)s::uuid[]) with ordinality wanted (asset_id, position)
            join assets a on a.asset_id = wanted.asset_id and a.owner_id = %(owner)s
            left join asset_metadata m on m.asset_id = a.asset_id
            left join lateral (
                select repository_id, path
                from file_records
                where asset_id = a.asset_id and state = 'present'
                order by file_record_id
                limit 1
            ) f on true
            cross join lateral (
                select bool_or(state = 'failed') as has_failed, bool_and(state = 'done') as is_complete
                from asset_stages
                where asset_id = a.asset_id and stage not in ('purge', 'sidecar', 'transcode')
            ) s
            left join renditions shown
              on shown.asset_id = a.asset_id
             and shown.kind = case a.kind when 'photo' then 'motion' when 'video' then 'preview' else 'waveform' end
            left join lateral (
                select video.asset_id
                from stack_keys own
                join stack_keys other
                  on other.owner_id = own.owner_id and other.kind = own.kind and other.key = own.key
                join assets video
                  on video.asset_id = other.asset_id and video.trashed_at is null and video.missing_since is null
                where own.asset_id = a.asset_id and own.kind = 'live' and own.role = 'still' and other.role = 'motion'
                order by video.asset_id
                limit 1
            ) live on true
            order by wanted.position
            """,
            {"assets": asset_ids, "owner": owner},
        )
        return await cursor.fetchall()


async def list_thumbnails(conn: Connection, asset_id: UUID) -> list[Thumbnail]:
    """The thumbnails of an asset that was found to be the caller's, smallest first."""
    async with conn.cursor(row_factory=struct_row(Thumbnail)) as cursor:
        await cursor.execute(
            """
            select size, mime_type, width, height, hash
            from thumbnails
            where asset_id = %s
            order by bytes
            """,
            (asset_id,),
        )
        return await cursor.fetchall()


async def list_renditions(conn: Connection, asset_id: UUID) -> list[Rendition]:
    """What else was made of an asset that was found to be the caller's, for people and not for models."""
    async with conn.cursor(row_factory=struct_row(Rendition)) as cursor:
        await cursor.execute(
            """
            select kind, mime_type, bytes
            from renditions
            where asset_id = %s
              and kind not like 'frame%%'
            order by kind
            """,
            (asset_id,),
        )
        return await cursor.fetchall()


async def list_stages(conn: Connection, asset_id: UUID) -> list[StageState]:
    """How far the work on an asset is that was found to be the caller's."""
    async with conn.cursor(row_factory=struct_row(StageState)) as cursor:
        await cursor.execute(
            """
            select stage, state, error, case when state = 'running' then progress end as progress
            from asset_stages
            where asset_id = %s
            order by stage
            """,
            (asset_id,),
        )
        return await cursor.fetchall()
