"""By which names the server is called, whom it believes about who asks, and what it always tells browsers."""

import re
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from litestar.routes import HTTPRoute

from common.db import Pool
from gateway import proxies
from gateway.contract import apart
from gateway.front import Names
from tests.support.gateway import Api, serving
from tests.support.given import Repository, User

HEALTH = "/api/v1/health"
FOREIGN = ["evil.example", "exampleXcom", "a host", "", "photos.example.com@evil.org", "photos.example.com.evil.org"]
SOME = {"int": "1", "uuid": str(uuid4()), "str": "x", "path": "x"}
HARMLESS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
}


@pytest.fixture
async def strict(pool: Pool, repository: Repository, user: User) -> AsyncIterator[Api]:
    """A gateway with names and a proxy."""
    names = Names(frozenset({"photos.example.com"}), at_home=False, trusted=proxies.read("127.0.0.0/8"))
    async with serving(pool, names=names, cors_origins=["https://pages.example"]) as served:
        yield served


async def test_at_home_every_name_of_a_home_is_right(api: Api) -> None:
    """Addresses and names of one's own network reach a server that was told no names; names of the world do not."""
    for name in ("localhost", "192.168.1.7:8080", "[::1]:8080", "nas", "NAS.local", "photos.fritz.home.arpa"):
        assert (await api.client.get(HEALTH, headers={"Host": name})).status_code == 200, name
    for name in ("evil.example", "photos.example.com"):
        answer = await api.client.get(HEALTH, headers={"Host": name})
        assert answer.status_code == 400
        assert "LUMILIO_ALLOWED_HOSTS" in answer.json()["error"]


async def test_only_listed_names_are_right(strict: Api) -> None:
    """A name is compared whole, whatever a proxy's header says; an address tells no lies, and is right."""
    for name in ("photos.example.com", "Photos.Example.com:443", "photos.example.com.", "127.0.0.1"):
        assert (await strict.client.get(HEALTH, headers={"Host": name})).status_code == 200, name
    for name in [*FOREIGN, "nas", "photosXexample.com"]:
        answer = await strict.raw(f"GET {HEALTH} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
        assert answer.split(b" ")[1] == b"400", name


@pytest.mark.parametrize("lines", ["", "Host: photos.example.com\r\nHost: evil.example\r\n"], ids=["none", "two"])
async def test_a_request_has_one_host(strict: Api, lines: str) -> None:
    """Without one, or with two, nobody knows what is meant."""
    answer = await strict.raw(f"GET {HEALTH} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode())

    assert answer.split(b" ")[1] == b"400"


async def test_nobody_but_a_listed_proxy_is_believed(api: Api, strict: Api, pool: Pool, user: User) -> None:
    """Who signed in from where is what the proxy says, and what the connection says where there is no proxy."""
    told = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7, 127.0.0.2", "X-Forwarded-Host": "photos.example.com"}
    body = {"username": user.username, "password": user.password}

    for served in (api, strict):
        assert (await served.client.post("/api/v1/auth/login", json=body, headers=told)).status_code == 200

    async with pool.connection() as conn:
        cursor = await conn.execute("select address from sessions order by created_at")
        assert [row[0] for row in await cursor.fetchall()] == ["127.0.0.1", "127.0.0.1", "198.51.100.7"]


async def test_a_foreign_page_reads_nothing_unless_it_is_listed(strict: Api) -> None:
    """Origins are configured one by one, and compared whole."""
    good, bad = [
        await strict.client.get(HEALTH, headers={"Origin": origin})
        for origin in ("https://pages.example", "https://pages.example.evil.org")
    ]

    assert good.headers["access-control-allow-origin"] == "https://pages.example"
    assert "access-control-allow-origin" not in bad.headers


async def test_every_answer_is_harmless(api: Api) -> None:
    """Whatever route is asked, with and without a sign-in, and what is no route or no request at all."""
    routes = {
        (str(method), re.sub(r"{\w+:(\w+)}", lambda found: SOME[found[1]], route.path))
        for route in apart.build().routes
        if isinstance(route, HTTPRoute)
        for method in route.methods
    }
    asked = [*routes, ("GET", "/nothing"), ("PUT", "/"), ("GET", "/media/x/y")]
    token = api.client.headers.pop("Authorization")

    for headers in ({}, {"Authorization": token}):
        for method, path in sorted(asked):
            answer = await api.client.request(method, path, headers=headers)
            assert HARMLESS.items() <= dict(answer.headers).items(), (method, path)
            assert "content-security-policy" in answer.headers, (method, path)
    nonsense = await api.raw(b"nonsense\r\n\r\n")
    assert b"x-content-type-options: nosniff" in nonsense
    assert b"server:" not in nonsense.lower()
