"""A client that costs next to nothing: plain sockets in threads, so that the server is what is measured."""

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from uuid import uuid4

BOUNDARY = f"----lumilio-bench-{uuid4().hex}"
START = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="photo.jpg"\r\n\r\n'.encode()
END = f"\r\n--{BOUNDARY}--\r\n".encode()

# The bytes of one file, in pieces that are made as they are sent.
Content = Callable[[], Iterator[bytes]]


@dataclass(frozen=True)
class File:
    """What is sent: its length, and its bytes when they are wanted."""

    length: int
    pieces: Content


@dataclass(frozen=True)
class Sender:
    """Sends files to one address, several at once."""

    port: int
    token: str = ""
    path: str = "/api/v1/assets"

    def send(self, files: list[File], *, clients: int) -> float:
        """Send all of them, each answered with 200; returns the seconds that it took."""
        waiting, lock = list(reversed(files)), Lock()

        def work() -> None:
            with socket.create_connection(("127.0.0.1", self.port)) as line:
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while file := _next(waiting, lock):
                    self._send(line, file)

        began = time.monotonic()
        with ThreadPoolExecutor(clients) as pool:
            for client in [pool.submit(work) for _ in range(clients)]:
                client.result()
        return time.monotonic() - began

    def _send(self, line: socket.socket, file: File) -> None:
        line.sendall(self._head(len(START) + file.length + len(END)) + START)
        for piece in file.pieces():
            line.sendall(piece)
        line.sendall(END)
        _check(line)

    def _head(self, length: int) -> bytes:
        return (
            f"POST {self.path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {length}\r\n\r\n"
        ).encode()


def whole(content: bytes) -> File:
    """A file that lies in memory."""
    return File(len(content), lambda: iter((content,)))


def nonsense(length: int, *, piece: int = 1 << 20) -> File:
    """A file that begins like a JPEG and that nobody has sent before, made of one random piece again and again."""
    mark = b"\xff\xd8\xff\xe0" + os.urandom(piece - 4)

    def pieces() -> Iterator[bytes]:
        for start in range(0, length, piece):
            yield mark[: min(piece, length - start)]

    return File(length, pieces)


def _next(waiting: list[File], lock: Lock) -> File | None:
    with lock:
        return waiting.pop() if waiting else None


def _check(line: socket.socket) -> None:
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += line.recv(1 << 16)
    head, _, body = answer.partition(b"\r\n\r\n")
    length = next(int(each[15:]) for each in head.split(b"\r\n") if each.lower().startswith(b"content-length:"))
    while len(body) < length:
        body += line.recv(1 << 16)
    if not head.startswith(b"HTTP/1.1 200"):
        raise AssertionError(json.loads(body))
