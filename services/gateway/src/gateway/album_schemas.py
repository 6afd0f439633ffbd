"""What goes over the wire about albums."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from gateway.asset_schemas import AssetDTO
from gateway.queries.album_members import Member, Part
from gateway.queries.albums import Album

AlbumName = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\S")]
Words = Annotated[str, Meta(max_length=4000)]
Place = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class CreateAlbum(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An album to be; without a cover it shows its first asset."""

    album_name: AlbumName
    description: Words | None = None
    cover_asset_id: UUID | None = None


class ChangeAlbum(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be different about an album; what is not said stays, and null takes it away."""

    album_name: AlbumName | UnsetType = UNSET
    description: Words | UnsetType | None = UNSET
    cover_asset_id: UUID | UnsetType | None = UNSET


class AlbumList(Struct, frozen=True, kw_only=True):
    """A page; `next` asks for the page that follows, as `after`, and `total` counts the albums of all pages."""

    albums: list[Album]
    total: int
    limit: int
    offset: int
    next: str | UnsetType = UNSET


class AlbumAsset(AssetDTO, frozen=True, kw_only=True):
    """An asset as an album has it; `position` is its place in this list, the first being 0.

    Of other people's assets it is not told where their files lie.
    """

    position: int
    added_time: datetime
    added_by: int | None


class AlbumAssetList(Struct, frozen=True, kw_only=True):
    """A page of what an album shows: `count` is how many, and `total` how many there are, on pages without `after`."""

    album_id: int
    assets: list[AlbumAsset]
    count: int
    total: int | UnsetType = UNSET
    limit: int
    offset: int
    next: str | UnsetType = UNSET


class AddAssets(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Assets of the caller's own, in the order that they are to have; without a position they go to the end."""

    asset_ids: Annotated[list[UUID], Meta(min_length=1, max_length=10_000)]
    position: Place | None = None


class AddAsset(Struct, frozen=True, kw_only=True):
    """Where an asset is to stand; without a position at the end."""

    position: Place | None = None


class MoveAsset(Struct, frozen=True, kw_only=True):
    """At which place of the album an asset is to stand, the first being 0."""

    position: Place


class AlbumOf(Album, frozen=True, kw_only=True):
    """An album that an asset is in, and at which place."""

    position: int
    added_time: datetime


class AlbumsOf(Struct, frozen=True, kw_only=True):
    """The albums that an asset is in and that the caller has part in."""

    asset_id: UUID
    albums: list[AlbumOf]
    count: int


class AddMember(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """With whom to share an album, by the exact user name: nobody is told who else is on this server."""

    username: Annotated[str, Meta(min_length=1, max_length=254)]
    role: Part = "viewer"


class ChangeMember(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    role: Part


class MemberList(Struct, frozen=True, kw_only=True):
    """Everybody who has part in an album, its owner first."""

    members: list[Member]
