"""An owner's photos, videos and audio, as lists and one by one."""

import asyncio
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from msgspec import UNSET, UnsetType, structs

from common.db import Connection
from gateway import album_views, views
from gateway.asset_schemas import AssetDetail, AssetTypes
from gateway.errors import NotFound
from gateway.policies import READ
from gateway.queries import assets as queries
from gateway.queries import belongings, reach, stacks
from gateway.queries.users import User
from gateway.schemas import Envelope


@get("/assets/types", opt=READ)
async def list_types() -> Envelope[AssetTypes]:
    """What an asset can be."""
    return Envelope(data=AssetTypes(types=["PHOTO", "VIDEO", "AUDIO"]))


@get("/assets/{asset_id:uuid}", opt=READ)
async def get_asset(
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    owner: NamedDependency[int],
    asset_id: FromPath[UUID],
    include_thumbnails: FromQuery[str] = "true",
    include_tags: FromQuery[str] = "true",
    include_albums: FromQuery[str] = "true",
    include_species: FromQuery[str] = "true",
) -> Envelope[AssetDetail]:
    """An asset that the caller may see, with its thumbnails; to its owner also how far its processing is.

    Whatever is `include`d by anything but `true` is left out.
    """
    async with conn.pipeline():  # the questions go out together, and the database is waited for once
        found, tags, albums, species = await asyncio.gather(
            show(conn, asset_id, owner=owner, with_thumbnails=include_thumbnails == "true"),
            belongings.list_tags(conn, asset_id) if include_tags == "true" else _left_out(),
            belongings.list_albums(conn, asset_id, user=user.user_id) if include_albums == "true" else _left_out(),
            belongings.list_species(conn, asset_id) if include_species == "true" else _left_out(),
        )
    found = structs.replace(found, tags=tags, albums=albums, species_predictions=species)
    if owner == user.user_id:
        return Envelope(data=found)
    others = [member.asset_id for stack in found.stacks for member in stack.members]
    seen = await reach.list_owners(conn, others, user.user_id)
    return Envelope(data=album_views.detail_for_others(found, seen.keys()))


async def show_all(conn: Connection, asset_id: UUID, *, owner: int) -> AssetDetail:
    """One of the owner's assets with all that belongs to it, as they see it."""
    async with conn.pipeline():
        found, tags, albums, species = await asyncio.gather(
            show(conn, asset_id, owner=owner),
            belongings.list_tags(conn, asset_id),
            belongings.list_albums(conn, asset_id, user=owner),
            belongings.list_species(conn, asset_id),
        )
    return structs.replace(found, tags=tags, albums=albums, species_predictions=species)


async def show(conn: Connection, asset_id: UUID, *, owner: int, with_thumbnails: bool = True) -> AssetDetail:
    """All that is known of one of the owner's assets."""
    found, thumbnails, renditions, stages, members, put_together = await asyncio.gather(
        queries.list_assets(conn, [asset_id], owner=owner),
        queries.list_thumbnails(conn, asset_id),
        queries.list_renditions(conn, asset_id),
        queries.list_stages(conn, asset_id),
        stacks.list_members(conn, asset_id, owner=owner),
        stacks.list_put_together(conn, asset_id, owner=owner),
    )
    if not found:
        raise NotFound(f"no asset {asset_id}")
    return views.detail(found[0], thumbnails if with_thumbnails else [], renditions, stages, members + put_together)


async def _left_out() -> UnsetType:
    return UNSET


HANDLERS = [list_types, get_asset]
