"""What services ask each other is one small JSON object each way, and anything else is no question."""

import msgspec
import pytest

from common.questions import LARGEST, EmbedText, TextVectors, Unclear, read


def test_a_question_and_its_answer_come_back_as_they_were() -> None:
    """With vectors, or with the reason why there are none."""

    for said in (
        EmbedText(texts=["a red kite"], space_id=3),
        TextVectors(vectors=[[0.6, 0.8]], space_id=3),
        TextVectors(error="no server embeds texts"),
    ):
        assert read(msgspec.json.encode(said), type(said)) == said


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\x00",
        b"[" * 10_000,
        b'{"texts": [], "space_id": 3}',
        b'{"texts": ["a", "b", "c"], "space_id": 3}',
        b'{"texts": ["' + b"a" * 201 + b'"], "space_id": 3}',
        b'{"texts": ["a"]}',
        b" " * (LARGEST + 1),
    ],
)
def test_whatever_else_comes_is_unclear(body: bytes) -> None:
    """Nobody works on what nobody asks."""
    with pytest.raises(Unclear):
        read(body, EmbedText)
