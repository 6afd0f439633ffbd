"""What goes over the wire about links to albums: to their owners, and to the visitors who follow them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from gateway.filter_schemas import Type
from gateway.queries.shares import Share
from gateway.variants import Variant

Password = Annotated[str, Meta(min_length=1, max_length=1024)]
Label = Annotated[str, Meta(max_length=100)]
Moment = Annotated[datetime, Meta(tz=True)]


class CreateShare(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A link to be: visitors see pictures, and only what is allowed here beyond that."""

    label: Label | None = None
    password: Password | None = None
    expires_at: Moment | None = None
    allow_download: bool = False
    show_location: bool = False


class ChangeShare(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be different about a link; what is not said stays, and null takes it away."""

    label: Label | UnsetType | None = UNSET
    password: Password | UnsetType | None = UNSET
    expires_at: Moment | UnsetType | None = UNSET
    allow_download: bool | UnsetType = UNSET
    show_location: bool | UnsetType = UNSET


class NewShare(Share, frozen=True, kw_only=True):
    """A new link. `token` and `url`, which is a page for browsers, are told this once and kept nowhere."""

    token: str
    url: str


class ShareList(Struct, frozen=True, kw_only=True):
    """All links to an album, newest first."""

    shares: list[Share]


class OpenShare(Struct, frozen=True, kw_only=True):
    """What a visitor says who follows a link; nothing where it has no password."""

    password: Password | None = None


class Visit(Struct, frozen=True, kw_only=True):
    """What further requests are sent with, as `Authorization: Share VISITOR`, and until when."""

    visitor: str
    expires_at: datetime


class SharedAlbum(Struct, frozen=True, kw_only=True):
    """An album as visitors see it."""

    album_name: str
    description: str | None
    asset_count: int
    allow_download: bool
    show_location: bool
    expires_at: datetime | None


class Location(Struct, frozen=True, kw_only=True):
    """Where something was taken, as far as that is known."""

    latitude: float | None
    longitude: float | None
    country: str | None
    city: str | None


class SharedAsset(Struct, frozen=True, kw_only=True):
    """An asset as visitors see it; each of its `urls` needs nothing else and works for an hour at most.

    Where it was taken is only said where the link allows that; the original is only there where it allows downloads.
    """

    asset_id: UUID
    type: Type
    original_filename: str
    mime_type: str
    width: int | None
    height: int | None
    duration: float | None
    taken_time: datetime | None
    thumbhash: bytes | None
    location: Location | None
    urls: dict[Variant, str]


class SharedAssetList(Struct, frozen=True, kw_only=True):
    """A page of what an album shows; `next` asks for the page that follows, as `after`."""

    assets: list[SharedAsset]
    total: int
    limit: int
    next: str | UnsetType = UNSET
