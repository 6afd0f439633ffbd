"""The SQL of what an asset has that was found to be seen: its tags, the albums it is in and what models see in it."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from common.db import Connection, struct_row


class AssetTag(Struct, frozen=True, kw_only=True):
    """A tag that was said of an asset itself; its name is the whole path."""

    tag_id: int
    tag_name: str


class InAlbum(Struct, frozen=True, kw_only=True):
    """An album that an asset is in, and since when."""

    album_id: int
    album_name: str
    added_time: datetime


class Species(Struct, frozen=True, kw_only=True):
    """What a model sees in a picture, and how sure it is: 1 is certain.

    `source` is the task by which it was seen, or `learnt`; `model` is empty where nobody said which it was.
    """

    label: str
    score: float
    source: str
    model: str


async def list_tags(conn: Connection, asset_id: UUID) -> list[AssetTag]:
    """The tags that were said of an asset itself, by their names."""
    async with conn.cursor(row_factory=struct_row(AssetTag)) as cursor:
        await cursor.execute(
            """
            select t.tag_id, t.path as tag_name
            from asset_tags x
            join tags t on t.tag_id = x.tag_id
            where x.asset_id = %s
              and x.is_own
            order by t.path
            """,
            (asset_id,),
        )
        return await cursor.fetchall()


async def list_albums(conn: Connection, asset_id: UUID, *, user: int) -> list[InAlbum]:
    """The albums that an asset is in, of those that the user has part in; the newest first."""
    async with conn.cursor(row_factory=struct_row(InAlbum)) as cursor:
        await cursor.execute(
            """
            select b.album_id, b.album_name, x.added_at as added_time
            from album_assets x
            join albums b on b.album_id = x.album_id
            where x.asset_id = %(asset)s
              and (b.owner_id = %(user)s or exists (
                  select from album_members m where m.album_id = b.album_id and m.user_id = %(user)s
              ))
            order by b.album_id desc
            """,
            {"asset": asset_id, "user": user},
        )
        return await cursor.fetchall()


async def list_species(conn: Connection, asset_id: UUID) -> list[Species]:
    """What models see in an asset, the surest first."""
    async with conn.cursor(row_factory=struct_row(Species)) as cursor:
        await cursor.execute(
            "select label, score, source, model from labels where asset_id = %s order by score desc, label",
            (asset_id,),
        )
        return await cursor.fetchall()
