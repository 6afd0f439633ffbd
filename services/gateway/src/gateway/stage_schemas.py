"""What goes over the wire about the work on assets."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from common import stage_queries
from gateway.queries import stages


class StageList(Struct, frozen=True, kw_only=True):
    """A page of work that is not done; `next` asks for the page that follows, as `after`."""

    stages: list[stages.Work]
    limit: int
    next: str | UnsetType = UNSET


class StageSummary(Struct, frozen=True, kw_only=True):
    """How much is not done, and the stages that nobody starts work on at the moment."""

    counts: list[stage_queries.Count]
    pauses: list[stage_queries.Pause]


class PauseRequest(Struct, frozen=True, kw_only=True):
    """Why a stage rests, and for how long: a week at most."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    minutes: Annotated[int, Meta(ge=1, le=7 * 24 * 60)]


class Retried(Struct, frozen=True, kw_only=True):
    """How many stages are tried again, and when."""

    retried: int
    message: str
