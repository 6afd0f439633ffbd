"""Downloads: one plain link gives one whole archive, of what may still be seen, however large, in constant memory."""

import asyncio
import io
import os
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest

from common import passwords
from common.db import Pool
from gateway.downloads import Limits
from tests.support.gateway import JPEG, Api, serving, staged
from tests.support.given import Repository, User, new_user
from tests.support.rows import do
from tests.support.waiting import until

DOWNLOADS = "/api/v1/downloads"
MIB = 1 << 20


@pytest.fixture
async def berta(pool: Pool, user: User) -> User:
    """Somebody else, with the same password."""
    return await new_user(pool, "berta", user.password, password_hash=passwords.hashed(user.password))


async def offered(api: Api, **wanted: Any) -> dict[str, Any]:
    """The link to what is wanted."""
    answer = await api.client.post(DOWNLOADS, json=wanted)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def fetch(api: Api, link: dict[str, Any], into: io.BytesIO, *, meanwhile: Callable[[], Awaitable[None]]) -> None:
    """Download, and do something after the first bytes, when the server cannot be further than some megabytes."""
    async with api.client.stream("GET", link["url"]) as answer:
        async for part in answer.aiter_raw():
            if not into.tell():
                await meanwhile()
            into.write(part)


async def large(pool: Pool, repository: Repository, user: User, *, mib: int, name: str) -> str:
    """An asset whose original takes no room on the disk, however large it is."""
    asset, path = uuid4(), f"inbox/{name}"
    Path(os.fsdecode(repository.root), "inbox").mkdir(exist_ok=True)
    with Path(os.fsdecode(repository.root), path).open("wb") as file:
        file.truncate(mib * MIB)
    async with pool.connection() as conn:
        await conn.execute(
            """
            insert into assets (asset_id, owner_id, content_hash, size, kind, mime_type, original_filename, stored_at)
            values (%(asset)s, %(owner)s, sha256(%(path)s), %(size)s, 'video', 'video/mp4', %(name)s, now())
            """,
            {"asset": asset, "owner": user.user_id, "path": path.encode(), "size": mib * MIB, "name": name},
        )
        await conn.execute(
            """
            insert into file_records (repository_id, path, display_name, asset_id, size, modified_ns, inode)
            values (%s, %s, %s, %s, %s, 0, 0)
            """,
            (repository.repository_id, path.encode(), name, asset, mib * MIB),
        )
    return str(asset)


async def test_a_link_gives_all_that_was_chosen(api: Api) -> None:
    """Without a sign-in, under names of their own, byte for byte, and just as long as was announced."""
    contents = [JPEG + bytes([number]) for number in range(3)]
    ids = [(await api.uploaded(content, name="beach.jpg"))["asset_id"] for content in contents]

    link = await offered(api, asset_ids=ids)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{api.port}") as stranger:
        head, got = await stranger.head(link["url"]), await stranger.get(link["url"])

    assert (head.status_code, got.status_code, head.content) == (200, 200, b"")
    assert int(head.headers["content-length"]) == len(got.content) == link["bytes"]
    assert got.headers["content-type"] == "application/zip"
    assert got.headers["content-disposition"].startswith('attachment; filename="Lumilio Photos.zip"')
    assert got.headers["cache-control"] == "no-store"
    assert (link["count"], link["file_name"]) == (3, "Lumilio Photos.zip")
    with zipfile.ZipFile(io.BytesIO(got.content)) as read:
        assert [(one, read.read(one)) for one in read.namelist()] == [
            ("beach.jpg", contents[0]),
            ("beach (2).jpg", contents[1]),
            ("beach (3).jpg", contents[2]),
        ]


async def test_a_link_is_good_for_once_and_for_minutes(api: Api, pool: Pool) -> None:
    """A used, a forged, a cut and an old link are nothing any more."""
    asset = (await api.uploaded())["asset_id"]
    url = (await offered(api, asset_ids=[asset]))["url"]
    forged = url[:-4] + ("AAAA" if url[-4:] != "AAAA" else "BBBB")

    statuses = [(await api.client.get(one)).status_code for one in (forged, url[:-20], url, url, f"{DOWNLOADS}/ü")]

    assert statuses == [404, 404, 200, 404, 404]


async def test_what_is_not_ones_own_is_nowhere(api: Api, berta: User) -> None:
    """A foreign asset answers as an unknown one does, and so does an album; half an answer is none."""
    asset = (await api.uploaded())["asset_id"]
    await api.enter("berta")
    mine = (await api.uploaded(JPEG + b"mine"))["asset_id"]

    answers = [
        await api.client.post(DOWNLOADS, json=wanted)
        for wanted in (
            {"asset_ids": [asset]},
            {"asset_ids": [mine, asset]},
            {"asset_ids": [str(uuid4())]},
            {"album_id": 1},
            {"filter": {"ids": [asset]}},
        )
    ]

    assert [answer.status_code for answer in answers] == [404] * 5
    assert answers[0].text.replace(asset, "") == answers[1].text.replace(asset, "")


