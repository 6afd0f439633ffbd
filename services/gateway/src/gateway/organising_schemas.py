"""What goes over the wire when people say what they like and what their timeline is to leave out."""

from typing import Annotated

from msgspec import Meta, Struct


class LikeRequest(Struct, frozen=True, kw_only=True):
    liked: bool


class RateLikeRequest(Struct, frozen=True, kw_only=True):
    rating: Annotated[int, Meta(ge=0, le=5)]
    liked: bool


class ArchiveRequest(Struct, frozen=True, kw_only=True):
    archived: bool
