"""Signed addresses: they open what they name, to whoever has them, until they expire; and nothing else, ever."""

import asyncio
import os
import random
from datetime import datetime
from uuid import UUID, uuid4

import pytest
from blake3 import blake3

from common import at_hand
from common.db import Pool
from gateway import signing
from gateway.signing import Grant
from tests.support import thumbs
from tests.support.gateway import JPEG, SECRET, Api
from tests.support.given import Repository, User
from tests.support.rows import ask, do
from tests.support.thumbs import PICTURE

HOUR = 3600
OTHERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_=&/%."


@pytest.fixture
async def asset(api: Api, pool: Pool, repository: Repository) -> UUID:
    """An asset of anna's with a thumbnail."""
    sent = UUID((await api.uploaded(name="beach.jpg"))["asset_id"])
    await thumbs.keep(pool, repository, sent)
    return sent


async def signed(api: Api, asset: UUID, *variants: str) -> dict[str, str]:
    """Addresses of an asset, as its owner gets them."""
    answer = await api.client.post("/api/v1/assets/urls", json={"asset_ids": [str(asset)], "variants": variants})
    assert answer.status_code == 200, answer.text
    urls: dict[str, str] = answer.json()["data"]["urls"][str(asset)]
    return urls


def leave(api: Api) -> None:
    """Be nobody from here on."""
    del api.client.headers["Authorization"]


async def test_an_address_opens_what_it_names_to_anybody(api: Api, asset: UUID) -> None:
    """Thumbnails and originals come whole, to a stranger, for caches of everybody, and never longer than it counts."""
    urls = await signed(api, asset, "medium", "original")
    leave(api)

    thumbnail, original = [await api.client.get(urls[name]) for name in ("medium", "original")]

    assert (thumbnail.status_code, thumbnail.content) == (200, PICTURE)
    assert (original.status_code, original.content) == (200, JPEG)
    for answer in (thumbnail, original):
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert answer.headers["x-content-type-options"] == "nosniff"
        kept, age, _ = answer.headers["cache-control"].split(", ")
        assert kept == "public"
        assert 0 < int(age.removeprefix("max-age=")) <= HOUR
    assert thumbnail.headers["cache-control"].endswith("immutable")


async def test_addresses_stay_the_same_for_a_while(api: Api, asset: UUID, pool: Pool) -> None:
    """Asked twice, the addresses are equal, and they expire within an hour by the database's clock."""
    asked = {"asset_ids": [str(asset)], "variants": ["small", "medium"]}
    first, second = [(await api.client.post("/api/v1/assets/urls", json=asked)).json()["data"] for _ in range(2)]
    now = (await ask(pool, "select now()"))[0]

    assert first == second or first["expires_at"] != second["expires_at"]
    left = (datetime.fromisoformat(second["expires_at"]) - now).total_seconds()
    assert HOUR - signing.STEADY_SECONDS - 60 < left <= HOUR


async def test_the_door_and_the_api_answer_alike(api: Api, asset: UUID) -> None:
    """What the door answers from memory and what the API answers for a part of it have one tag and one content."""
    url = (await signed(api, asset, "medium"))["medium"]
    leave(api)

    whole, head = await api.client.get(url), await api.client.head(url)
    part = await api.client.get(url, headers={"Range": "bytes=4-9"})
    outside = await api.client.get(url, headers={"Range": "bytes=99999-"})
    same = [await api.client.get(url, headers={"If-None-Match": tag}) for tag in (whole.headers["etag"], '"other"')]

    assert whole.headers["etag"] == part.headers["etag"] == f'"{blake3(PICTURE).hexdigest()}"'
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(PICTURE)))
    assert (part.status_code, part.content, outside.status_code) == (206, PICTURE[4:10], 416)
    assert [answer.status_code for answer in same] == [304, 200]


async def test_two_hundred_changed_addresses_are_refused(api: Api, asset: UUID) -> None:
    """One letter more, less or other, anywhere in an address, and it opens nothing."""
    url = (await signed(api, asset, "medium"))["medium"]
    start, choose = url.index("/media/") + len("/media/"), random.Random(66)
    changed: set[str] = set()
    while len(changed) < 200:
        at = choose.randrange(start, len(url))
        how = choose.choice([url[at + 1 :], choose.choice(OTHERS) + url[at + 1 :], choose.choice(OTHERS) + url[at:]])
        changed.add(url[:at] + how)
    changed.discard(url)

    statuses = [await api.status(f"GET {one} HTTP/1.1\r\nHost: x\r\n\r\n".encode()) for one in sorted(changed)]

    assert len(statuses) >= 199
    assert set(statuses) <= {400, 403, 404}
    assert (await api.client.get(url)).status_code == 200


