"""Who gets what: nothing without a sign-in, nothing of somebody else's, and no internals in any answer."""

import asyncio
import base64
import hashlib
import re
import time
from uuid import UUID, uuid4

import psycopg
import pytest
from litestar.routes import HTTPRoute

from common import db, passwords
from common.db import Pool
from gateway.contract import apart
from tests.support.gateway import Api, serving
from tests.support.given import User

PUBLIC = {
    ("GET", "/"),
    ("GET", "/api/v1/downloads/{ticket:str}"),
    ("HEAD", "/api/v1/downloads/{ticket:str}"),
    ("GET", "/api/v1/health"),
    ("GET", "/api/v1/server"),
    ("GET", "/api/v1/health/ready"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/api/openapi.json"),
    ("GET", "/api/docs"),
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/register"),
    ("POST", "/api/v1/auth/reset"),
    ("POST", "/api/v1/auth/refresh"),
    ("POST", "/api/v1/auth/logout"),
    ("GET", "/media/{asset_id:uuid}/{variant:str}"),
    ("HEAD", "/media/{asset_id:uuid}/{variant:str}"),
    ("GET", "/s/{token:str}"),
    ("POST", "/s/{token:str}"),
    ("POST", "/s/{token:str}/download"),
    ("GET", "/api/v1/shared/{token:str}/download"),
    ("HEAD", "/api/v1/shared/{token:str}/download"),
    ("POST", "/api/v1/shared/{token:str}/open"),
    ("GET", "/api/v1/shared/{token:str}"),
    ("GET", "/api/v1/shared/{token:str}/assets"),
    ("GET", "/api/v1/shared/{token:str}/assets/{asset_id:uuid}"),
}
LOGIN = "/api/v1/auth/login"


@pytest.fixture
async def foreign(api: Api, pool: Pool, user: User) -> UUID:
    """An asset of anna's; the client is somebody else from here on."""
    asset = (await api.uploaded())["asset_id"]
    async with pool.connection() as conn:
        await conn.execute(
            "insert into users (username, email, password_hash) values ('berta', 'berta@localhost', %s)",
            (passwords.hashed(user.password),),
        )
    await api.login("berta", user.password)
    return UUID(asset)


async def test_every_route_but_the_public_ones_needs_a_sign_in(api: Api, pool: Pool) -> None:
    """Without a token each route of the app answers 401 in the envelope; no route can be added past this."""
    asked = routes() - PUBLIC
    assert len(asked) >= 9

    del api.client.headers["Authorization"]
    for method, path in asked:
        answer = await api.client.request(method, filled(path, uuid4()))
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), path
        assert method == "HEAD" or answer.json()["code"] == 401
    assert routes() >= PUBLIC


async def test_nobody_uploads_for_somebody_else(api: Api, pool: Pool, user: User, foreign: UUID) -> None:
    """An `owner_id` is ignored wherever it is said, and the upload of somebody else does not exist."""
    fields = {"owner_id": str(user.user_id), "user_id": str(user.user_id)}
    sent = (await api.upload(b"\xff\xd8\xff hers", fields=fields, headers={"X-Owner-Id": fields["owner_id"]})).json()

    async with pool.connection() as conn:
        cursor = await conn.execute(
            "select upload_id, owner_id, asset_id from uploads order by upload_id",
        )
        (theirs, anna, asset), (_, owner, _) = await cursor.fetchall()

    assert (anna, asset) == (user.user_id, foreign)
    assert owner != user.user_id
    assert (await api.client.get(f"/api/v1/assets/uploads/{sent['data']['task_id']}")).status_code == 200
    assert (await api.client.get(f"/api/v1/assets/uploads/{theirs}")).status_code == 404


async def test_the_same_content_of_two_owners_is_two_assets(api: Api, foreign: UUID) -> None:
    """Nobody learns from an upload what others have."""
    mine = await api.uploaded()

    assert (mine["status"], mine["asset_id"] == str(foreign)) == ("processing", False)


