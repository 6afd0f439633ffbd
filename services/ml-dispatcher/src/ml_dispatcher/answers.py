"""What servers answer, read and doubted: nothing of it is kept that could not be right."""

import math

import msgspec
from msgspec import Struct

from ml_dispatcher.tasks import Model

MOST_DIMENSIONS = 4000
"""More of them the index does not take."""
SHORTEST = 1e-6


class Bad(ValueError):
    """An answer that cannot be right; the text says why."""


class OtherModel(Bad):
    """A vector of another model than the one that was asked for: the server changed it."""


class Embedding(Struct, frozen=True):
    """Where a model puts a picture or words, by a vector of length 1."""

    vector: list[float]
    model_id: str
    dim: int = 0

    @property
    def model(self) -> Model:
        """Whose vector it is."""
        return Model(self.model_id, self.dim)


def embedding(body: bytes, *, model: Model | None = None) -> Embedding:
    """A vector of length 1; Bad when it is none that could be compared, OtherModel when not with those of `model`."""
    told = _embedding(body)
    if model is not None and told.model != model:
        raise OtherModel(
            f"a vector of {told.model_id} with {told.dim} numbers, not of {model.name} with {model.dimension}"
        )
    return told


def _embedding(body: bytes) -> Embedding:
    try:
        told = msgspec.json.decode(body, type=Embedding)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Bad(f"no embedding: {error}") from None
    dimension = len(told.vector)
    if not 0 < dimension <= MOST_DIMENSIONS or told.dim not in {0, dimension}:
        raise Bad(f"a vector of {dimension} numbers that is said to have {told.dim}")
    length = math.hypot(*told.vector)
    if not math.isfinite(length) or length < SHORTEST:
        raise Bad("a vector without a direction")
    return Embedding([number / length for number in told.vector], told.model_id[:200], dimension)
