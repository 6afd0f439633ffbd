"""A question and its answer as they travel: in parts, each of which says to what it belongs, and where."""

from collections.abc import Iterator
from itertools import accumulate

from home_native.v1.ml_service_pb2 import InferRequest, InferResponse
from ml_dispatcher.answers import Bad
from ml_dispatcher.capabilities import Offer
from ml_dispatcher.tasks import Task

WHOLE = 1 << 20
"""A payload of so many bytes goes in one message, a longer one in parts."""
PART = 1 << 18
MOST_ANSWER = 16 << 20
MOST_PARTS = 4096
TOP = {"topk": "5", "top_k": "5"}
"""How many labels are wanted, in the words of old servers and of new ones."""


def question(offer: Offer, task: Task, payload: bytes, mime: str, *, correlation: str) -> Iterator[InferRequest]:
    """The parts of a question; all but what they carry is the same in each."""
    size = len(payload) if len(payload) <= WHOLE else PART
    starts = range(0, max(len(payload), 1), max(size, 1))
    meta = {"service": offer.service.name} if offer.service.name else {}
    meta |= TOP if task is Task.CLASSIFY else {}
    for number, start in enumerate(starts):
        yield InferRequest(
            correlation_id=correlation,
            task=offer.name,
            payload=payload[start : start + size],
            payload_mime=mime,
            meta=meta,
            seq=number,
            total=len(starts),
            offset=start,
        )


class Answer:
    """Parts of an answer as they come, and the whole of them."""

    def __init__(self, correlation: str) -> None:
        """The answer to the question of that name."""
        self._correlation = correlation
        self._parts: list[InferResponse] = []
        self._size = self._count = self._total = 0
        self._is_over = False

    def take(self, part: InferResponse) -> None:
        """The next part; Bad as soon as it cannot be one."""
        if self._is_over:
            raise Bad("an answer that goes on after its end")
        if part.correlation_id != self._correlation:
            raise Bad("the answer to another question")
        self._size += len(part.result)
        self._count += 1
        if self._size > MOST_ANSWER or self._count > MOST_PARTS:
            raise Bad("an answer without end")
        if part.total and self._total not in {0, part.total}:
            raise Bad("an answer whose parts disagree about how many they are")
        self._total, self._is_over = part.total or self._total, part.is_final
        if part.result:
            self._parts.append(part)

    def whole(self) -> bytes:
        """All of the answer; Bad when parts are missing, or overlap."""
        if not self._is_over:
            raise Bad("an answer whose end is missing")
        if self._total not in {0, self._count, len(self._parts)}:
            raise Bad(f"an answer of {self._total} parts, of which {self._count} came")
        return b"".join(part.result for part in self._in_order())

    def _in_order(self) -> list[InferResponse]:
        if any(part.offset for part in self._parts):
            parts = sorted(self._parts, key=lambda part: part.offset)
            starts = accumulate((len(part.result) for part in parts), initial=0)
            whole = all(part.offset == start for part, start in zip(parts, starts, strict=False))
        else:
            parts = sorted(self._parts, key=lambda part: part.seq)
            first = min(parts[0].seq, 1) if parts else 0  # some count from one
            whole = [part.seq for part in parts] == list(range(first, first + len(parts)))
        if not whole:
            raise Bad("an answer with gaps or overlaps between its parts")
        return parts
