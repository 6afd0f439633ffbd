"""What goes over the wire when people say something about an asset."""

from typing import Annotated, Any

from msgspec import Meta, Struct, field

from common.edits import Edits, Name, Text


class EditRequest(Edits, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change, and by `reset` what to take back."""

    reset: Annotated[list[Name], Meta(max_length=100)] = field(default_factory=list)


class ReplaceRequest(Struct, frozen=True, kw_only=True):
    """The `specific_metadata` that was shown, with other values for what a person can say."""

    specific_metadata: dict[str, Any]


class RateRequest(Struct, frozen=True, kw_only=True):
    rating: Annotated[int, Meta(ge=0, le=5)]


class DescribeRequest(Struct, frozen=True, kw_only=True):
    description: Text