async def test_paths_do_not_lead_out(api: Api) -> None:
    """Dots, separators, NUL and double encodings in a path are just paths that do not exist."""
    asset = (await api.uploaded())["asset_id"]
    tricks = [
        "/api/v1/assets/..%2f..%2f..%2fetc/passwd",
        "/api/v1/assets/%2e%2e/%2e%2e/etc/passwd",
        f"/api/v1/assets/{asset}/..%2foriginal%00",
        f"/api/v1/assets/{asset}/original/..%252f..%252fetc%252fpasswd",
        f"/api/v1/assets/{asset}%00/original",
        f"/api/v1/assets/{asset}%5c..%5coriginal",
        "/api/v1/assets/%c0%ae%c0%ae/original",
        "/etc/passwd",
        "/.lumiliorepo",
    ]
    for trick in tricks:
        answer = await api.raw(f"GET {trick} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        status = answer.split(b" ", 2)[1]
        assert status in {b"404", b"401"}, trick
        assert b"root:" not in answer


async def test_hostile_json_is_refused_at_once(api: Api) -> None:
    """What is not a small, flat, valid body is answered with 400 or 413, and fast."""
    bodies = {
        "deep": b'{"username": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        "deep elsewhere": b'{"more": ' + b"[" * 100_000,
        "not a number": b'{"username": 1e400, "password": "x"}',
        "not UTF-8": b'{"username": "\xff\xfe", "password": "x"}',
        "half a letter": b'{"username": "\\ud800", "password": "x"}',
        "a NUL": b'{"username": "a\\u0000b", "password": "x"}',
        "huge": b'{"username": "' + b"x" * 5_000_000 + b'", "password": "x"}',
        "long": b'{"username": "' + b"x" * 300 + b'", "password": "x"}',
        "another type": b'{"username": ["anna"], "password": {}}',
        "a part": b'{"username": "anna"}',
        "a list": b"[]",
        "nothing": b"",
    }
    for kind, body in bodies.items():
        started = time.monotonic()
        answer = await api.client.post(LOGIN, content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) in {(400, 400), (413, 413)}, kind
        assert time.monotonic() - started < 10, kind


async def test_every_failure_has_the_envelope(api: Api) -> None:
    """Errors of the framework and of our own look the same: code, message, error."""
    answers = [
        await api.client.get("/api/v1/nothing"),
        await api.client.delete("/api/v1/assets"),
        await api.client.get("/api/v1/assets?limit=many"),
        await api.client.get(f"/api/v1/assets/{uuid4()}"),
        await api.client.get("/api/v1/assets/not-an-id"),
        await api.client.post(LOGIN, json={}),
        await api.client.get("/api/v1/health", headers={"Host": "a host"}),
    ]

    assert [answer.status_code for answer in answers] == [404, 405, 400, 404, 404, 400, 400]
    for answer in answers:
        assert set(answer.json()) == {"code", "message", "error"}
        assert answer.json()["code"] == answer.status_code
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_what_is_wrong_with_a_body_is_said_whatever_its_fields_are_called(api: Api, pool: Pool) -> None:
    """A field called like a part of ours is the sender's all the same; a filter that means nothing is refused."""
    async with pool.connection() as conn:
        await conn.execute("update users set is_admin = true")

    wrong = await api.client.put(f"/api/v1/repositories/{uuid4()}/owner", json={"owner": None})
    half = await api.client.post("/api/v1/assets/filter", json={"filter": {"folder": "2024"}})

    assert (wrong.status_code, wrong.json()["error"]) == (400, "owner: send text, not null")
    assert (half.status_code, "say `repository_id` as well" in half.json()["error"]) == (400, True)


async def test_what_is_missing_or_wrong_is_called_by_its_outside_name(api: Api) -> None:
    """Nobody looks for a parameter that no description knows."""
    asked = [
        api.client.post("/api/v1/assets/precheck"),
        api.client.get("/api/v1/assets/uploads", params={"state": "odd"}),
        api.client.get("/api/v1/stages", params={"all": "odd"}),
        api.client.post("/api/v1/assets/precheck", json=[]),
    ]

    told = [answer.json()["error"].split(":")[0] for answer in await asyncio.gather(*asked)]

    assert told == ["the request has no body", "state", "all", "body"]


async def test_every_answer_carries_the_security_headers(api: Api) -> None:
    """Pages, data and errors say what a browser may do with them."""
    for path in ("/", "/api/v1/health", "/api/v1/assets", "/nothing"):
        answer = await api.client.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["cache-control"] == "no-store"


async def test_the_page_for_people_loads_nothing(api: Api) -> None:
    """A browser shows a page that needs no other server and no script."""
    answer = await api.client.get("/")

    assert answer.headers["content-type"].startswith("text/html")
    assert "<script" not in answer.text
    assert "http" not in answer.text.replace('href="/', "")
    assert "/api/openapi.json" in answer.text


async def test_the_documentation_loads_nothing_from_elsewhere(api: Api) -> None:
    """A browser shows it without internet, and runs no script in it but its own."""
    answer = await api.client.get("/api/docs")
    policy = answer.headers["content-security-policy"]

    assert "http" not in answer.text.replace("http-equiv", "")
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'")
    assert "img-src blob:; media-src blob:" in policy
    for tag in ("script", "style"):
        part = re.search(rf"<{tag}>(.*?)</{tag}>", answer.text, re.DOTALL)
        assert part is not None
        digest = base64.b64encode(hashlib.sha256(part[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", answer.text)


async def test_the_description_names_every_route(api: Api, pool: Pool) -> None:
    """The OpenAPI document is complete and says which routes need a token."""
    described = (await api.client.get("/api/v1/openapi.json")).json()["paths"]

    pages = {route for route in PUBLIC if route[1] in {"/", "/api/docs"} or route[1].startswith("/s/")}
    for method, path in {route for route in routes() if "openapi" not in route[1]} - pages:
        operation = described[re.sub(r":\w+}", "}", path)][method.lower()]
        assert bool(operation["security"]) == ((method, path) not in PUBLIC), path


async def test_a_database_that_is_away_is_an_outage(user: User, database_url: str) -> None:
    """While the database does not answer, clients are asked to come back, and learn nothing else."""
    async with db.open_pool(database_url) as pool, serving(pool) as api:
        await api.login(user.username, user.password)
        name = psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]
        with psycopg.connect(database_url, dbname="postgres", autocommit=True) as admin:
            admin.execute(f'alter database "{name}" with allow_connections false'.encode())
            admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,))
            pool.timeout = 0.5

            answer = await api.client.get("/api/v1/assets")
            ready = await api.client.get("/api/v1/health/ready")
            alive = await api.client.get("/api/v1/health")

            admin.execute(f'alter database "{name}" with allow_connections true'.encode())

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json() == {"code": 503, "message": AWAY, "error": AWAY}
    assert (ready.status_code, alive.status_code) == (503, 200)


async def test_each_request_is_told_in_one_line(api: Api, capfd: pytest.CaptureFixture[str]) -> None:
    """The log says what was asked and what came of it, and never a token or a query."""
    capfd.readouterr()
    await api.client.get("/api/v1/assets?after=secretcursor")
    await api.client.get(f"/api/v1/assets/{uuid4()}?x=secretcursor")

    await asyncio.sleep(0)
    out, err = capfd.readouterr()
    lines = [line for line in (out + err).splitlines() if "request answered" in line]
    assert len(lines) == 2
    assert "/api/v1/assets/{asset_id" in lines[1]
    assert "secretcursor" not in out + err
    assert api.client.headers["Authorization"].removeprefix("Bearer ") not in out + err


AWAY = "the database does not answer"


def routes() -> set[tuple[str, str]]:
    """Every method and path of the app, but for the automatic OPTIONS."""
    known = [route for route in apart.build().routes if isinstance(route, HTTPRoute)]
    found = {(str(method), route.path) for route in known for method in route.methods}
    return {(method, path) for method, path in found if method != "OPTIONS"}


def filled(path: str, asset: UUID) -> str:
    return re.sub(r"{\w+:int}", "1", re.sub(r"{\w+:uuid}", str(asset), path))
