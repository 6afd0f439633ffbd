"""An upload that was answered with success is on the disk and in the database; any other one leaves nothing."""

import os
from collections.abc import AsyncIterator

import pytest
from blake3 import blake3

from common import layout
from common.db import Pool
from tests.conftest import Repository, User
from tests.support.gateway import JPEG, Api, serving


@pytest.fixture
async def api(pool: Pool, repository: Repository, user: User) -> AsyncIterator[Api]:
    async with serving(pool) as served:
        await served.login(user.username, user.password)
        yield served


async def test_an_answered_upload_is_on_the_disk_and_has_rows(api: Api, pool: Pool, repository: Repository) -> None:
    """Success means: these very bytes lie in staging, with an asset, an upload, due work and an event."""
    answer = await api.uploaded(JPEG, name="beach.jpg")

    assert answer["status"] == "processing"
    assert answer["content_hash"] == blake3(JPEG).hexdigest()
    assert answer["size"] == len(JPEG)
    assert answer["file_name"] == "beach.jpg"
    async with pool.connection() as conn:
        upload = await (await conn.execute("select staged_name, asset_id, state from uploads")).fetchall()
        stages = await (await conn.execute("select stage, state from asset_stages order by stage")).fetchall()
        events = await (await conn.execute("select subject from outbox")).fetchall()
    assert [(str(row[1]), row[2]) for row in upload] == [(answer["asset_id"], "staged")]
    assert staged_bytes(repository, upload[0][0]) == JPEG
    assert stages == [("place", "pending"), ("render", "blocked")]
    assert events == [("lumilio.upload.staged",)]
    again = await api.client.get(f"/api/v1/assets/{answer['asset_id']}/original")
    assert (again.status_code, again.content) == (200, JPEG)


def staged_bytes(repository: Repository, name: str) -> bytes:
    with open(os.path.join(repository.root, layout.staged(name)), "rb") as file:
        return file.read()
