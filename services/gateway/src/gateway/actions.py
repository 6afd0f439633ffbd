"""What can be done with many assets at once, as people ask for it and as it is kept until it is done."""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct, field

from common.edits import Edits, Name, Word
from gateway.queries.reprocess import Scope

Tags = Annotated[list[Word], Meta(max_length=100)]
Minutes = Annotated[int, Meta(ge=-100 * 366 * 24 * 60, le=100 * 366 * 24 * 60)]


class Edit(Edits, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="edit"):
    """Say something of each, as one says it of one asset; `reset` names what the file is to be asked for again."""

    reset: Annotated[list[Name], Meta(max_length=100)] = field(default_factory=list)


class Like(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="like"):
    """Like each, or no longer."""

    liked: bool


class Archive(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="archive"):
    """Have the timeline leave out each, or show it again."""

    archived: bool


class Tag(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="tag"):
    """Give each some tags and take others away; what lies below those stays."""

    add: Tags = field(default_factory=list)
    remove: Tags = field(default_factory=list)


class Trash(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="trash"):
    """Put each into the trash."""


class Restore(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="restore"):
    """Take each back from the trash."""


class AddToAlbum(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="add_to_album"):
    """Put each into an album, behind what is there."""

    album_id: int


class RemoveFromAlbum(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="remove_from_album"
):
    """Take each out of an album."""

    album_id: int


class ShiftTime(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="shift_time"):
    """The camera's clock was wrong: each was taken so much later than is believed, or earlier."""

    minutes: Minutes = 0
    seconds: Annotated[int, Meta(ge=-86_400, le=86_400)] = 0


class SetZone(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="set_zone"):
    """Each was taken in a time zone, `Europe/Paris`.

    The clock's time stays as it is; with `keeps` = `moment` the moment does, and the time is told by the clock there.
    """

    zone: Annotated[str, Meta(min_length=1, max_length=100)]
    keeps: Literal["clock", "moment"] = "clock"


class Reprocess(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="reprocess"):
    """Read and render each again, as `POST /assets/reprocess` does."""

    scope: Scope = "all"


class MoveTag(Struct, frozen=True, kw_only=True, tag_field="kind", tag="move_tag"):
    """Give a tag and all below it another path; asked for by renaming it."""

    old: str
    new: str


class DropTag(Struct, frozen=True, kw_only=True, tag_field="kind", tag="drop_tag"):
    """Take a tag and all below it away from each; asked for by deleting it."""

    path: str


InAlbum: TypeAlias = AddToAlbum | RemoveFromAlbum
Action: TypeAlias = Edit | Like | Archive | Tag | Trash | Restore | InAlbum | ShiftTime | SetZone | Reprocess
"""What people ask for by itself."""

Spoken: TypeAlias = Edit | Tag | MoveTag | DropTag | ShiftTime | SetZone
"""What changes the words about an asset."""

Deed: TypeAlias = Action | MoveTag | DropTag
"""What is done with many assets, whatever asked for it."""
