"""A door before the API for thumbnails: what is in memory is answered without going through all of the API."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from common import at_hand
from gateway import media, signing
from gateway.addresses import BELOW, Signer
from gateway.errors import Forbidden
from gateway.thumbnail_holders import Holders

METHODS = {"GET", "HEAD"}
ELSEWHERE = {b"range", b"if-range"}
"""What such a request wants takes more than a look."""
TYPES = {b"webp": b"image/webp", b"jpg": b"image/jpeg"}
SIGNED = b"/media/"
HELD = re.compile(rb"/api/v1/assets/([0-9a-f-]{36})/thumbnail")
WANTED = re.compile(rb"(?:size=(small|medium|large))?(?:(?:^|&)v=([0-9a-f]{16}))?")
HEADERS = [
    (b"content-security-policy", b"default-src 'none'; sandbox"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
]
FOR_ALL = (b"cross-origin-resource-policy", b"cross-origin")
FOR_OURS = (b"cross-origin-resource-policy", b"same-origin")
Header = tuple[bytes, bytes]


class Picture(NamedTuple):
    """A thumbnail that the client may have: where it should lie, and what is told of it."""

    template: str
    path: bytes
    length: int
    hash: bytes
    told: list[Header]


@dataclass(frozen=True)
class Door:
    """Answers what it can by itself, and passes on everything else: to be asked there costs time and nothing more."""

    app: ASGIApp
    signer: Signer
    holders: Holders

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == ScopeType.HTTP and scope["method"] in METHODS:
            picture = await self._find(scope)
            if picture is not None and await _send(scope, send, picture):
                return
        await self.app(scope, receive, send)

    async def _find(self, scope: HTTPScope) -> Picture | None:
        """The thumbnail that is asked for, if it is one and the client may have it."""
        path = scope["raw_path"]
        if path.startswith(SIGNED):
            return self._signed(scope)
        if path.endswith(b"/thumbnail") and (asked := HELD.fullmatch(path)):
            return await self._held(scope, asked[1].decode())
        return None

    def _signed(self, scope: HTTPScope) -> Picture | None:
        """By an address that says where the thumbnail lies."""
        now = self.signer.bearings.now()
        if now is None:
            return None
        try:
            grant = signing.read(self.signer.keys, signing.address(scope), now)
        except Forbidden:
            return None
        place = grant.place
        home = place and self.signer.bearings.home(place.repository)
        if place is None or home is None:
            return None
        kept = (b"cache-control", b"public, max-age=%d, immutable" % (grant.until - now))
        path = b"/".join((home, BELOW + place.path))
        return Picture("/media/{asset_id}/{variant}", path, place.length, place.hash, [FOR_ALL, kept])

    async def _held(self, scope: HTTPScope, asset: str) -> Picture | None:
        """By a token, and an address that may name the content: then it never changes."""
        wanted = WANTED.fullmatch(scope["query_string"])
        held = await self.holders.find(scope, asset, (wanted[1] or b"medium").decode()) if wanted else None
        if wanted is None or held is None:
            return None
        named = media.NAMED if media.version(held.hash).encode() == wanted[2] else media.GUARDED["cache-control"]
        told = [
            FOR_OURS,
            (b"accept-ranges", b"bytes"),
            (b"cache-control", named.encode()),
            (b"content-disposition", media.derived_name(held.original_filename, held.mime_type).encode("latin-1")),
        ]
        path = b"/".join((held.home, held.path))
        return Picture("/api/v1/assets/{asset_id}/thumbnail", path, held.length, held.hash, told)


async def _send(scope: HTTPScope, send: Send, picture: Picture) -> bool:
    """Whether the request was answered; not when that takes more than what is in memory."""
    asked, mime = dict(scope["headers"]), TYPES.get(picture.path.rpartition(b".")[2])
    if mime is None or not asked.keys().isdisjoint(ELSEWHERE):
        return False
    etag = b'"%s"' % picture.hash.hex().encode()
    headers = [*HEADERS, *picture.told, (b"content-type", mime), (b"etag", etag)]
    status, content = HTTPStatus.NOT_MODIFIED, b""
    if etag not in asked.get(b"if-none-match", b""):
        found = at_hand.read(picture.path, size=picture.length)
        if found is None:
            return False
        status, content = HTTPStatus.OK, found
        headers.append((b"content-length", b"%d" % picture.length))
    scope["path_template"] = picture.template
    await send({"type": "http.response.start", "status": status, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else content
    await send({"type": "http.response.body", "body": body, "more_body": False})
    return True
