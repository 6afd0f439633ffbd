"""Folders are told to those whose assets lie in them, whatever they are called and however many there are."""

from typing import Any
from urllib.parse import unquote_to_bytes
from uuid import UUID

import pytest

from common.db import Pool
from gateway.queries import folders as queries
from tests.support.costs import counted
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.rows import ask, do

FILES = [
    b"top.jpg",
    b"2019/a.jpg",
    b"2019/b.jpg",
    b"2019/trip/c.jpg",
    b"2019/trip/day 1/d.jpg",
    b"2019-05/e.jpg",
    b"2019 old/f.jpg",
    b"caf\xe9/g.jpg",
    "日本/h.jpg".encode(),
]


async def put(pool: Pool, repository: Repository, user: User, path: bytes, *, asset: UUID | None = None) -> UUID:
    """A file of an asset of this user, of a new one unless it is named."""
    async with pool.connection() as conn:
        cursor = await conn.execute(
            """
            with made as (
                insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename)
                select %(owner)s, sha256(%(path)s), 1, 'photo', 'image/jpeg', 'x.jpg'
                where %(asset)s::uuid is null
                returning asset_id
            )
            select asset_id from made
            """,
            {"owner": user.user_id, "path": path, "asset": asset},
        )
        asset_id: UUID = asset or (await cursor.fetchall())[0][0]
        await conn.execute(
            """
            insert into file_records (repository_id, path, asset_id, size, modified_ns, inode)
            values (%s, %s, %s, 1, 0, 0)
            """,
            (repository.repository_id, path, asset_id),
        )
        return asset_id


@pytest.fixture
async def library(pool: Pool, repository: Repository, user: User) -> dict[bytes, UUID]:
    """Some files in folders, each of an asset of its own."""
    return {path: await put(pool, repository, user, path) for path in FILES}


async def bert(pool: Pool) -> User:
    await do(pool, "insert into users (username, email, password_hash) values ('bert', 'bert@localhost', 'x')")
    return User((await ask(pool, "select user_id from users where username = 'bert'"))[0], "bert", "")


async def get(api: Api, repository: Repository, what: str = "", *, status: int = 200, **params: Any) -> dict[str, Any]:
    params = {"repository_id": str(repository.repository_id), **params}
    answer = await api.client.get(f"/api/v1/folders{what}", params=params)
    assert answer.status_code == status, answer.text
    data: dict[str, Any] = answer.json().get("data", {})
    return data


async def test_folders_are_told_with_all_that_is_below(
    api: Api, repository: Repository, library: dict[bytes, UUID]
) -> None:
    """Those whose names begin alike are no part of each other; names that are no text are shown, and found again."""
    root = await get(api, repository)

    told = {unquote_to_bytes(folder["path_encoded"]): folder["count"] for folder in root["folders"]}
    assert told == {b"2019 old": 1, b"2019-05": 1, b"2019": 4, b"caf\xe9": 1, "日本".encode(): 1}
    assert [folder["name"] for folder in root["folders"]] == ["2019 old", "2019-05", "2019", "caf\\xe9", "日本"]
    inside = await get(api, repository, path="2019")
    assert [(folder["path"], folder["count"]) for folder in inside["folders"]] == [("2019/trip", 2)]
    odd = await get(api, repository, "/assets", path_encoded="caf%E9")
    assert [asset["asset_id"] for asset in odd["assets"]] == [str(library[b"caf\xe9/g.jpg"])]


async def test_the_assets_in_a_folder_are_those_not_below_it(
    api: Api, repository: Repository, library: dict[bytes, UUID]
) -> None:
    """Page by page, by the names of their files."""
    first = await get(api, repository, "/assets", path="2019/", limit=1)
    second = await get(api, repository, "/assets", path="2019", limit=1, after=first["next"])
    third = await get(api, repository, "/assets", path="2019", limit=1, after=second["next"])
    top = await get(api, repository, "/assets")

    found = [asset["asset_id"] for page in (first, second, third, top) for asset in page["assets"]]
    assert found == [str(library[path]) for path in (b"2019/a.jpg", b"2019/b.jpg", b"top.jpg")]


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_pages_of_folders_have_each_once(
    api: Api, repository: Repository, library: dict[bytes, UUID], limit: int
) -> None:
    """Following `next` gives all of them in their order."""
    names: list[str] = []
    page = await get(api, repository, limit=limit)
    while True:
        names += [folder["name"] for folder in page["folders"]]
        if "next" not in page:
            break
        page = await get(api, repository, limit=limit, after=page["next"])

    assert names == ["2019 old", "2019-05", "2019", "caf\\xe9", "日本"]


