"""What goes over the wire about labels: what models see, and what people teach."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

Shown = Annotated[list[UUID], Meta(min_length=5, max_length=50)]
More = Annotated[list[UUID], Meta(max_length=50)]
LearningState = Literal["waiting", "applying", "ready", "failed"]


class TeachRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A label, pictures that show what it means, and such as only seem to."""

    label: Annotated[str, Meta(min_length=1, max_length=100)]
    examples: Shown
    counter_examples: More = []


class ExamplesRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """More pictures to learn a label by; one that was said to show it may be said not to, and the other way round."""

    examples: More = []
    counter_examples: More = []


class LabelDTO(Struct, frozen=True, kw_only=True):
    """A label, and how many shown assets have it, or only that they are that many at least."""

    label: str
    count: int
    count_is_at_least: bool = False


class TaughtDTO(Struct, frozen=True, kw_only=True):
    """A label that the caller taught; `progress` says of how much of all it is said, 1 when it is ready.

    `error` says what it waits for, or why it cannot be learnt.
    """

    label_id: int
    label: str
    state: LearningState
    progress: float
    examples: int
    counter_examples: int
    error: str | None
    created_at: datetime
    learnt_at: datetime | None


class LabelList(Struct, frozen=True, kw_only=True):
    """A page of labels by their names, and all that the caller taught; `next` asks for what follows, as `after`."""

    labels: list[LabelDTO]
    taught: list[TaughtDTO]
    limit: int
    next: str | UnsetType = UNSET
