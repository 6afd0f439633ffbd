"""A client of many pictures that costs next to nothing: some connections, each asking for the next when it has one."""

import asyncio
import time
from collections.abc import Iterator
from functools import partial
from typing import cast

import uvloop


def view(port: int, requests: list[bytes], *, connections: int) -> float:
    """Send all of the requests, each answered with 200; returns the seconds that it took."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        began = time.monotonic()
        runner.run(_view(port, iter(requests), connections))
        return time.monotonic() - began


def get(path: str, token: str = "") -> bytes:
    """A request for a picture."""
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{bearer}\r\n".encode()


async def _view(port: int, requests: Iterator[bytes], connections: int) -> None:
    loop = asyncio.get_running_loop()
    viewers = [_Viewer(requests) for _ in range(connections)]
    for viewer in viewers:
        await loop.create_connection(partial(_itself, viewer), "127.0.0.1", port)
    await asyncio.gather(*(viewer.is_done for viewer in viewers))


def _itself(viewer: "_Viewer") -> "_Viewer":
    return viewer


class _Viewer(asyncio.Protocol):
    """One connection."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self._requests = requests
        self._head: bytes | None = b""
        self._left = 0
        self.is_done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        if self._head is None:
            self._left -= len(data)
        else:
            self._read_head(self._head + data)
        if self._head is None and self._left == 0:
            self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.is_done.done():
            self.is_done.set_exception(error or ConnectionError("the server hung up"))

    def _ask(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self.is_done.set_result(None)
            self._transport.close()
            return
        self._head = b""
        self._transport.write(request)

    def _read_head(self, seen: bytes) -> None:
        head, end, body = seen.partition(b"\r\n\r\n")
        self._head = None if end else seen
        if end and not head.startswith(b"HTTP/1.1 200"):
            self.is_done.set_exception(AssertionError(seen))
        elif end:
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            self._left = int(length) - len(body)
