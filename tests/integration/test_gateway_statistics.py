"""A library's numbers are those of its rows, and nobody hears another's."""

from typing import Any

from common.db import Pool
from gateway.queries import statistics as queries
from ingest import counting
from tests.support.costs import counted
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.rows import ask, do

MANY = """
    insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename, taken_at, camera, lens,
                        latitude, longitude)
    select {owner}, sha256(({owner} || ' ' || n)::bytea), 10, case n % 4 when 0 then 'video' else 'photo' end,
           'image/jpeg', 'x', timestamp '2019-12-30' + n * interval '12 hours',
           case when n % 2 = 0 then 'X100' when n % 3 = 0 then 'EOS' end, 'EF', case when n < 3 then 1 end,
           case when n < 3 then 1 end
    from generate_series(0, {count} - 1) n
"""


async def get(api: Api, what: str = "", **params: Any) -> dict[str, Any]:
    answer = await api.client.get(f"/api/v1/statistics{what}", params=params)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def bert(pool: Pool) -> int:
    await do(pool, "insert into users (username, email, password_hash) values ('bert', 'bert@localhost', 'x')")
    found: int = (await ask(pool, "select user_id from users where username = 'bert'"))[0]
    return found


async def test_a_library_in_numbers(api: Api, pool: Pool, repository: Repository, user: User) -> None:
    """By kind, year, camera and place; what is hidden takes room and is told apart; before and after it is added up."""
    await do(pool, MANY.format(owner=user.user_id, count=8))
    await do(pool, MANY.format(owner=await bert(pool), count=5))
    await do(pool, f"update assets set trashed_at = now() where camera = 'EOS' and owner_id = {user.user_id}")
    await do(
        pool,
        f"""
        insert into uploads (owner_id, repository_id, asset_id, staged_name, file_name, size, state)
        select owner_id, '{repository.repository_id}', asset_id, asset_id::text, 'x', 10, 'duplicate'
        from assets
        where owner_id = {user.user_id}
        limit 3
        """,
    )
    await do(pool, f"update users set quota_bytes = 1000 where user_id = {user.user_id}")

    for _ in range(2):
        assert await get(api, top=1) == {
            "shown": 7,
            "kinds": [
                {"type": "PHOTO", "shown": 5, "files": 6, "bytes": 60},
                {"type": "VIDEO", "shown": 2, "files": 2, "bytes": 20},
            ],
            "years": [
                {"year": 2020, "shown": 4, "files": 4, "bytes": 40},
                {"year": 2019, "shown": 3, "files": 4, "bytes": 40},
            ],
            "cameras": [{"name": "X100", "count": 4}],
            "lenses": [{"name": "EF", "count": 7}],
            "places": {"located": 3, "unlocated": 4},
            "put": {"trashed": 1, "archived": 0, "missing": 0},
            "duplicates": {"count": 3, "bytes": 30},
            "storage": {"bytes": 80, "files": 8, "quota_bytes": 1000, "quota_files": None},
        }
        await counting.add_up(pool)


async def test_an_empty_library_has_numbers_too(api: Api) -> None:
    """All of them are nothing."""
    data = await get(api)

    assert (data["shown"], data["kinds"], data["storage"]["bytes"]) == (0, [], 0)


async def test_administrators_see_how_much_each_has(api: Api, pool: Pool, user: User) -> None:
    """And nobody else does."""
    other = await bert(pool)
    await do(pool, MANY.format(owner=other, count=5))

    assert (await api.client.get("/api/v1/statistics/server")).status_code == 403
    await do(pool, f"update users set is_admin = true where user_id = {user.user_id}")
    first = await get(api, "/server", limit=1)
    second = await get(api, "/server", limit=1, after=first["next"])

    assert [(one["username"], one["files"]) for one in first["users"]] == [("anna", 0)]
    assert second["users"] == [
        {
            "user_id": other,
            "username": "bert",
            "is_active": True,
            "shown": 5,
            "files": 5,
            "bytes": 50,
            "quota_bytes": None,
            "quota_files": None,
        }
    ]


async def test_totals_come_from_counts(pool: Pool, user: User) -> None:
    """No asset is looked at for them."""
    await do(pool, MANY.format(owner=user.user_id, count=5000))
    await counting.add_up(pool)

    async with counted(pool) as (conn, cost):
        totals = await queries.list_totals(conn, owner=user.user_id)
        users = await queries.list_users(conn, after=0, limit=10)

    assert sum(total.files for total in totals) == users[0].files == 5000
    assert cost.rows <= 2 * 2 * 100
