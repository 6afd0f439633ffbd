"""Originals and thumbnails: the right bytes, in the right parts, under headers that make them harmless."""

import asyncio
import os
from uuid import UUID

import pytest
from blake3 import blake3

from common import derived_files, files, layout
from common.db import Pool
from tests.support.gateway import JPEG, Api
from tests.support.given import Repository
from tests.support.rows import ask, do

ETAG = f'"{blake3(JPEG).hexdigest()}"'
SIZE = len(JPEG)
RANGES = {
    "bytes=0-0": (206, JPEG[:1]),
    "bytes=10-19": (206, JPEG[10:20]),
    "bytes=10-": (206, JPEG[10:]),
    "bytes=-7": (206, JPEG[-7:]),
    f"bytes=0-{10**17}": (206, JPEG),
    f"bytes=-{10**17}": (206, JPEG),
    f"bytes={SIZE - 1}-": (206, JPEG[-1:]),
    "bytes=0-1,5-6": (200, JPEG),
    "bytes=" + ",".join(f"{n}-{n}" for n in range(1000)): (200, JPEG),
    "bytes=9-3": (200, JPEG),
    "bytes=-": (200, JPEG),
    "bytes=a-b": (200, JPEG),
    "lines=1-2": (200, JPEG),
    "bytes=" + "9" * 30 + "-": (200, JPEG),
    f"bytes={SIZE}-": (416, None),
    "bytes=-0": (416, None),
}
PICTURE = b"RIFF" + b"a small picture" * 30


@pytest.fixture
async def path(api: Api) -> str:
    """Where an uploaded asset's original is asked for."""
    return f"/api/v1/assets/{(await api.uploaded(name='beach ü.jpg'))['asset_id']}/original"


async def test_an_original_is_byte_exact_and_harmless(api: Api, path: str) -> None:
    """The answer shows the sniffed type, saves under the given name, runs nothing and stays in private caches."""
    answer = await api.client.get(path)

    assert (answer.status_code, answer.content) == (200, JPEG)
    expected = {
        "content-type": "image/jpeg",
        "content-length": str(SIZE),
        "content-disposition": "inline; filename=\"beach _.jpg\"; filename*=UTF-8''beach%20%C3%BC.jpg",
        "etag": ETAG,
        "accept-ranges": "bytes",
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "private, max-age=86400, must-revalidate",
    }
    assert expected.items() <= dict(answer.headers).items()


async def test_ranges_give_their_part_or_the_whole(api: Api, path: str) -> None:
    """One range is served; several or malformed ones give the whole; one that lies outside is refused."""
    answers = {asked: await api.client.get(path, headers={"Range": asked}) for asked in RANGES}

    parts = {asked: answer.content if answer.status_code < 400 else None for asked, answer in answers.items()}
    statuses = {asked: answer.status_code for asked, answer in answers.items()}
    assert {asked: (statuses[asked], parts[asked]) for asked in RANGES} == RANGES
    assert answers["bytes=10-19"].headers["content-range"] == f"bytes 10-19/{SIZE}"
    assert answers["bytes=-0"].headers["content-range"] == f"bytes */{SIZE}"
    assert answers["bytes=-0"].json()["code"] == 416


async def test_a_client_that_has_the_content_gets_nothing(api: Api, path: str) -> None:
    """A matching If-None-Match is answered with 304, any other with the content."""
    for same in (ETAG, f"W/{ETAG}", f'"other", {ETAG}', "*"):
        answer = await api.client.get(path, headers={"If-None-Match": same})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", ETAG)
    assert (await api.client.get(path, headers={"If-None-Match": '"other"'})).content == JPEG


async def test_a_range_of_older_content_gives_the_whole(api: Api, path: str) -> None:
    """If-Range continues a download only of the same content."""
    same = await api.client.get(path, headers={"Range": "bytes=5-", "If-Range": ETAG})
    other = await api.client.get(path, headers={"Range": "bytes=5-", "If-Range": '"other"'})
    dated = await api.client.get(path, headers={"Range": "bytes=5-", "If-Range": "Wed, 21 Oct 2026 07:28:00 GMT"})

    assert (same.status_code, same.content) == (206, JPEG[5:])
    assert (other.status_code, other.content) == (200, JPEG)
    assert (dated.status_code, dated.content) == (200, JPEG)


