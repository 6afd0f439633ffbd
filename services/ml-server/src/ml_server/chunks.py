"""Requests that come in parts, and answers that leave in parts."""

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from home_native.v1.ml_service_pb2 import InferRequest, InferResponse

MOST_PARTS = 1024
LARGEST_PART = 2 << 20


class Broken(Exception):
    """Parts that do not make one request, and why."""


class TooMuch(Exception):
    """A request of more bytes than anybody may send."""


class Request(Struct, frozen=True, kw_only=True):
    """One request, whole."""

    correlation_id: str
    task: str
    mime: str
    meta: dict[str, str]
    payload: bytes


class Parts:
    """The parts of one request as they come in, held to what the first one says."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._parts: list[InferRequest] = []

    def add(self, part: InferRequest) -> None:
        """Take one more; Broken if it belongs to another request, TooMuch if it is one too many."""
        self._size += len(part.payload)
        if self._size > self._most or len(self._parts) >= MOST_PARTS:
            raise TooMuch(f"a request has at most {self._most} bytes in {MOST_PARTS} parts")
        if self._parts and (changed := _differences(self._parts[0], part)):
            raise Broken(f"the parts of a request disagree on {', '.join(changed)}")
        self._parts.append(part)

    def whole(self) -> Request:
        """The request that the parts make."""
        if not self._parts:
            raise Broken("the stream ended before it asked for anything")
        first = self._parts[0]
        if first.total not in {0, len(self._parts)}:
            raise Broken(f"{len(self._parts)} parts of {first.total} came")
        return Request(
            correlation_id=first.correlation_id,
            task=first.task,
            mime=first.payload_mime,
            meta=dict(first.meta),
            payload=b"".join(part.payload for part in self._ordered()),
        )

    def _ordered(self) -> list[InferRequest]:
        """By offset if there are any, else by number; parts that say neither are in order as they are."""
        if not any(part.offset for part in self._parts):
            return sorted(self._parts, key=lambda part: part.seq)
        ordered, reached = sorted(self._parts, key=lambda part: part.offset), 0
        for part in ordered:
            if part.offset != reached:
                raise Broken(f"there is no part that begins at {reached}")
            reached += len(part.payload)
        return ordered


def answer(request: Request, result: Struct, *, schema: str, largest: int = LARGEST_PART) -> Iterator[InferResponse]:
    """The parts of an answer, which any receiver takes."""
    content = msgspec.json.encode(result)
    starts = range(0, len(content), largest)
    for number, start in enumerate(starts):
        yield InferResponse(
            correlation_id=request.correlation_id,
            is_final=number == len(starts) - 1,
            result=content[start : start + largest],
            seq=number,
            total=len(starts),
            offset=start,
            result_mime=f"application/json;schema={schema}",
            result_schema=schema,
        )


def _differences(first: InferRequest, part: InferRequest) -> list[str]:
    names = ("correlation_id", "task", "payload_mime", "total")
    changed = [name for name in names if getattr(first, name) != getattr(part, name)]
    return changed + (["meta"] if dict(first.meta) != dict(part.meta) else [])