async def test_pieces_of_two_addresses_make_none(api: Api, asset: UUID, pool: Pool, repository: Repository) -> None:
    """Neither the variant, nor the asset, nor the time of one address fits the signature of another."""
    other = UUID((await api.uploaded(JPEG + b"2"))["asset_id"])
    await thumbs.keep(pool, repository, other)
    urls = await signed(api, asset, "medium", "original")
    foreign = (await signed(api, other, "medium"))["medium"]
    said, signature = urls["medium"].split("&signature=")

    mixed = [
        urls["medium"].replace("/medium?", "/original?"),
        urls["medium"].replace(str(asset), str(other)),
        f"{said}&signature={foreign.split('&signature=')[1]}",
        f"{said}&signature={signature.upper()}",
        f"{said}&signature={signature}&signature={signature}",
        f"{said}&until=9999999999&signature={signature}",
        said,
        f"/media/{asset}/medium",
        f"/media/{asset}/medium?signature={signature}",
    ]
    leave(api)

    assert {(await api.client.get(one)).status_code for one in mixed} == {403}


async def test_an_address_is_over_when_its_time_is(api: Api, asset: UUID, pool: Pool, user: User) -> None:
    """By the database's clock, to the second, for the door and for the API."""
    now = (await ask(pool, "select floor(extract(epoch from now()))::bigint"))[0]
    keys = signing.keys(SECRET)
    over, good = [
        signing.url(keys, Grant(str(asset), "original", signing.user(user.user_id), user.user_id, until))
        for until in (now, now + 60)
    ]
    leave(api)

    assert (await api.client.get(good)).status_code == 200
    assert (await api.client.get(over)).status_code == 403


async def test_only_what_one_may_see_is_signed(api: Api, asset: UUID, pool: Pool, user: User) -> None:
    """Unknown and foreign assets are left out alike, and nobody signs without a sign-in."""
    asked = {"asset_ids": [str(asset), str(uuid4())], "variants": ["medium"]}
    mine = (await api.client.post("/api/v1/assets/urls", json=asked)).json()["data"]["urls"]
    async with pool.connection() as conn:
        await conn.execute(
            """
            insert into users (username, email, password_hash)
            select 'berta', 'berta@localhost', password_hash from users where user_id = %s
            """,
            (user.user_id,),
        )
    await api.enter("berta")
    theirs = (await api.client.post("/api/v1/assets/urls", json=asked)).json()["data"]["urls"]
    leave(api)

    assert (list(mine), theirs) == ([str(asset)], {})
    assert (await api.client.post("/api/v1/assets/urls", json=asked)).status_code == 401


async def test_too_much_or_nonsense_is_not_signed(api: Api, asset: UUID) -> None:
    """Up to a thousand assets, known variants, nothing else in the body."""
    bodies = [
        {"asset_ids": [str(uuid4()) for _ in range(1001)], "variants": ["medium"]},
        {"asset_ids": [], "variants": ["medium"]},
        {"asset_ids": [str(asset)], "variants": []},
        {"asset_ids": [str(asset)], "variants": ["../original"]},
        {"asset_ids": [str(asset)], "variants": ["medium"], "until": 9999999999},
    ]

    statuses = [(await api.client.post("/api/v1/assets/urls", json=body)).status_code for body in bodies]

    assert statuses == [400] * len(bodies)


async def test_a_thumbnail_that_was_made_anew_is_found(
    api: Api, asset: UUID, pool: Pool, repository: Repository
) -> None:
    """An address names where a thumbnail lay; when it lies elsewhere or is damaged, the database knows better."""
    url = (await signed(api, asset, "medium"))["medium"]
    old = (await ask(pool, "select path from thumbnails"))[0]
    assert (await api.client.get(url)).content == PICTURE
    os.unlink(os.path.join(repository.root, old))
    await thumbs.keep(pool, repository, asset, content=PICTURE * 2, epoch=2)

    found = await api.client.get(url)
    with open(os.path.join(repository.root, (await ask(pool, "select path from thumbnails"))[0]), "wb"):
        pass
    damaged = await api.client.get(url)

    assert (found.status_code, found.content) == (200, PICTURE * 2)
    assert (damaged.status_code, damaged.json()["message"]) == (404, "not ready yet, try again")


