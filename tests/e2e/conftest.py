"""A whole server for all tests that do it no lasting harm: its start costs more than most of what is tried on it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import psycopg
import pytest

from common import passwords
from tests.support.settling import until_settled
from tests.support.stack import Stack

STAGES = ("place", "render", "sidecar", "transcode")


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A server on which others have been; its person is the administrator of its first start."""
    stack = Stack(tmp_path_factory.mktemp("server") / "data")
    try:
        asyncio.run(stack.start())
        yield stack
    finally:
        asyncio.run(stack.end())


@pytest.fixture
async def stack(server: Stack) -> AsyncIterator[Stack]:
    """The same as somebody new, who may do everything and has nothing there yet; nothing is left to do for others."""
    await until_settled(server, stages=STAGES, seconds=60, what="what others wanted is done")
    first = server.username, server.password
    server.username, server.password = f"person-{uuid4().hex[:8]}", uuid4().hex
    with psycopg.connect(server.database_url) as conn:
        conn.execute(
            """
            insert into users (username, email, password_hash, is_admin)
            values (%(name)s, %(name)s || '@localhost', %(hash)s, true)
            """,
            {"name": server.username, "hash": passwords.hashed(server.password)},
        )
    yield server
    server.username, server.password = first
