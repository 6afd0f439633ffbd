"""Connections that do not go on: the server itself would keep them, and what they began, for anybody and for ever."""

import asyncio
from functools import partial
from http import HTTPStatus

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.schemas import Failure

LONGEST = 512 * 1024  # bytes; what arrives in one piece may hold the end of a body before a head
LONGEST_HEAD = 16 * 1024
SLOW_SECONDS = 30.0
UPLOADS = {b"/api/v1/assets", b"/api/v1/assets/batch"}
"""Where a body may take its time, as long as it goes on; any other one is small."""
TOO_LONG = f"the head of the request is longer than {LONGEST_HEAD} bytes"
WORDS = {
    HTTPStatus.BAD_REQUEST: "the request is not well formed",
    HTTPStatus.REQUEST_TIMEOUT: "the request took too long",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "the request is not well formed",
}
HEADERS = (
    "content-type: application/json\r\ncache-control: no-store\r\ncontent-security-policy: default-src 'none'; "
    "frame-ancestors 'none'\r\ncross-origin-resource-policy: same-origin\r\nreferrer-policy: no-referrer\r\n"
    "x-content-type-options: nosniff\r\nx-frame-options: DENY\r\nconnection: close\r\n"
)


class HeadTooLong(Exception):
    """The address and the headers of a request are longer than any honest client's."""


class Bounded(HttpToolsProtocol):
    """Ends a connection that sends too long a head, or that stands still while it is expected to send or to read."""

    slow_seconds = SLOW_SECONDS
    _waited = 0
    _head = 0
    _is_in_body = False
    _timer: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody is there, and has so long to say what they want."""
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        self._rest()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in what arrived."""
        if self._timer is None and not self._is_in_body:
            self._expect()  # another request on a connection that was at rest
        super().data_received(data)
        if not self._is_in_body:
            self._waited += len(data)
        elif self._may_take_its_time() and self._timer is not None:
            self._expect()
        if self._waited > LONGEST and not self.transport.is_closing():
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, TOO_LONG)

    def on_message_begin(self) -> None:
        """A head begins."""
        self._head = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A piece of the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""
        self._count(len(name) + len(value) + len(b": \r\n"))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is over, and the body has as long."""
        self._is_in_body, self._waited = True, 0
        self._expect()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The next head may begin, whenever it does."""
        self._is_in_body, self._waited = False, 0
        self._rest()
        super().on_message_complete()

    def pause_writing(self) -> None:
        """The client does not read as fast as we write."""
        super().pause_writing()
        self._watch_reading()

    def resume_writing(self) -> None:
        """It has caught up."""
        super().resume_writing()
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def send_400_response(self, msg: str) -> None:
        """What makes no sense is told so in the envelope that every answer has."""
        if self._head > LONGEST_HEAD:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, TOO_LONG)
        else:
            self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def _count(self, length: int) -> None:
        self._head += length
        if self._head > LONGEST_HEAD:
            raise HeadTooLong

    def _may_take_its_time(self) -> bool:
        return self.url.partition(b"?")[0] in UPLOADS

    def _expect(self) -> None:
        """From here on the client has so long to go on."""
        self._rest()
        self._timer = self.loop.call_later(self.slow_seconds, self._end_slow)

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end_slow(self) -> None:
        """Nothing came for long, unless we ourselves did not read on, or have answered and wait for the rest."""
        self._timer = None
        if self.transport.is_closing():
            return
        if self.flow.read_paused:
            self._expect()
        elif self._is_in_body and self.cycle is not None and self.cycle.response_started:
            self.transport.abort()
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"it was not all there after {self.slow_seconds:.0f} seconds")

    def _watch_reading(self) -> None:
        unread = self.transport.get_write_buffer_size()
        self._reading = self.loop.call_later(self.slow_seconds, partial(self._end_unread, unread))

    def _end_unread(self, before: int) -> None:
        """A client that has read anything at all meanwhile is only slow."""
        if self.transport.get_write_buffer_size() < before:
            self._watch_reading()
        else:
            self.transport.abort()

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        body = msgspec.json.encode(Failure(code=status, message=WORDS[status], error=reason))
        head = f"HTTP/1.1 {status} {status.phrase}\r\n{HEADERS}content-length: {len(body)}\r\n\r\n"
        if not self.transport.is_closing():
            self.transport.write(head.encode() + body)
            self.transport.close()


def bounded(slow_seconds: float) -> type[Bounded]:
    """Connections whose clients may stand still for so long."""
    return type("Bounded", (Bounded,), {"slow_seconds": slow_seconds})
