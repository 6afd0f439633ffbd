"""What a person says about a picture: it wins over whatever the file says, on every later reading."""

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

Text = Annotated[str, Meta(max_length=4000)]
Word = Annotated[str, Meta(min_length=1, max_length=200)]


class Edits(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Each value that a person gave; UNSET where the file's word counts, null where a person wants nothing there.

    `taken_time` is by the clock on the wall there, without a zone; `tags` are whole paths, `Places/Paris`.
    """

    title: Text | UnsetType | None = UNSET
    description: Text | UnsetType | None = UNSET
    rating: Annotated[int, Meta(ge=0, le=5)] | UnsetType | None = UNSET
    tags: Annotated[list[Word], Meta(max_length=1000)] | UnsetType = UNSET
    taken_time: Annotated[datetime, Meta(tz=False)] | UnsetType = UNSET
    offset_minutes: Annotated[int, Meta(ge=-14 * 60, le=14 * 60)] | UnsetType | None = UNSET
    gps_latitude: Annotated[float, Meta(ge=-90, le=90)] | UnsetType | None = UNSET
    gps_longitude: Annotated[float, Meta(ge=-180, le=180)] | UnsetType | None = UNSET
