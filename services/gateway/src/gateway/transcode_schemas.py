"""What goes over the wire about versions that browsers play."""

from uuid import UUID

from msgspec import Struct

from common.rendering import Policy


class TranscodeRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether an asset is to have a version for browsers: where it needs one, in any case, or not at all."""

    policy: Policy


class Transcoding(Struct, frozen=True, kw_only=True):
    """What was asked for, and where it stands."""

    asset_id: UUID
    policy: Policy
    state: str
    message: str
