"""Reads a multipart body piece by piece; nothing of it is held in memory but small fields."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, TypeAlias

from litestar import Request
from litestar.exceptions import InternalServerException
from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser, parse_options_header

from gateway.errors import Invalid, Stalled, TooLarge

SILENCE_SECONDS = 25
LONGEST_BOUNDARY = 200
MOST_PARTS = 20
LONGEST_FIELD = 1024
FILE = "file"
BEFORE = {"repository_id", "modified_at"}
"""Fields that say something of the file, so they must come before it."""

# What a body is made of: the head of a part, its bytes, and None at its end.
Pieces: TypeAlias = AsyncGenerator[MultipartSegment | bytes | None, None]


async def read(request: Request[Any, Any, Any], *, most: int = MOST_PARTS) -> Pieces:
    """The pieces of a body of so many parts at most; Invalid when it is malformed, or ends too early."""
    try:
        parser = PushMultipartParser(_boundary(request), max_segment_count=most)
        async for chunk in _chunks(request):
            for piece in parser.parse(chunk):
                yield piece
        parser.close()
    except ParserLimitReached as error:
        raise TooLarge(f"the body has more than {most} parts, or a part has too large a head: {error}") from None
    except MultipartError as error:
        raise Invalid(f"not a whole multipart body: {error.args[0]}") from None


async def find_file(pieces: Pieces) -> tuple[MultipartSegment, dict[str, str]]:
    """The head of the part named `file`, and the fields before it."""
    fields: dict[str, str] = {}
    head = await next_file(pieces, fields, is_file=lambda part: part.name == FILE)
    if head is None:
        raise Invalid("the body has no part named `file`")
    return head, fields


async def next_file(
    pieces: Pieces, fields: dict[str, str], *, is_file: Callable[[MultipartSegment], bool]
) -> MultipartSegment | None:
    """The head of the next file, if there is one; what is left of the part before is passed over, fields are noted."""
    async for piece in pieces:
        if isinstance(piece, MultipartSegment):
            if is_file(piece):
                return piece
            fields[piece.name or ""] = await _field(pieces)
    return None


async def content(pieces: Pieces) -> AsyncIterator[bytes]:
    """The bytes of the part whose head was read last."""
    async for piece in pieces:
        if not isinstance(piece, bytes):
            return
        yield piece


async def only_content(pieces: Pieces) -> AsyncIterator[bytes]:
    """The bytes of the part whose head was read last; Invalid when the body holds more that matters."""
    async for chunk in content(pieces):
        yield chunk
    await _refuse_more(pieces)


async def _refuse_more(pieces: Pieces) -> None:
    """Read the rest of the body, which may hold nothing that matters."""
    async for piece in pieces:
        if isinstance(piece, MultipartSegment):
            if piece.name == FILE:
                raise Invalid("send one file at a time")
            if piece.name in BEFORE:
                raise Invalid(f"send `{piece.name}` before the file")
            await _field(pieces)


async def _field(pieces: Pieces) -> str:
    value = b""
    async for chunk in content(pieces):
        value += chunk
        if len(value) > LONGEST_FIELD:
            raise Invalid(f"a part of more than {LONGEST_FIELD} bytes is a file: name it `{FILE}`, in a batch its hash")
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Invalid("a field is not UTF-8") from None


def _boundary(request: Request[Any, Any, Any]) -> str:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary: str = options.get("boundary", "")
    if kind != "multipart/form-data" or not 0 < len(boundary) <= LONGEST_BOUNDARY:
        raise Invalid("send the file as multipart/form-data with a boundary")
    return boundary


async def _chunks(request: Request[Any, Any, Any]) -> AsyncIterator[bytes]:
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except InternalServerException:
            raise Invalid("the connection ended in the middle of the body") from None
        except TimeoutError:
            raise Stalled(f"nothing arrived for {SILENCE_SECONDS} seconds") from None
        if chunk:
            yield chunk
