"""Answers with the bytes of a file: ranges, conditions, constant memory."""

import asyncio
import os
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from litestar import Request
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from common import files, formats
from gateway.errors import NoSuchRange

CHUNK = 1 << 20

# A part up to this length is read in one go on the event loop: a thread would cost more than the read.
SMALL = 256 * 1024
EXTENSIONS = {
    extension: {known.mime_type for known in formats.FORMATS if extension in (known.extension, *known.others)}
    | ({formats.TIFF.mime_type} if one in formats.RAWS else set())
    for one in formats.FORMATS
    for extension in (one.extension, *one.others)
}
"""The types that each extension may stand for; a raw file may be stored as the TIFF that it is."""
ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
GUARDED = {
    "accept-ranges": "bytes",
    "cache-control": "private, max-age=86400, must-revalidate",
    "content-security-policy": "default-src 'none'; sandbox",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
}

# A browser that opens a film makes a page around it, which may load what the answer says and so has to load the film.
PLAYED = {"content-security-policy": "default-src 'none'; media-src 'self'; sandbox"}
CACHED = (b"cache-control", GUARDED["cache-control"].encode())
OWN_PAGES = (b"cross-origin-resource-policy", GUARDED["cross-origin-resource-policy"].encode())

NAMED = "private, max-age=31536000, immutable"
"""Of what is fetched by an address that names the content: another content has another address."""

# What is fetched by a signed address may be kept by anybody, for as long as the address counts, and shown anywhere.
LOOK_AGAIN_SECONDS = 300


@dataclass(frozen=True)
class Plan:
    """How a request for a file is answered, before the file is opened."""

    status: HTTPStatus
    headers: dict[str, str]
    part: range  # which bytes of the file are sent


def disposition(name: str, mime_type: str) -> str:
    """A Content-Disposition header: saved under its name, and shown only where the name says the same type."""
    how = "inline" if _agrees(name, mime_type) else "attachment"
    plain = "".join(letter if letter.isascii() and letter not in '"\\%' else "_" for letter in name)
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def version(digest: bytes) -> str:
    """What an address calls a content, so that it names this one alone."""
    return digest.hex()[:16]


def derived_name(original_filename: str, mime_type: str) -> str:
    """The same of a file that was made of an original: the original's name with the ending of its type."""
    ending = formats.BY_MIME[mime_type].extension
    return disposition(os.path.splitext(original_filename)[0] + ending, mime_type)


def plan(request: Request[Any, Any, Any], *, size: int, etag: str, headers: dict[str, str]) -> Plan:
    """Whole, in part, or not at all because the client has it; NoSuchRange when it asks for what is not there."""
    is_played = headers.get("content-type", "").startswith(("video/", "audio/"))
    every = {**GUARDED, **(PLAYED if is_played else {}), **headers, "etag": f'"{etag}"'}
    if _matches(request.headers.get("if-none-match", ""), every["etag"]):
        return Plan(HTTPStatus.NOT_MODIFIED, every, range(0))
    part = _wanted(request, size, every["etag"])
    if part is None:
        body = range(0 if request.method == "HEAD" else size)
        return Plan(HTTPStatus.OK, {**every, "content-length": str(size)}, body)
    every |= {"content-length": str(len(part)), "content-range": f"bytes {part.start}-{part.stop - 1}/{size}"}
    return Plan(HTTPStatus.PARTIAL_CONTENT, every, part)


def open_exact(root: bytes, path: bytes, *, size: int) -> int | None:
    """A descriptor of the file, or None when there is none or it is of another size than its row says."""
    try:
        descriptor = files.open_original(root, path)
    except OSError as error:
        if error.errno in files.STARVED:  # says nothing of the file
            raise
        return None
    if os.fstat(descriptor).st_size == size:
        return descriptor
    os.close(descriptor)
    return None


@dataclass(frozen=True)
class Media:
    """A plan and the open file that it needs, if it needs one; the file is closed in the end."""

    plan: Plan
    descriptor: int | None

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        try:
            headers = [(name.encode(), value.encode("latin-1")) for name, value in self.plan.headers.items()]
            await send({"type": "http.response.start", "status": self.plan.status, "headers": headers})
            if self.descriptor is not None:
                await send_parts(read(self.descriptor, self.plan.part), receive, send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            if self.descriptor is not None:
                os.close(self.descriptor)


async def send_parts(parts: AsyncGenerator[bytes, None], receive: Receive, send: Send) -> None:
    """Send the parts of a body until the client leaves, after which the server swallows what is sent to it."""
    leaving = asyncio.create_task(_left(receive))
    try:
        async with aclosing(parts):
            async for part in parts:
                if leaving.done():
                    return
                await send({"type": "http.response.body", "body": part, "more_body": True})
    finally:
        leaving.cancel()


async def read(descriptor: int, part: range) -> AsyncGenerator[bytes, None]:
    """A part of a file in pieces; OSError when the file changes meanwhile."""
    written = os.fstat(descriptor).st_mtime_ns
    for start in range(part.start, part.stop, CHUNK):
        chunk = await _read(descriptor, min(CHUNK, part.stop - start), start)
        if os.fstat(descriptor).st_mtime_ns != written:
            raise OSError("the file was written to while it was read")
        yield chunk


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@dataclass(frozen=True)
class Public:
    """An answer that caches of everybody may keep: for some minutes, and never longer than so many seconds."""

    answer: ASGIApp
    seconds: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        kept = f"public, max-age={min(self.seconds, LOOK_AGAIN_SECONDS)}, must-revalidate".encode()
        changed = {CACHED: (b"cache-control", kept), OWN_PAGES: (b"cross-origin-resource-policy", b"cross-origin")}

        async def public(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [changed.get((name, value), (name, value)) for name, value in message["headers"]]
            await send(message)

        await self.answer(scope, receive, public)


async def _read(descriptor: int, length: int, start: int) -> bytes:
    if length <= SMALL:
        chunk = os.pread(descriptor, length, start)
    else:
        chunk = await asyncio.to_thread(os.pread, descriptor, length, start)
    if len(chunk) < length:
        raise OSError("the file became shorter while it was read")
    return chunk


def _agrees(name: str, mime_type: str) -> bool:
    """Whether a file's name says the type that its first bytes say; one without an extension says nothing."""
    extension = os.path.splitext(name)[1].lower()
    return not extension or mime_type in EXTENSIONS.get(extension, ())


def _matches(header: str, etag: str) -> bool:
    """Whether the client says that it has this very content."""
    return any(tag.strip().removeprefix("W/") in {etag, "*"} for tag in header.split(","))


def _wanted(request: Request[Any, Any, Any], size: int, etag: str) -> range | None:
    """The one range that is asked for; None for the whole: no range, several, a malformed one, or of old content."""
    asked = ONE_RANGE.fullmatch(request.headers.get("range", "").strip())
    if asked is None or request.method != "GET" or request.headers.get("if-range", etag) != etag:
        return None
    first, last = asked.groups()
    if first:
        part = range(int(first), min(int(last), size - 1) + 1 if last else size)
        is_malformed = bool(last) and int(last) < int(first)
    else:
        part = range(max(size - int(last or 0), 0), size)
        is_malformed = not last
    if is_malformed:
        return None
    if not part:
        raise NoSuchRange(size)
    return part
