"""A visitor that asks at a steady pace over one connection, and notes how long after it was due each answer came."""

import socket
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass

PER_SECOND = 50


@dataclass(frozen=True)
class Question:
    """One request: what is asked for, and a body if it has one."""

    path: str
    body: bytes = b""


@dataclass(frozen=True)
class Times:
    """How long answers took, in milliseconds, sorted; and how many bytes they had."""

    ms: list[float]
    size: float

    @property
    def p50(self) -> float:
        return statistics.median(self.ms)

    @property
    def p99(self) -> float:
        return self.ms[min(len(self.ms) - 1, round(len(self.ms) * 0.99))]


def ask(port: int, token: str, questions: Iterable[Question], *, per_second: float = PER_SECOND) -> Times:
    """Ask one after the other, never earlier than the pace allows; who is late because of another counts as late."""
    times, sizes = [], []
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        due = time.perf_counter()
        for question in questions:
            time.sleep(max(due - time.perf_counter(), 0))
            line.sendall(_request(question, token))
            sizes.append(_answer(line))
            times.append((time.perf_counter() - due) * 1000)
            due += 1 / per_second
    return Times(sorted(times), statistics.mean(sizes))


def _request(question: Question, token: str) -> bytes:
    method = "POST" if question.body else "GET"
    head = f"{method} {question.path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
    if question.body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(question.body)}\r\n"
    return f"{head}\r\n".encode() + question.body


def _answer(line: socket.socket) -> int:
    """Read one answer, which must be a good one; its length."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(line)
    head, _, body = received.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise AssertionError(received[:1000].decode(errors="replace"))
    length = next(int(one[15:]) for one in head.lower().split(b"\r\n") if one.startswith(b"content-length:"))
    while len(body) < length:
        body += _more(line)
    return length


def _more(line: socket.socket) -> bytes:
    received = line.recv(1 << 18)
    if not received:
        raise AssertionError("the server ended the connection")
    return received