async def test_hidden_assets_count_nowhere(
    api: Api, pool: Pool, repository: Repository, library: dict[bytes, UUID]
) -> None:
    """Nor are they covers; a folder with nothing else does not exist, and is back with the first that is."""
    hidden = [library[path] for path in (b"2019/trip/c.jpg", b"2019-05/e.jpg")]
    await do(pool, f"update assets set trashed_at = now() where asset_id in ('{hidden[0]}', '{hidden[1]}')")

    root = await get(api, repository)
    inside = await get(api, repository, path="2019")

    assert [(folder["name"], folder["count"]) for folder in root["folders"]][:2] == [("2019 old", 1), ("2019", 3)]
    assert inside["folders"][0]["cover_asset_id"] == str(library[b"2019/trip/day 1/d.jpg"])
    await get(api, repository, path="2019-05", status=404)
    await do(pool, "update assets set trashed_at = null")
    await get(api, repository, path="2019-05")


async def test_foreign_folders_do_not_exist(
    api: Api, pool: Pool, repository: Repository, library: dict[bytes, UUID]
) -> None:
    """Of a folder that two have files in each sees their own; another's answers as one that is not there."""
    other = await bert(pool)
    await put(pool, repository, other, b"2019/bert.jpg")
    await put(pool, repository, other, b"private/secret.jpg")

    root = await get(api, repository)
    await get(api, repository, path="private", status=404)
    await get(api, repository, "/assets", path="nowhere", status=404)

    assert {folder["name"]: folder["count"] for folder in root["folders"]}["2019"] == 4
    assert "private" not in {folder["name"] for folder in root["folders"]}
    assert len((await get(api, repository, "/assets", path="2019"))["assets"]) == 2


async def test_folders_follow_files(api: Api, pool: Pool, repository: Repository, library: dict[bytes, UUID]) -> None:
    """A file that moves, is missing, becomes another asset's, or whose asset is given away or goes for good."""
    other = await bert(pool)
    steps: dict[str, dict[str, int | None]] = {
        "update file_records set path = 'new/a.jpg' where path = '2019/a.jpg'": {"new": 1, "2019": 3},
        "update file_records set state = 'missing' where path = '2019/b.jpg'": {"2019": 2},
        f"update assets set owner_id = {other.user_id} where asset_id = '{library[b'2019/a.jpg']}'": {"new": None},
        f"delete from assets where asset_id = '{library[b'2019-05/e.jpg']}'": {"2019-05": None},
        f"update file_records set asset_id = '{library[b'top.jpg']}' where path = 'new/a.jpg'": {"new": 1},
    }

    for step, wanted in steps.items():
        await do(pool, step)
        told = {folder["name"]: folder["count"] for folder in (await get(api, repository))["folders"]}
        assert {name: told.get(name) for name in wanted} == wanted, step


@pytest.mark.parametrize(
    "params",
    [{"path": "a", "path_encoded": "b"}, {"limit": 101}, {"limit": 0}, {"after": "x"}, {"repository_id": "x"}],
)
async def test_nonsense_is_refused(
    api: Api, repository: Repository, library: dict[bytes, UUID], params: dict[str, Any]
) -> None:
    """In words."""
    await get(api, repository, status=400, **params)


async def test_a_page_of_another_folder_is_refused(
    api: Api, repository: Repository, library: dict[bytes, UUID]
) -> None:
    """What came with one folder says nothing about another one."""
    page = await get(api, repository, limit=1)

    await get(api, repository, status=400, path="2019", after=page["next"])


async def test_a_page_costs_no_more_in_a_large_library(pool: Pool, repository: Repository, user: User) -> None:
    """Neither thousands of files beside, nor thousands of folders behind are read for it."""
    await do(
        pool,
        f"""
        with made as (
            insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename)
            select {user.user_id}, sha256(n::text::bytea), 1, 'photo', 'image/jpeg', 'x.jpg'
            from generate_series(1, 20000) n
            returning asset_id
        )
        insert into file_records (repository_id, path, asset_id, size, modified_ns, inode)
        select '{repository.repository_id}',
               convert_to(case when n % 2 = 0 then 'all/' || n || '.jpg' else 'many/' || n || '/x.jpg' end, 'UTF8'),
               asset_id, 1, 0, 0
        from (select asset_id, row_number() over () as n from made) numbered
        """,
    )
    await do(pool, "analyze assets, file_records")

    async with counted(pool) as (conn, folders):
        found = await queries.list_folders(
            conn, repository.repository_id, b"many/", owner=user.user_id, after=None, limit=20
        )
    async with counted(pool) as (conn, files):
        inside = await queries.list_files(
            conn, repository.repository_id, b"all/", owner=user.user_id, after=b"all/3", limit=20
        )

    assert [folder.count for folder in found] == [1] * 20
    assert len(inside) == 20
    assert folders.rows <= 5 * 20
    assert files.rows <= 3 * 20
