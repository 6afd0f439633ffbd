"""What is too large, or would fill the disk, is refused in words, early if its length is known, and leaves nothing."""

import asyncio
import os
from collections.abc import AsyncIterator

import httpx
import pytest

from common.db import Pool
from gateway.room import Reserve
from tests.support.gateway import (
    FORM,
    JPEG,
    Api,
    form,
    limit_files,
    nothing_left,
    parts,
    post,
    serving,
    staged,
)
from tests.support.given import Repository, User
from tests.support.waiting import until

MIB = 1 << 20


@pytest.fixture
async def api(pool: Pool, repository: Repository, user: User) -> AsyncIterator[Api]:
    async with serving(pool, max_upload_bytes=4 * MIB, reserve=Reserve(1, 0)) as served:
        await served.enter(user.username)
        yield served


@pytest.fixture
async def full(pool: Pool, repository: Repository, user: User) -> AsyncIterator[Api]:
    """A gateway whose disk has nothing to spare."""
    async with serving(pool, reserve=Reserve(1 << 60, 0)) as served:
        await served.enter(user.username)
        yield served


@pytest.mark.parametrize("path", ["/api/v1/assets", "/api/v1/assets/batch"])
async def test_a_disk_without_room_is_told_before_the_body(
    full: Api, pool: Pool, repository: Repository, path: str
) -> None:
    """The answer is there while the file has hardly begun; it says what to do and names no path of the server."""
    body = parts(JPEG) if path.endswith("batch") else form(JPEG)

    answer = await full.first(post(full, body[:1000], length=1 << 30, path=path))

    assert answer.startswith("HTTP/1.1 507")
    assert "connection: close" in answer
    assert "make room on it" in answer
    assert os.fsdecode(os.path.dirname(repository.root)) not in answer
    assert await nothing_left(pool, repository)


async def test_an_announced_file_must_fit(pool: Pool, repository: Repository, user: User) -> None:
    """A file that would eat into the reserve is refused, a smaller one is not."""
    disk = os.statvfs(repository.root)
    spare = 256 * MIB
    async with serving(pool, reserve=Reserve(disk.f_bavail * disk.f_frsize - spare, 0)) as api:
        await api.enter(user.username)
        large = await api.first(post(api, form(JPEG)[:1000], length=2 * spare))
        small = await api.upload()

    assert large.startswith("HTTP/1.1 507")
    assert small.status_code == 200


async def test_a_disk_that_fills_while_a_file_arrives_ends_it(
    api: Api, pool: Pool, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body of unknown length is watched as it comes."""
    real, asked = os.statvfs, 0

    def filling(root: bytes) -> os.statvfs_result:
        nonlocal asked
        asked += 1
        seen = real(root)
        return seen if asked == 1 else os.statvfs_result((*seen[:4], 0, *seen[5:]))

    async def chunked() -> AsyncIterator[bytes]:
        yield form(JPEG)[:2000]
        await until(lambda: len(staged(repository)) == 1)
        monkeypatch.setattr("gateway.room.FRESH_SECONDS", -1)
        yield form(JPEG)[2000:]

    monkeypatch.setattr(os, "statvfs", filling)
    answer = await api.client.post("/api/v1/assets", content=chunked(), headers=FORM)

    assert (answer.status_code, answer.json()["message"]) == (507, "the disk is nearly full")
    assert await nothing_left(pool, repository)


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "streamed"])
async def test_a_repository_can_want_no_large_files(
    api: Api, pool: Pool, repository: Repository, announced: bool
) -> None:
    """The size that a repository's marker allows is kept to, and told."""
    limit_files(repository, len(JPEG))
    content = JPEG * 200

    async def streamed() -> AsyncIterator[bytes]:
        yield form(content)

    body = form(content) if announced else streamed()
    refused = await api.client.post("/api/v1/assets", content=body, headers=FORM)
    assert (refused.status_code, refused.json()["message"]) == (413, "more was sent than is taken")
    assert f"larger than the {len(JPEG)} bytes" in refused.json()["error"]
    assert await nothing_left(pool, repository)

    assert (await api.upload(JPEG)).status_code == 200


async def test_a_file_is_as_large_as_the_server_allows(api: Api, pool: Pool, repository: Repository) -> None:
    """The largest file is taken; with one byte more it is not."""
    largest = JPEG.ljust(4 * MIB, b"\0")

    refused = await api.upload(largest + b"\0")
    assert refused.status_code == 413
    assert await nothing_left(pool, repository)

    assert (await api.upload(largest)).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/assets", "/api/v1/assets/batch"])
async def test_a_body_that_is_too_large_is_told_before_it_is_sent(
    api: Api, pool: Pool, repository: Repository, path: str
) -> None:
    """Who announces more than is ever taken hears the limit at once."""
    answer = await api.first(post(api, b"", length=5 * MIB, path=path))

    assert answer.startswith("HTTP/1.1 413")
    assert f"larger than the {4 * MIB} bytes" in answer
    assert await nothing_left(pool, repository)


async def test_a_client_that_only_listens_in_the_end_hears_why(api: Api) -> None:
    """A refusal in the middle of a large body is not lost: the rest is read before the connection is closed."""
    body = form(b"plain text" * 300_000)
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)

    for start in range(0, len(body), 100_000):
        writer.write(post(api, body[:100_000], length=len(body)) if start == 0 else body[start : start + 100_000])
        await writer.drain()
    answer = await reader.read()
    writer.close()

    assert answer.startswith(b"HTTP/1.1 415")
    assert b'"code":415' in answer
    assert answer.count(b"HTTP/1.1") == 1


async def test_a_refused_client_need_not_send_the_rest(api: Api) -> None:
    """Once it has heard the answer, it can leave."""
    answer = await api.first(post(api, form(b"plain text" * 30_000)[:100_000], length=2 * MIB))

    assert answer.startswith("HTTP/1.1 415")
    assert (await api.upload()).status_code == 200


async def test_a_body_of_a_stranger_is_not_awaited(api: Api) -> None:
    """Without a sign-in the answer comes before the body, and the connection ends with it."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{api.port}") as stranger:
        answer = await stranger.post("/api/v1/assets", content=form(JPEG * 100), headers=FORM)

    assert (answer.status_code, answer.headers["connection"]) == (401, "close")