async def test_head_tells_everything_but_the_bytes(api: Api, path: str) -> None:
    """HEAD has the headers of GET and no body."""
    head, got = await api.client.head(path), await api.client.get(path)

    assert (head.status_code, head.content) == (200, b"")
    del head.headers["date"], got.headers["date"]
    assert head.headers == got.headers


async def test_a_large_original_is_streamed_whole(api: Api, repository: Repository) -> None:
    """Files of many chunks arrive byte for byte, whole and in part."""
    content = JPEG * 1500
    path = f"/api/v1/assets/{(await api.uploaded(content))['asset_id']}/original"

    assert (await api.client.get(path)).content == content
    part = await api.client.get(path, headers={"Range": "bytes=100-5000000"})
    assert part.content == content[100:5000001]


async def test_a_placed_original_is_served_from_its_place(
    api: Api, path: str, pool: Pool, repository: Repository
) -> None:
    """Once placed, the staged name is not needed any more."""
    await place(pool, repository, b"inbox/2026/11/beach.jpg")

    assert (await api.client.get(path)).content == JPEG
    listed = (await api.client.get("/api/v1/assets")).json()["data"]["assets"]
    assert listed[0]["storage_path"] == "inbox/2026/11/beach.jpg"


async def test_a_missing_original_says_so(api: Api, path: str, pool: Pool, repository: Repository) -> None:
    """A file that is gone is told in words; one of another size is not this asset and is not served."""
    await place(pool, repository, b"inbox/beach.jpg")
    target = os.path.join(repository.root, b"inbox/beach.jpg")
    os.chmod(target, 0o600)
    os.truncate(target, 100)
    changed = await api.client.get(path)
    os.unlink(target)
    missing = await api.client.get(path)

    assert (changed.status_code, missing.status_code) == (404, 404)
    assert "not on the disk" in missing.json()["error"]


async def test_an_original_on_its_way_to_another_folder_is_waited_for(
    api: Api, path: str, pool: Pool, repository: Repository
) -> None:
    """Between the move on the disk and its row, whoever asks waits a moment, and then hears what goes on."""
    await place(pool, repository, b"inbox/beach.jpg")
    await do(pool, "update asset_stages set state = 'pending' where stage = 'place'")
    os.rename(os.path.join(repository.root, b"inbox/beach.jpg"), os.path.join(repository.root, b"inbox/again.jpg"))

    early = await api.client.get(path)
    late = asyncio.create_task(api.client.get(path))
    await do(pool, "update file_records set path = 'inbox/again.jpg'")

    assert (early.status_code, early.headers["retry-after"]) == (404, "2")
    assert "on its way to another folder" in early.json()["error"]
    assert (await late).content == JPEG


async def test_an_offline_repository_is_an_outage(api: Api, path: str, repository: Repository) -> None:
    """A mount that is gone is no missing file: the client is asked to come back."""
    os.rename(repository.root, repository.root + b".gone")
    answer = await api.client.get(path)

    assert (answer.status_code, answer.json()["message"]) == (503, "the repository is offline")


async def test_a_link_in_place_of_an_original_is_not_followed(
    api: Api, path: str, pool: Pool, repository: Repository
) -> None:
    """Whoever can write into a repository still cannot make the server read outside it."""
    await place(pool, repository, b"inbox/beach.jpg")
    outside = os.path.join(os.path.dirname(repository.root), b"outside")
    target = os.path.join(repository.root, b"inbox/beach.jpg")
    os.rename(target, outside)
    os.symlink(outside, target)

    assert (await api.client.get(path)).status_code == 404


