"""Whoever is slow on purpose is sent away, and disturbs nobody; whoever sends much at once waits for a turn."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from common.db import Pool
from tests.support.gateway import JPEG, Api, form, nothing_left, post, serving
from tests.support.given import Repository, User
from tests.support.waiting import until

SLOW_SECONDS = 1.5
SLOW = 200
HEAD = b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n"
LOGIN = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"

WAYS = [(HEAD, b""), (HEAD, b"X-A: b\r\n"), (b"", b""), (LOGIN, b""), (LOGIN, b" "), (HEAD + b"\r\n", b"")]
"""How each begins, and what it adds from time to time."""


@pytest.fixture
async def api(pool: Pool, repository: Repository, user: User) -> AsyncIterator[Api]:
    async with serving(pool, slow_seconds=SLOW_SECONDS, uploads_at_once=4) as served:
        await served.enter(user.username)
        yield served


async def dawdle(api: Api, start: bytes, drip: bytes) -> bytes:
    """Send a little now and then for as long as the server bears it; returns what it said in the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    writer.write(start)
    answer = asyncio.create_task(reader.read())
    with suppress(ConnectionError):
        while not answer.done():
            writer.write(drip)
            await asyncio.wait({answer}, timeout=0.2)
    writer.close()
    return b"" if answer.exception() else answer.result()


async def test_two_hundred_slow_clients_are_sent_away(api: Api) -> None:
    """Heads and bodies that stop or drip, and no word at all: each is ended soon, and everybody else is answered."""
    began = time.monotonic()

    slow = [asyncio.create_task(dawdle(api, *WAYS[number % len(WAYS)])) for number in range(SLOW)]
    waits = []
    while not all(task.done() for task in slow):
        asked = time.monotonic()
        assert (await api.client.get("/api/v1/health")).status_code == 200
        waits.append(time.monotonic() - asked)
        await asyncio.wait(slow, timeout=0.2)
    answers = await asyncio.gather(*slow)

    assert time.monotonic() - began < 100
    assert sorted(waits)[len(waits) // 2] < 5
    assert {answer.split(b" ")[1] for answer in answers if answer} <= {b"408", b"200"}


async def test_an_upload_that_stops_leaves_nothing(api: Api, pool: Pool, repository: Repository) -> None:
    """A body that stands still is given up; one that goes on slowly is not."""
    body = form(JPEG)
    request = post(api, body, length=len(body))

    stopped = await api.raw(request[:-100])
    assert await until(lambda: nothing_left(pool, repository))
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    answer = asyncio.create_task(reader.readuntil(b"}"))
    for start in range(0, len(request), len(request) // 8):
        writer.write(request[start : start + len(request) // 8])
        await asyncio.wait({answer}, timeout=0.4)
    went_on = await answer
    writer.close()

    assert stopped.split(b" ")[1] == b"408"
    assert b"processing" in went_on


async def test_a_client_that_does_not_read_is_left(api: Api) -> None:
    """An answer that nobody takes does not wait for ever, nor does its file stay open."""
    asset = (await api.uploaded(JPEG * 4000))["asset_id"]
    token = api.client.headers["Authorization"]
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port, limit=1024)
    writer.write(f"GET /api/v1/assets/{asset}/original HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n".encode())

    await asyncio.sleep(3 * SLOW_SECONDS)
    with suppress(ConnectionError):
        got = len(await asyncio.wait_for(reader.read(-1), 10))
        assert got < 4000 * len(JPEG)
    writer.close()


@pytest.fixture
async def patient(pool: Pool, repository: Repository, user: User) -> AsyncIterator[Api]:
    async with serving(pool, slow_seconds=60, uploads_at_once=4) as served:
        await served.enter(user.username)
        yield served


async def test_one_person_sends_four_files_at_once(patient: Api) -> None:
    """A fifth waits for its turn and hears so; when one is done, it is taken."""
    api, body, halves = patient, form(JPEG), []

    async def is_refused() -> bool:
        """With one upload more that stands still, until four of them do."""
        reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
        writer.write(post(api, body[:200], length=len(body)))
        halves.append((reader, writer))
        return (await api.upload(JPEG + b"5")).status_code == 429

    assert await until(is_refused)
    fifth = await api.upload(JPEG + b"5")
    halves[0][1].write(body[200:])
    assert b"200" in await halves[0][0].readuntil(b"\r\n")
    sixth = await api.upload(JPEG + b"6")
    for _, writer in halves:
        writer.close()

    assert (fifth.status_code, fifth.headers["retry-after"]) == (429, "2")
    assert "4 uploads of yours are running" in fifth.json()["error"]
    assert sixth.status_code == 200


@pytest.mark.parametrize("lines", [[f"X-{n}: {'a' * 200}" for n in range(90)], ["X-Long: " + "a" * 17_000]])
async def test_a_long_head_is_refused_in_words(api: Api, lines: list[str]) -> None:
    """More than 16 KB of headers or address are answered with 431, in the envelope, and nothing runs."""
    many = "".join(f"{line}\r\n" for line in lines)
    headers = await api.raw(f"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n{many}\r\n".encode())
    address = await api.raw(f"GET /{'a' * 17_000} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    below = await api.status(f"GET /api/v1/health HTTP/1.1\r\nHost: x\r\nX-Long: {'a' * 15_000}\r\n\r\n".encode())

    for answer in (headers, address):
        assert answer.startswith(b"HTTP/1.1 431 ")
        assert b'"code":431' in answer
        assert b"x-content-type-options: nosniff" in answer
    assert below == 200
