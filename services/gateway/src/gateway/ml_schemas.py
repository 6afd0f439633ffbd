"""What goes over the wire about what models see, and how far they are with it."""

from typing import Annotated

from msgspec import Meta, Struct

from gateway.queries.ml import KnownServer, KnownSpace


class StageProgress(Struct, frozen=True, kw_only=True):
    """How far a stage of meaning is.

    Of `total` assets so many are `done`, `failed` or `due`; the others are not rendered, or their turn comes later.
    `model` is told of a stage that fills an embedding space; `time_left` is in words.
    """

    stage: str
    model: str | None
    is_served: bool
    total: int
    done: int
    due: int
    failed: int
    coverage_percent: float
    per_second: float
    seconds_left: float | None
    time_left: str


class MeaningStatus(Struct, frozen=True, kw_only=True):
    """Stages, spaces and servers, and in `advice` what is missing and what to do about it."""

    stages: list[StageProgress]
    spaces: list[KnownSpace]
    servers: list[KnownServer]
    advice: list[str]


SpaceId = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class BackfillRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which stage is meant, by its name or its space; all without either. What failed is tried again if asked for."""

    stage: Annotated[str, Meta(min_length=1, max_length=50)] | None = None
    space_id: SpaceId | None = None
    retry_failed: bool = False


class Backfilled(Struct, frozen=True, kw_only=True):
    """The stages for which all assets are looked at again, and how many failures are tried again."""

    stages: list[str]
    retried: int
    message: str


class SwitchRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The space that is to count."""

    space_id: SpaceId


class Switched(Struct, frozen=True, kw_only=True):
    """What the space is now, and what becomes of it."""

    space_id: int
    state: str
    message: str