async def test_one_thing_is_asked_for(api: Api) -> None:
    """Nothing, two things, too many and what is not known are refused."""
    asked: list[dict[str, Any]] = [
        {},
        {"asset_ids": []},
        {"asset_ids": [str(uuid4())], "album_id": 1},
        {"asset_ids": [str(uuid4()) for _ in range(10_001)]},
        {"album_id": 1, "filter": {}},
        {"filter": {"odd": 1}},
    ]

    assert [(await api.client.post(DOWNLOADS, json=one)).status_code for one in asked] == [400] * 6


async def test_ten_thousand_chosen_assets_fit_into_a_link(api: Api, pool: Pool, user: User) -> None:
    """A link stays short, whatever it is for, and is good for once all the same."""
    async with pool.connection() as conn:
        cursor = await conn.execute(
            """
            insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename)
            select %s, sha256(n::text::bytea), 1, 'photo', 'image/jpeg', 'a.jpg' from generate_series(1, 10000) n
            returning asset_id::text
            """,
            (user.user_id,),
        )
        ids = [row[0] for row in await cursor.fetchall()]

    link = await offered(api, asset_ids=ids)

    head = await api.client.head(link["url"])
    assert (head.status_code, int(head.headers["content-length"]), link["count"]) == (200, link["bytes"], 10_000)
    assert len(link["url"]) < 5000
    async with api.client.stream("GET", link["url"]) as answer:
        assert answer.status_code == 200
    assert (await api.client.get(link["url"])).status_code == 404


async def test_a_filter_chooses_of_ones_own(api: Api) -> None:
    """All that it finds is in the archive, and nothing else."""
    await api.uploaded(JPEG, name="beach.jpg")
    await api.uploaded(JPEG + b"2", name="mountain.jpg")

    link = await offered(api, filter={"filename": {"value": "MOUNT", "mode": "startswith"}})

    assert names((await api.client.get(link["url"])).content) == ["mountain.jpg"]


async def test_an_album_is_downloaded_by_its_members(api: Api, pool: Pool, user: User, berta: User) -> None:
    """In its order and under its name, whoever's the assets are."""
    ids = [(await api.uploaded(JPEG + bytes([n]), name=f"{n}.jpg"))["asset_id"] for n in range(3)]
    album = await shared_album(pool, user, berta, reversed(ids), name="Summer: 2026")
    await api.enter("berta")

    by_album, by_id = await offered(api, album_id=album), await offered(api, asset_ids=ids[:1])

    assert by_album["file_name"] == "Summer_ 2026.zip"
    assert names((await api.client.get(by_album["url"])).content) == ["2.jpg", "1.jpg", "0.jpg"]
    assert names((await api.client.get(by_id["url"])).content) == ["0.jpg"]


async def test_whoever_loses_the_right_gets_no_more(
    api: Api, pool: Pool, repository: Repository, user: User, berta: User
) -> None:
    """The download breaks off before the next file; what is left of it is not sent."""
    first = await large(pool, repository, user, mib=64, name="film.mp4")
    second = (await api.uploaded(JPEG, name="private.jpg"))["asset_id"]
    album = await shared_album(pool, user, berta, [first, second], name="Shared")
    await api.enter("berta")
    link = await offered(api, album_id=album)

    got = io.BytesIO()
    with pytest.raises(httpx.RemoteProtocolError):
        await fetch(api, link, got, meanwhile=lambda: do(pool, "delete from album_members"))

    assert got.tell() >= 64 * MIB
    assert JPEG not in got.getvalue()


@pytest.mark.parametrize("end", ["update users set is_active = false", "delete from sessions"])
async def test_whoever_is_signed_out_has_no_links(api: Api, pool: Pool, end: str) -> None:
    """A link is worth no more than the sign-in that it was asked for with."""
    link = await offered(api, asset_ids=[(await api.uploaded())["asset_id"]])
    await do(pool, end)

    assert (await api.client.get(link["url"])).status_code == 404


async def test_a_link_is_used_once_at_all_gateways(api: Api, pool: Pool, user: User) -> None:
    """Each of them takes a link that another one gave, and one of them only."""
    link = await offered(api, asset_ids=[(await api.uploaded())["asset_id"]])

    async with serving(pool) as other:
        statuses = [(await one.client.get(link["url"])).status_code for one in (other, api, other)]

    assert statuses == [200, 404, 404]


