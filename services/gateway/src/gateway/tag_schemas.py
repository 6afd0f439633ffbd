"""What goes over the wire about tags."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from common.edits import Word
from gateway.operation_schemas import OperationDTO


class TagDTO(Struct, frozen=True, kw_only=True):
    """A tag, which lies below the one that its path begins with: `Places/Paris` below `Places`.

    `own_assets` have just this, `assets` this or one below it, as far as they are shown. One that `is_kept` was made by
    hand and stays without assets; all others vanish with their last one.
    """

    tag_id: int
    path: str
    name: str
    is_kept: bool
    has_children: bool
    own_assets: int
    assets: int


class TagList(Struct, frozen=True, kw_only=True):
    """A page of tags in the order of the tree; `next` asks for the page that follows, as `after`."""

    tags: list[TagDTO]
    limit: int
    next: str | UnsetType = UNSET


class TagRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The path of a tag, with `/` between levels."""

    path: Word


class TagChanged(Struct, frozen=True, kw_only=True):
    """The work on all assets that have the tag, and what it is called when that is done; null when it is gone."""

    path: Annotated[str, Meta(max_length=200)] | None
    operation: OperationDTO


class AssetTags(Struct, frozen=True, kw_only=True):
    """The tags of an asset, without those that they lie below."""

    tags: list[str]
