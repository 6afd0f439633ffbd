"""What one service asks another over the bus and waits for: each question and its answer, declared once.

Nobody keeps a question: its subject lies outside of the stream, and without an answer in time there is none.
"""

from typing import Annotated, ClassVar, TypeVar

import msgspec
from msgspec import Meta

LARGEST = 256 * 1024  # bytes of a question or an answer, as of any message; two vectors of 4,000 numbers fit

Text = Annotated[str, Meta(min_length=1, max_length=200)]
Words = TypeVar("Words", bound=msgspec.Struct)


class Unclear(ValueError):
    """What came is no such question, or no answer to it; the text says why."""


class EmbedText(msgspec.Struct, frozen=True, kw_only=True):
    """Where in an embedding space do these texts lie? Any one of the group that listens answers."""

    subject: ClassVar[str] = "ask.embed.text"
    group: ClassVar[str] = "ml-dispatcher"

    texts: Annotated[list[Text], Meta(min_length=1, max_length=2)]
    space_id: int


class TextVectors(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A vector of length 1 for each text, or why there is none."""

    vectors: Annotated[list[Annotated[list[float], Meta(max_length=4000)]], Meta(max_length=2)] = []
    space_id: int | None = None
    error: Annotated[str, Meta(max_length=1000)] | None = None


def read(body: bytes, kind: type[Words]) -> Words:
    """A question or an answer as it came; Unclear for anything else."""
    if len(body) > LARGEST:
        raise Unclear(f"{len(body)} bytes are more than the {LARGEST} of any {kind.__name__}")
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Unclear(f"no {kind.__name__}: {error}") from None