async def test_paths_of_media_lead_nowhere(api: Api, asset: UUID) -> None:
    """Dots, separators and NUL, however they are written, are no media."""
    tricks = [
        *("..%2f..%2fetc/passwd", "..%252f..%252fetc%252fpasswd", "..%5c..%5cetc%5cpasswd", "..\\..\\etc\\passwd"),
        *("%00", f"{asset}%00/medium", f"{asset}/medium%00", f"{asset}/..%2fmedium", "%2e%2e/%2e%2e/etc/passwd"),
        *("", "..", f"{asset}", f"{asset}/", "%c0%ae%c0%ae/etc/passwd", "//etc/passwd"),
    ]

    for trick in tricks:
        answer = await api.raw(f"GET /media/{trick} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert answer.split(b" ", 2)[1] in {b"404", b"400"}, (trick, answer)
        assert b"root:" not in answer


def test_the_key_before_still_opens_and_no_other_does() -> None:
    """After a change of the secret old addresses count as long as it is named as the previous one."""
    old, new = "x" * 32, "y" * 32
    place = signing.Place(b"r" * 16, b"a.webp", 5, b"h" * 32)
    grant = Grant(str(uuid4()), "medium", signing.user(7), 7, 2_000_000_000, place)
    url = signing.url(signing.keys(old), grant).encode()

    assert signing.read(signing.keys(new, old), url, 1_999_999_000) == grant
    assert signing.url(signing.keys(new, old), grant) == signing.url(signing.keys(new), grant) != url.decode()
    with pytest.raises(Exception, match="not one that this server signed"):
        signing.read(signing.keys(new), url, 1_999_999_000)


async def test_what_the_door_reads_is_never_behind_a_link(tmp_path: str, asset: UUID, repository: Repository) -> None:
    """A link in place of a thumbnail, or of a folder above it, is no thumbnail; nor is a file of another size."""
    path = os.path.join(repository.root, b"plain")
    with open(path, "wb") as file:
        file.write(PICTURE)
    os.symlink(path, path + b".link")
    os.mkfifo(path + b".fifo")
    os.symlink(repository.root, os.path.join(os.path.dirname(repository.root), b"folder"))

    assert at_hand.read(path, size=len(PICTURE)) == PICTURE
    for other in (path + b".link", path + b".fifo", path + b".none", repository.root):
        assert at_hand.read(other, size=len(PICTURE)) is None
    assert at_hand.read(os.path.join(os.path.dirname(repository.root), b"folder/plain"), size=len(PICTURE)) is None
    assert at_hand.read(path, size=len(PICTURE) - 1) is None


async def test_a_thumbnail_by_token_is_the_owners_alone(
    api: Api, asset: UUID, pool: Pool, repository: Repository, user: User
) -> None:
    """However many ask at once, each gets what the token is for: nobody gets somebody else's, nor after signing out."""
    path = f"/api/v1/assets/{asset}/thumbnail?size=medium"
    mine = dict(api.client.headers)["authorization"]
    async with pool.connection() as conn:
        await conn.execute(
            """
            insert into users (username, email, password_hash)
            select 'berta', 'berta@localhost', password_hash from users where user_id = %s
            """,
            (user.user_id,),
        )
    theirs = f"Bearer {(await api.login('berta', user.password))['token']}"
    asked = [mine, theirs, f"{mine}x", "Bearer nothing"] * 10

    answers = await asyncio.gather(*(api.client.get(path, headers={"Authorization": one}) for one in asked))
    await do(pool, f"delete from sessions where user_id = {user.user_id}")
    after = await api.client.get(path, headers={"Authorization": mine})

    assert [answer.status_code for answer in answers] == [200, 404, 401, 401] * 10
    assert {answer.content for answer in answers[::4]} == {PICTURE}
    assert after.status_code == 401


async def test_an_address_that_names_the_content_never_changes(api: Api, asset: UUID) -> None:
    """The address that the API tells may be kept for a year; one of other content is looked at again."""
    told = (await api.client.get(f"/api/v1/assets/{asset}")).json()["data"]["thumbnails"][0]["url"]
    range_of = {"Range": "bytes=0-3"}

    kept = [await api.client.get(told, headers=headers) for headers in ({}, range_of)]
    old = await api.client.get(f"{told[:-16]}{'0' * 16}")

    assert {answer.headers["cache-control"] for answer in kept} == {"private, max-age=31536000, immutable"}
    assert old.headers["cache-control"] == "private, max-age=86400, must-revalidate"
    assert (kept[0].content, old.content, kept[1].content) == (PICTURE, PICTURE, PICTURE[:4])
