"""Cookies for pages: they sign in a page of this server's own, and are worth nothing to a page of anybody else."""

from uuid import UUID

import pytest

from common.db import Pool
from tests.support import thumbs
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.thumbs import PICTURE

ACCESS, REFRESH = "__Host-lumilio", "__Host-lumilio-refresh"
LOGIN, RENEW, LOGOUT = (f"/api/v1/auth/{name}?carrier=cookie" for name in ("login", "refresh", "logout"))
EVIL = {"Origin": "https://evil.example"}
FOREIGN = {
    "a form": ("POST", EVIL),
    "a form without an origin": ("POST", {"Sec-Fetch-Site": "cross-site"}),
    "nobody knows who": ("POST", {}),
    "an origin of nobody": ("POST", {"Origin": "null"}),
    "a sister's page": ("DELETE", {"Sec-Fetch-Site": "same-site"}),
    "a fetch": ("GET", {**EVIL, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}),
    "an image": ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}),
    "a frame": ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}),
    "a socket": ("GET", {**EVIL, "Connection": "Upgrade", "Upgrade": "websocket"}),
    "a socket without an origin": ("GET", {"Connection": "Upgrade", "Upgrade": "websocket"}),
}


@pytest.fixture
def own(api: Api) -> dict[str, str]:
    """What a browser says of a page of this server's own."""
    return {"Origin": f"http://127.0.0.1:{api.port}"}


@pytest.fixture
async def cookies(api: Api, user: User, own: dict[str, str]) -> dict[str, str]:
    """What a browser has and sends after it signed in."""
    del api.client.headers["Authorization"]
    answer = await api.client.post(LOGIN, json={"username": user.username, "password": user.password}, headers=own)
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"].keys() == {"user", "expiresAt"}
    return kept(answer.headers.get_list("set-cookie"))


def kept(lines: list[str]) -> dict[str, str]:
    for line in lines:
        assert {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"} <= set(line.split("; "))
    return {"Cookie": "; ".join(line.partition(";")[0] for line in lines)}


async def test_a_page_goes_on_with_its_cookies_alone(
    api: Api, cookies: dict[str, str], own: dict[str, str], pool: Pool, repository: Repository
) -> None:
    """It reads, sends, shows pictures, renews its cookies, and signs out, without ever seeing a token."""
    files = {"file": ("a.jpg", b"\xff\xd8\xff\xe0" + bytes(5000))}
    sent = await api.client.post("/api/v1/assets", files=files, headers=cookies | own)
    asset = sent.json()["data"]["asset_id"]
    await thumbs.keep(pool, repository, UUID(asset))
    picture = await api.client.get(f"/api/v1/assets/{asset}/thumbnail", headers=cookies)
    renewed = await api.client.post(RENEW, headers=cookies | own)
    newer = kept(renewed.headers.get_list("set-cookie"))
    me = await api.client.get("/api/v1/auth/me", headers=newer | {"Sec-Fetch-Site": "same-origin"})
    out = await api.client.post(LOGOUT, headers=newer | own)
    after = await api.client.get("/api/v1/auth/me", headers=newer)

    assert (sent.status_code, picture.content, renewed.status_code, me.status_code) == (200, PICTURE, 200, 200)
    assert (out.status_code, after.status_code) == (200, 401)
    assert kept(out.headers.get_list("set-cookie")) == {"Cookie": f"{ACCESS}=; {REFRESH}="}


@pytest.mark.parametrize(("method", "headers"), FOREIGN.values(), ids=FOREIGN)
async def test_another_site_gets_nothing_by_cookies(
    api: Api, cookies: dict[str, str], method: str, headers: dict[str, str]
) -> None:
    """Whatever it makes a browser send is refused, for whichever route; without cookies it is nobody's request."""
    for path in ("/api/v1/auth/me", "/api/v1/assets", RENEW):
        assert (await api.client.request(method, path, headers=cookies | headers)).status_code == 403
    assert (await api.client.request(method, "/api/v1/auth/me", headers=headers)).status_code in {401, 405}


async def test_a_token_is_never_replaced_by_a_cookie(api: Api, cookies: dict[str, str]) -> None:
    """Whoever sends Authorization is who that says, or nobody; and a visit from another site's link is one of ours."""
    visit = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}

    wrong = await api.client.get("/api/v1/auth/me", headers=cookies | {"Authorization": "Bearer nothing"})
    empty = await api.client.get("/api/v1/auth/me", headers=cookies | {"Authorization": ""})
    visited = await api.client.get("/api/v1/auth/me", headers=cookies | visit)

    assert (wrong.status_code, empty.status_code, visited.status_code) == (401, 401, 200)
