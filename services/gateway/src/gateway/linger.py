"""Answers that are given before the whole body has arrived reach the client: what still arrives is read and dropped."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPReceiveMessage, HTTPScope, Message, Receive, Scope, Send

# A client that hears the answer stops sending; one that listens only in the end gets this long.
LINGER_SECONDS = 30

# The server reads a body of this size by itself.
SMALL_BODY = 64 * 1024


def lingering(app: ASGIApp) -> ASGIApp:
    """The same app; a connection whose body was not read to its end is closed, after the client had time to listen.

    Closing it at once would reset it, and a reset can take an answer away from a client that is still sending.
    """

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or _is_small(scope):
            await app(scope, receive, send)
            return
        talk = _Talk(receive, send)
        await app(scope, talk.receive, talk.send)
        if talk.is_early:
            await talk.linger()

    return answered


@dataclass
class _Talk:
    """One request and its answer; `is_early` says that all of the answer was sent before all of the body was read."""

    _receive: Receive
    _send: Send
    has_all: bool = False
    is_early: bool = False

    async def receive(self) -> HTTPReceiveMessage:
        message = cast("HTTPReceiveMessage", await self._receive())
        self.has_all = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and not self.has_all:
            message["headers"] = [*message["headers"], (b"connection", b"close")]
            self.is_early = True
        elif self.is_early and message["type"] == "http.response.body":
            message["more_body"] = True
        await self._send(message)

    async def linger(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while not self.has_all:
                    await self.receive()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def _is_small(scope: HTTPScope) -> bool:
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"0")
    return b"transfer-encoding" not in headers and length.isdigit() and int(length) <= SMALL_BODY
