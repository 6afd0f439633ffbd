"""Assets whose files vanished are hidden, kept, and come back; what lies only in a person's own folders is not safe."""

from typing import Any
from uuid import UUID

import pytest
from blake3 import blake3

from common.db import Pool
from ingest.handlers import Ingest
from tests.support.gateway import JPEG, Api
from tests.support.given import Repository, User
from tests.support.placing import place_all, placed
from tests.support.rows import ask, do

OTHER = JPEG + b"another"
VANISH = """
    update assets set missing_since = now() where asset_id = '{0}';
    update file_records set state = 'missing', missing_since = now() where asset_id = '{0}';
"""


@pytest.fixture
async def vanished(pool: Pool, repository: Repository, user: User) -> UUID:
    """A photo of anna's whose only file is gone."""
    return await vanish(pool, await placed(pool, repository, user, JPEG))


async def vanish(pool: Pool, asset: UUID) -> UUID:
    for statement in VANISH.format(asset).strip().split(";\n"):
        await do(pool, statement)
    return asset


async def known(api: Api, *contents: bytes) -> list[str]:
    hashes = [blake3(content).hexdigest() for content in contents]
    answer = await api.client.post("/api/v1/assets/precheck", json={"hashes": hashes})
    return [one["asset_id"] for one in answer.json()["data"]["known"]]


async def listed(api: Api, **parameters: str) -> list[str]:
    answer = await api.client.get("/api/v1/assets", params=parameters)
    return [asset["asset_id"] for asset in answer.json()["data"]["assets"]]


async def detail(api: Api, asset: UUID) -> dict[str, Any]:
    data: dict[str, Any] = (await api.client.get(f"/api/v1/assets/{asset}")).json()["data"]
    return data


async def test_what_vanished_is_in_no_list_and_still_there_by_its_id(
    api: Api, pool: Pool, repository: Repository, user: User, vanished: UUID
) -> None:
    """It is hidden like what is in the trash, says since when, and is not in the trash."""
    other = await placed(pool, repository, user, OTHER, "other.jpg")

    for order in ("asc", "desc"):
        assert await listed(api, sort_order=order) == [str(other)]
    assert await known(api, JPEG, OTHER) == [str(other)]
    shown = await detail(api, vanished)
    assert (bool(shown["missing_since"]), shown["is_deleted"]) == (True, False)
    assert (await detail(api, other))["missing_since"] is None


async def test_its_original_says_that_it_is_not_there_and_its_thumbnails_are(
    api: Api, pool: Pool, repository: Repository, vanished: UUID
) -> None:
    """A person hears in words that it comes back with its file; what was made of it is still shown."""
    path = f"{repository.root.decode()}/.lumilio/assets/thumbnails/small.webp"
    with open(path, "wb") as file:
        file.write(b"a thumbnail")
    await do(
        pool,
        f"insert into thumbnails select asset_id, 'medium', '{repository.repository_id}', "
        f"'.lumilio/assets/thumbnails/small.webp', 'image/webp', 4, 3, 11, content_hash from assets",
    )

    original = await api.client.get(f"/api/v1/assets/{vanished}/original")
    thumbnail = await api.client.get(f"/api/v1/assets/{vanished}/thumbnail")

    assert original.status_code == 404
    assert "the file is not on the disk at the moment, since 20" in original.json()["error"]
    assert (thumbnail.status_code, thumbnail.content) == (200, b"a thumbnail")


async def test_it_belongs_to_no_stack(api: Api, pool: Pool, repository: Repository, user: User) -> None:
    """Neither it nor what it belonged to shows the other, until it is back."""
    still, video = [await placed(pool, repository, user, JPEG + bytes([number])) for number in range(2)]
    for asset, role in ((still, "still"), (video, "motion")):
        await do(
            pool,
            f"insert into stack_keys (asset_id, owner_id, kind, key, role) "
            f"select asset_id, owner_id, 'live', 'key', '{role}' from assets where asset_id = '{asset}'",
        )
    assert (await detail(api, still))["live_video_id"] == str(video)

    await vanish(pool, video)

    assert ((await detail(api, still))["live_video_id"], (await detail(api, still))["stacks"]) == (None, [])
    assert (await detail(api, video))["stacks"] == []
    assert (await api.client.get(f"/api/v1/assets/{still}/motion")).status_code == 404


async def test_it_is_not_processed_again(api: Api, vanished: UUID) -> None:
    """There is nothing to read, so reading all again leaves it alone."""
    answer = await api.client.post("/api/v1/assets/reprocess", json={"scope": "all", "filter": {}})

    assert answer.json()["data"]["queued"] == 0


async def test_sending_it_again_brings_it_back(api: Api, pool: Pool, ingest: Ingest, vanished: UUID) -> None:
    """The same bytes are a file again, also under the name that was lost, so the asset is the same and is shown."""
    sent = await api.uploaded(name="p.jpg")
    await place_all(pool, ingest)

    assert sent["asset_id"] == str(vanished)
    assert await listed(api) == [str(vanished)]
    assert (await detail(api, vanished))["missing_since"] is None
    assert (await api.client.get(f"/api/v1/assets/{vanished}/original")).content == JPEG


async def test_what_lies_in_a_persons_own_folder_only_is_not_known_to_clients(
    api: Api, pool: Pool, repository: Repository, user: User, ingest: Ingest
) -> None:
    """A client sends it, and it gets a place of its own: tidying a folder cannot lose what was acknowledged."""
    asset = await placed(pool, repository, user, JPEG)
    await do(pool, "update file_records set path = 'Holidays/p.jpg'")

    before = await known(api, JPEG)
    sent = await api.uploaded()
    await place_all(pool, ingest)
    again = await api.uploaded()

    assert (before, sent["asset_id"], sent["status"]) == ([], str(asset), "processing")
    assert await known(api, JPEG) == [str(asset)]
    assert (again["asset_id"], again["status"]) == (str(asset), "duplicate")
    assert await ask(pool, "select count(*) from file_records where path like 'inbox/%' and state = 'present'") == [1]


async def test_what_lies_on_a_disk_that_is_only_read_is_not_known_either(
    api: Api, pool: Pool, repository: Repository, user: User
) -> None:
    """An inbox that somebody brought along on such a disk is not the server's to keep."""
    await placed(pool, repository, user, JPEG)
    await do(pool, "update repositories set private_root = '/private'")

    assert await known(api, JPEG) == []
