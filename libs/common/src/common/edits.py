"""What a person says about a picture: it wins over whatever the file says, on every later reading."""

import unicodedata
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, structs, to_builtins

from common.names import TURNING

Text = Annotated[str, Meta(max_length=4000)]
Word = Annotated[str, Meta(min_length=1, max_length=200)]
Name = Literal[
    "title", "description", "rating", "tags", "taken_time", "offset_minutes", "gps_latitude", "gps_longitude"
]
POSITION: frozenset[Name] = frozenset({"gps_latitude", "gps_longitude"})


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


def given(edits: Edits) -> dict[str, Any]:
    """The values that a person gave, by name, as they are kept."""
    kept: dict[str, Any] = to_builtins(edits)
    return kept


def tidied(edits: Edits) -> Edits:
    """The same without what nobody can see; a text or a tag without anything in it is none.

    ValueError, in words, for half a position.
    """
    latitude, longitude = edits.gps_latitude, edits.gps_longitude
    if (latitude is UNSET, latitude is None) != (longitude is UNSET, longitude is None):
        raise ValueError("a position is `gps_latitude` and `gps_longitude`: send both, or null for both")
    return structs.replace(
        edits,
        title=(_level(edits.title) or None) if isinstance(edits.title, str) else edits.title,
        description=_text(edits.description),
        tags=edits.tags if edits.tags is UNSET else _tags(edits.tags),
    )


def _text(written: str | UnsetType | None) -> str | UnsetType | None:
    return (_visible(written) or None) if isinstance(written, str) else written


def _tags(written: list[str]) -> list[str]:
    """Whole paths of levels, each once; other programs write a bar between levels."""
    tidy = ("/".join(filter(None, map(_level, tag.replace("|", "/").split("/")))) for tag in written)
    return list(dict.fromkeys(filter(None, tidy)))


def _level(written: str) -> str:
    return " ".join(_visible(written).split())


def _visible(written: str) -> str:
    """Without characters that control devices or turn the direction of text, and without those that are none."""
    return "".join(filter(_is_visible, written)).strip()


def _is_visible(letter: str) -> bool:
    if letter in "\n\t":
        return True
    is_none = ord(letter) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(letter) <= 0xFDEF
    return not is_none and letter not in TURNING and unicodedata.category(letter) not in {"Cc", "Cs"}
