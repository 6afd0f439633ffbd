"""Requests in parts and answers in parts."""

import msgspec
import pytest

from home_native.v1.ml_service_pb2 import InferRequest
from ml_server import chunks
from ml_server.answers import Embedding, Refused, top
from ml_server.chunks import Broken, Parts, Request, TooMuch
from tests.support.ml_servers import parts

WHOLE = bytes(range(200))


def joined(requests: list[InferRequest], *, most: int = 1000) -> Request:
    taken = Parts(most)
    for request in requests:
        taken.add(request)
    return taken.whole()


def test_parts_are_put_together_by_offset_or_number_or_as_they_came() -> None:
    """Whatever a client says of them is enough."""
    for forgotten in ((), ("offset",), ("offset", "seq"), ("total",)):
        cut = parts("embed", WHOLE, "image/png", size=64, meta={"service": "clip"})
        for part in cut:
            for name in forgotten:
                part.ClearField(name)
        request = joined(cut if "seq" in forgotten else cut[::-1])

        assert (request.payload, request.task, request.meta) == (WHOLE, "embed", {"service": "clip"})


def test_parts_that_make_no_request_are_refused() -> None:
    """A hole, an overlap, another meta, too many bytes or parts, or none at all."""
    cut = parts("embed", WHOLE, "image/png", size=64)
    overlapping, other = InferRequest(), InferRequest()
    overlapping.CopyFrom(cut[1])
    overlapping.offset = 10
    other.CopyFrom(cut[1])
    other.meta["top_k"] = "2"

    for wrong in ([], cut[:-1], [cut[0], *cut[2:], cut[2]], [cut[0], overlapping, *cut[2:]], [cut[0], other, *cut[2:]]):
        with pytest.raises(Broken):
            joined(wrong)
    with pytest.raises(TooMuch):
        joined(cut, most=199)
    with pytest.raises(TooMuch):
        joined([InferRequest()] * (chunks.MOST_PARTS + 1))


def test_a_long_answer_leaves_in_parts() -> None:
    """Numbered, placed, and the last one says so."""
    request = joined(parts("embed", WHOLE, "image/png"))
    embedding = Embedding([0.5] * 100, 100, "one@1")

    answers = list(chunks.answer(request, embedding, schema="embedding_v1", largest=64))

    content = b"".join(answer.result for answer in answers)
    assert msgspec.json.decode(content, type=Embedding) == embedding
    assert [answer.is_final for answer in answers] == [False] * (len(answers) - 1) + [True]
    assert [answer.seq for answer in answers] == list(range(len(answers)))
    assert [answer.offset for answer in answers] == [64 * number for number in range(len(answers))]
    assert {(answer.total, answer.correlation_id) for answer in answers} == {(len(answers), "asked")}


def test_how_many_labels_are_wanted_is_said_in_many_ways() -> None:
    """Five, unless a client says otherwise; what is no such number is refused."""
    assert top({}) == 5
    assert [top({name: "7"}) for name in ("top_k", "TopK", "topK", "top-k", "lumen.top_k")] == [7] * 5
    for wrong in ("0", "-1", "101", "1e3", "", "٣", "9" * 5000):
        with pytest.raises(Refused):
            top({"top_k": wrong})
