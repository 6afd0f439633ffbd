"""Albums, as tests make them and look at them."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import httpx

from common import passwords
from common.db import Pool
from gateway.queries.album_assets import ROOM
from tests.support import given, placing
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.rows import do

ALBUMS = "/api/v1/albums"
ASSETS = """
    insert into assets (asset_id, owner_id, content_hash, size, kind, mime_type, original_filename, taken_at)
    select gen_random_uuid(), (select user_id from users), sha256(number::text::bytea), 1, 'photo', 'image/jpeg',
           number || '.jpg', '2000-01-01'::timestamp + number * interval '1 hour'
    from generate_series(1, {}) number
"""
ENTRIES = f"""
    insert into album_assets (album_id, asset_id, position)
    select (select album_id from albums), asset_id, row_number() over (order by taken_at) * {ROOM}
    from assets
"""


async def assets_of(pool: Pool, repository: Repository, user: User, count: int, *, start: int = 0) -> list[str]:
    """So many assets of this user."""
    return [str(await placing.new_asset(pool, repository, user, number)) for number in range(start, start + count)]


async def another(pool: Pool, username: str, like: User) -> User:
    """Another person, with the same password."""
    return await given.new_user(pool, username, like.password, password_hash=passwords.hashed(like.password))


async def created(api: Api, name: str = "Summer", **said: Any) -> int:
    """A new album; returns its id."""
    found: int = data(await api.client.post(ALBUMS, json={"album_name": name, **said}))["album_id"]
    return found


async def filled(api: Api, assets: Iterable[str | UUID], name: str = "Summer") -> int:
    """A new album with these assets in it."""
    album = await created(api, name)
    data(await api.client.post(f"{ALBUMS}/{album}/assets", json={"asset_ids": [str(asset) for asset in assets]}))
    return album


async def fill(pool: Pool, count: int = 50_000) -> None:
    """So many assets in the only album of the only user, without what else follows from an asset."""
    await do(pool, "alter table assets disable trigger user")
    await do(pool, ASSETS.format(count))
    await do(pool, "alter table assets enable trigger user")
    await do(pool, ENTRIES)


async def album(api: Api, album_id: int) -> dict[str, Any]:
    """An album as the client sees it."""
    found: dict[str, Any] = data(await api.client.get(f"{ALBUMS}/{album_id}"))
    return found


async def listed(api: Api, album_id: int, **asked: str | int) -> list[str]:
    """The assets of an album's page, in their order."""
    answer = await api.client.get(f"{ALBUMS}/{album_id}/assets", params=asked)
    return [asset["asset_id"] for asset in data(answer)["assets"]]


async def shared(api: Api, album_id: int, user: User, role: str = "viewer") -> None:
    """Share an album of the client's with somebody."""
    data(await api.client.post(f"{ALBUMS}/{album_id}/members", json={"username": user.username, "role": role}))


def data(answer: httpx.Response) -> Any:
    """What a good answer says."""
    assert answer.status_code == 200, answer.text
    return answer.json().get("data")
