"""What can be asked in a request's own words, and the shapes of the answers."""

from collections.abc import Mapping

from msgspec import Struct

from ml_server.chunks import Request
from ml_server.labels import Label
from ml_server.towers import Vector

EMBEDDING, LABELS = "embedding_v1", "labels_v1"
LONGEST_TEXT = 16 << 10
TOP = ("top_k", "TopK", "topK", "top-k", "lumen.top_k")
USUAL_TOP, MOST_TOP = 5, 100


class Refused(Exception):
    """A request that makes no sense, and why."""


class Embedding(Struct, frozen=True):
    """A vector of length 1, and the model whose other vectors it can be compared with."""

    vector: list[float]
    dim: int
    model_id: str


class Labels(Struct, frozen=True):
    """What a picture shows, best first."""

    labels: list[Label]
    model_id: str


def embedding(vector: Vector, model_id: str) -> Embedding:
    """The answer to who asked for a vector."""
    return Embedding(vector.tolist(), len(vector), model_id)


def text(request: Request) -> str:
    """The words that were sent; Refused if they are none."""
    try:
        sent = request.payload.decode()
    except UnicodeDecodeError:
        raise Refused("the text is not UTF-8") from None
    if not sent.strip() or len(sent) > LONGEST_TEXT:
        raise Refused(f"a text has 1 to {LONGEST_TEXT} letters")
    return sent


def top(meta: Mapping[str, str]) -> int:
    """How many labels are wanted."""
    said = next((meta[name] for name in TOP if name in meta), str(USUAL_TOP))
    if not (said.isascii() and said.isdecimal() and len(said) < 5 and 1 <= int(said) <= MOST_TOP):
        raise Refused(f"top_k is a number from 1 to {MOST_TOP}")
    return int(said)
