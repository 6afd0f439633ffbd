"""What servers see in a picture, as they answer it: cleaned of what no database takes and nobody reads."""

import math
import re
from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from ml_dispatcher.answers import MOST_DIMENSIONS, Bad
from ml_dispatcher.queries import Label
from ml_dispatcher.tasks import Task

MOST_LABELS = 10
LEAST_SCORE = 0.02
LONGEST_LABEL = 200
LARGEST_FINDING = 4 << 20
"""A crowd of some hundred faces, each with its vector."""
NOISE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


Sure = Annotated[float, Meta(ge=-1e-3, le=1 + 1e-3)]
Corners = Annotated[list[float], Meta(min_length=4, max_length=4)]
Point = Annotated[list[float], Meta(min_length=2, max_length=2)]


class Face(Struct, frozen=True):
    """A face as a server says it; what else it says of it may be anything."""

    bbox: Corners
    confidence: Sure
    embedding: Annotated[list[float], Meta(max_length=MOST_DIMENSIONS)] | None = None


class Faces(Struct, frozen=True):
    """The faces in a picture."""

    faces: Annotated[list[Face], Meta(max_length=1000)]


class Text(Struct, frozen=True):
    """Something written, as a server says it."""

    text: Annotated[str, Meta(max_length=10_000)]
    confidence: Sure
    box: Annotated[list[Point], Meta(min_length=3, max_length=100)]


class Texts(Struct, frozen=True):
    """What is written in a picture."""

    items: Annotated[list[Text], Meta(max_length=5000)]


FINDINGS: Mapping[Task, type[Struct]] = {Task.FACES: Faces, Task.TEXTS: Texts}


class Told(Struct, frozen=True):
    """A label as a server says it."""

    label: str
    score: float


class Answer(Struct, frozen=True):
    """Labels as a server says them."""

    labels: list[Told]
    model_id: str = ""


class Labels(Struct, frozen=True):
    """What a model sees in a picture, the surest first."""

    labels: list[Label]
    model: str


class Finding(Struct, frozen=True):
    """What a model found in a picture, as it was received."""

    found: dict[str, object]
    model: str


def labels(body: bytes) -> Labels:
    """The few labels that a model is sure enough of; Bad when they are none."""
    try:
        told = msgspec.json.decode(body, type=Answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Bad(f"no labels: {error}") from None
    best: dict[str, float] = {}
    for one in told.labels:
        if not math.isfinite(one.score) or not -1e-3 <= one.score <= 1 + 1e-3:
            raise Bad(f"a label with the score {one.score}")
        if name := _clean(one.label)[:LONGEST_LABEL].strip():
            best[name] = max(best.get(name, 0.0), min(one.score, 1.0))
    sure = sorted((one for one in best.items() if one[1] >= LEAST_SCORE), key=lambda one: (-one[1], one[0]))
    return Labels([Label(label=name, score=score) for name, score in sure[:MOST_LABELS]], _clean(told.model_id)[:200])


def finding(task: Task, body: bytes) -> Finding:
    """All that a server says; Bad when it is no finding, is very large, or holds what the database does not take."""
    if len(body) > LARGEST_FINDING:
        raise Bad(f"{len(body)} bytes of findings")
    try:
        msgspec.json.decode(body, type=FINDINGS[task])
        found = msgspec.json.decode(body, type=dict[str, object])
        kept = msgspec.json.encode(found)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Bad(f"no findings: {error}") from None
    if b"\\u0000" in kept:
        raise Bad("findings with characters that are none")
    return Finding(found, _clean(str(found.get("model_id", "")))[:200])


def _clean(text: str) -> str:
    return NOISE.sub(" ", text.encode(errors="replace").decode()).strip()
