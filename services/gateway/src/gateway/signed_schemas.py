"""What goes over the wire about signed addresses."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from gateway.variants import Variant


class UrlRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which variants of which assets are to have addresses that need no sign-in."""

    asset_ids: Annotated[list[UUID], Meta(min_length=1, max_length=1000)]
    variants: Annotated[list[Variant], Meta(min_length=1, max_length=10)]


class UrlList(Struct, frozen=True, kw_only=True):
    """An address for each variant of each asset that the caller may see; all of them expire together."""

    urls: dict[UUID, dict[Variant, str]]
    expires_at: datetime