async def test_a_file_that_is_gone_is_told_in_the_archive(
    api: Api, pool: Pool, repository: Repository, user: User
) -> None:
    """The archive is as long as it was announced, whole, and says what it lacks."""
    await large(pool, repository, user, mib=32, name="film.mp4")
    await api.uploaded(JPEG, name="gone.jpg")
    await api.uploaded(JPEG + b"2", name="there.jpg")
    await do(pool, "update assets set taken_at = '2001-01-01' where original_filename = 'film.mp4'")
    link = await offered(api, filter={})

    got = io.BytesIO()
    await fetch(api, link, got, meanwhile=lambda: lose(repository, JPEG))

    assert len(got.getvalue()) == link["bytes"]
    with zipfile.ZipFile(got) as read:
        assert read.testzip() is None
        assert set(read.namelist()) == {"film.mp4", "there.jpg", "missing files.txt"}
        assert b"gone.jpg: the file is not on the disk" in read.read("missing files.txt")


async def test_a_file_that_changes_under_the_hand_ends_the_download(
    api: Api, pool: Pool, repository: Repository, user: User
) -> None:
    """Nobody takes a torn file for a whole one."""
    link = await offered(api, asset_ids=[await large(pool, repository, user, mib=64, name="film.mp4")])

    async def edit() -> None:
        os.utime(os.path.join(repository.root, b"inbox/film.mp4"), ns=(1, 1))

    with pytest.raises(httpx.RemoteProtocolError):
        await fetch(api, link, io.BytesIO(), meanwhile=edit)


async def test_a_client_that_leaves_leaves_nothing_open(
    api: Api, pool: Pool, repository: Repository, user: User
) -> None:
    """The file is closed at once, however much of it was left."""
    link = await offered(api, asset_ids=[await large(pool, repository, user, mib=4000, name="film.mp4")])
    assert not opened(b"film.mp4")

    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    writer.write(f"GET {link['url']} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await reader.readuntil(b"PK\x03\x04")
    assert opened(b"film.mp4")
    writer.close()

    await until(lambda: not opened(b"film.mp4"))


async def test_a_client_that_reads_nothing_costs_nothing(
    api: Api, pool: Pool, repository: Repository, user: User
) -> None:
    """Gigabytes wait on the disk, and not in memory, for a client that is slow; one that reads gets all of them so."""
    ids = [await large(pool, repository, user, mib=200, name=f"{number}.mp4") for number in range(3)]
    slow, fast = await offered(api, asset_ids=ids), await offered(api, asset_ids=ids)
    before = psutil.Process().memory_info().rss

    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    writer.write(f"GET {slow['url']} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await reader.readuntil(b"PK\x03\x04")
    got, most = 0, 0
    async with api.client.stream("GET", fast["url"]) as answer:
        async for part in answer.aiter_raw():
            got += len(part)
            most = max(most, psutil.Process().memory_info().rss) if got % (8 * MIB) < len(part) else most
    writer.close()

    assert got == fast["bytes"] > 600 * MIB
    assert most - before < 40 * MIB


async def test_more_than_a_download_may_be_is_refused(pool: Pool, repository: Repository, user: User) -> None:
    """The limits of files and of bytes are told in words."""
    async with serving(pool, download_limits=Limits(files=2, bytes=3 * len(JPEG))) as api:
        await api.enter(user.username)
        ids = [(await api.uploaded(JPEG * (n + 1)))["asset_id"] for n in range(3)]

        many = await api.client.post(DOWNLOADS, json={"filter": {}})
        heavy = await api.client.post(DOWNLOADS, json={"asset_ids": ids[1:]})
        fitting = await api.client.post(DOWNLOADS, json={"asset_ids": ids[:2]})

    assert [answer.status_code for answer in (many, heavy, fitting)] == [413, 413, 200]
    assert "2 files" in many.json()["error"]
    assert "25,620 bytes" in heavy.json()["error"]


async def shared_album(pool: Pool, owner: User, member: User, ids: Any, *, name: str) -> int:
    """An album of these assets which a member may see."""
    async with pool.connection() as conn:
        cursor = await conn.execute(
            "insert into albums (owner_id, album_name) values (%s, %s) returning album_id", (owner.user_id, name)
        )
        album: int = (await cursor.fetchall())[0][0]
        for position, asset in enumerate(ids):
            await conn.execute(
                "insert into album_assets (album_id, asset_id, position) values (%s, %s, %s)", (album, asset, position)
            )
        await conn.execute(
            "insert into album_members (album_id, user_id, role) values (%s, %s, 'viewer')", (album, member.user_id)
        )
    return album


def names(content: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as read:
        assert read.testzip() is None
        return read.namelist()


async def lose(repository: Repository, content: bytes) -> None:
    """Take the staged file of just this content away."""
    for path in staged(repository):
        if path.read_bytes() == content:
            path.unlink()


def opened(name: bytes) -> bool:
    return any(one.path.endswith(name.decode()) for one in psutil.Process().open_files())