async def test_a_thumbnail_is_served_as_rendered(api: Api, path: str, pool: Pool, repository: Repository) -> None:
    """A rendered size is served with its own hash and conditions; the default size is medium."""
    await render(pool, repository, path, "medium")
    thumbnail = path.replace("original", "thumbnail")

    answer = await api.client.get(thumbnail)

    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, PICTURE, "image/webp")
    assert answer.headers["etag"] == f'"{blake3(PICTURE).hexdigest()}"'
    again = await api.client.get(thumbnail, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    part = await api.client.get(thumbnail, headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"RIFF")
    detail = (await api.client.get(path.removesuffix("/original"))).json()["data"]
    assert [(await api.client.get(found["url"])).content for found in detail["thumbnails"]] == [PICTURE]


async def test_a_thumbnail_that_is_not_there_yet_says_why(api: Api, path: str, pool: Pool) -> None:
    """Not yet rendered, never to be rendered and no such size are three different answers."""
    thumbnail = path.replace("original", "thumbnail")
    waiting = await api.client.get(thumbnail)
    await do(pool, "update asset_stages set state = 'done', next_at = null where stage = 'place'")
    await do(pool, "update asset_stages set state = 'failed', error = 'no image' where stage = 'render'")
    failed = await api.client.get(thumbnail)
    wrong = await api.client.get(thumbnail, params={"size": "../../etc"})

    assert (waiting.status_code, waiting.json()["message"]) == (404, "not ready yet, try again")
    assert waiting.headers["retry-after"] == "2"
    assert (failed.status_code, failed.headers.get("retry-after")) == (404, None)
    assert "no image" in failed.json()["error"]
    assert wrong.status_code == 400


async def test_a_thumbnail_that_vanished_is_not_ready(api: Api, path: str, pool: Pool, repository: Repository) -> None:
    """A derived file can be made again, so its absence is no error of the client's."""
    await render(pool, repository, path, "small")
    target = os.path.join(repository.root, layout.THUMBNAILS, b"small.webp")
    os.unlink(target)

    answer = await api.client.get(path.replace("original", "thumbnail?size=small"))

    assert (answer.status_code, answer.json()["message"]) == (404, "not ready yet, try again")


async def test_a_damaged_thumbnail_is_rendered_again(api: Api, path: str, pool: Pool, repository: Repository) -> None:
    """Whoever finds one makes its rendering due once more."""
    await render(pool, repository, path, "small")
    await do(pool, "update asset_stages set state = 'done', next_at = null")
    with open(os.path.join(repository.root, layout.THUMBNAILS, b"small.webp"), "wb"):
        pass

    await api.client.get(path.replace("original", "thumbnail?size=small"))

    assert await ask(pool, "select state from asset_stages where stage = 'render'") == ["pending"]


async def place(pool: Pool, repository: Repository, target: bytes) -> None:
    async with pool.connection() as conn:
        name, asset = (await (await conn.execute("select staged_name, asset_id from uploads")).fetchall())[0]
        files.place(repository.root, layout.staged(name), target)
        files.forget(repository.root, layout.staged(name))
        await conn.execute("update uploads set state = 'stored'")
        await conn.execute(
            """
            insert into file_records (repository_id, path, display_name, asset_id, size, modified_ns, inode)
            values (%s, %s, 'beach.jpg', %s, %s, 0, 0)
            """,
            (repository.repository_id, target, asset, SIZE),
        )


async def render(pool: Pool, repository: Repository, path: str, size: str) -> None:
    target = b"/".join((layout.THUMBNAILS, size.encode() + b".webp"))
    derived_files.write(repository.root, target, PICTURE)
    async with pool.connection() as conn:
        await conn.execute(
            """
            insert into thumbnails (asset_id, size, repository_id, path, mime_type, width, height, bytes, hash)
            values (%s, %s, %s, %s, 'image/webp', 800, 600, %s, %s)
            """,
            (
                UUID(path.split("/")[4]),
                size,
                repository.repository_id,
                target,
                len(PICTURE),
                blake3(PICTURE).digest(),
            ),
        )
