"""A batch takes its files one by one: each is safe by itself, and what is wrong with one is told and hurts no other."""

import asyncio
import random
from collections.abc import AsyncIterator
from functools import partial
from uuid import uuid4

import pytest
from blake3 import blake3

from common.db import Pool
from tests.support.gateway import (
    BOUNDARY,
    FORM,
    JPEG,
    Api,
    form,
    limit_files,
    marker_path,
    nothing_left,
    part,
    parts,
    post,
    rows,
    serving,
    staged,
)
from tests.support.given import Repository, User
from tests.support.rows import ask, do
from tests.support.waiting import until

END = f"--{BOUNDARY}--\r\n".encode()
BATCH = "/api/v1/assets/batch"


@pytest.fixture
async def api(pool: Pool, repository: Repository, user: User) -> AsyncIterator[Api]:
    async with serving(pool, max_upload_bytes=1_000_000) as served:
        await served.enter(user.username)
        yield served


async def test_every_file_of_a_batch_is_taken(api: Api, pool: Pool, repository: Repository) -> None:
    """Each file gets its asset, its upload and its event, and a result that a single upload would have."""
    contents = [JPEG + bytes([number]) for number in range(5)]

    answer = await api.batch(parts(*contents, repository_id=str(repository.repository_id)))

    results = answer.json()["data"]["results"]
    assert [result["content_hash"] for result in results] == [blake3(content).hexdigest() for content in contents]
    assert [result["file_name"] for result in results] == [f"{number}.jpg" for number in range(5)]
    assert all(result["success"] and result["status"] == "processing" and "error" not in result for result in results)
    uploads = await rows(pool, "select upload_id, asset_id::text from uploads order by upload_id")
    assert uploads == [(result["task_id"], result["asset_id"]) for result in results]
    assert sorted(path.read_bytes() for path in staged(repository)) == sorted(contents)
    assert await ask(pool, "select count(*) from outbox") == [5]


async def test_a_bad_file_does_not_hurt_its_neighbours(api: Api, pool: Pool, repository: Repository) -> None:
    """Whatever is wrong with a file is told in its result; the files around it are taken."""
    limit_files(repository, len(JPEG) + 10)
    bad = {
        "empty": part(b"", f'name="{blake3(b"").hexdigest()}"; filename="empty.jpg"'),
        "other bytes": part(JPEG + b"!", f'name="{blake3(b"other").hexdigest()}"; filename="wrong.jpg"'),
        "unknown family": part(b"MZ" * 2500, f'name="{blake3(b"MZ" * 2500).hexdigest()}"; filename="run.jpg"'),
        "too large": part(JPEG * 20, f'name="{blake3(JPEG * 20).hexdigest()}"; filename="large.jpg"'),
        "no hash": part(JPEG, 'name="photo"; filename="named.jpg"'),
        "half a hash": part(JPEG, f'name="{"g" * 64}"; filename="half.jpg"'),
    }
    good = [JPEG + bytes([number]) for number in range(len(bad))]
    body = b"".join(parts(content).removesuffix(END) + wrong for content, wrong in zip(good, bad.values(), strict=True))

    answer = await api.batch(body + END)

    results = answer.json()["data"]["results"]
    assert (answer.status_code, [result["success"] for result in results]) == (200, [True, False] * len(bad))
    reasons = dict(zip(bad, (result["error"] for result in results[1::2]), strict=True))
    assert reasons["empty"] == "the file is empty"
    assert "announced hash" in reasons["other bytes"]
    assert "none of" in reasons["unknown family"]
    assert "larger than" in reasons["too large"]
    assert "64 hexadecimal digits" in reasons["no hash"]
    assert "64 hexadecimal digits" in reasons["half a hash"]
    assert sorted(path.read_bytes() for path in staged(repository)) == sorted(good)
    assert await ask(pool, "select count(*) from assets") == [len(good)]


async def test_of_files_with_one_name_the_first_counts(api: Api, pool: Pool, repository: Repository) -> None:
    """A name is a content, so that a second part of it says nothing new."""
    twice = parts(JPEG).removesuffix(END) + parts(JPEG)

    answer = await api.batch(twice)

    assert [result["success"] for result in answer.json()["data"]["results"]] == [True]
    assert await ask(pool, "select count(*) from uploads") == [1]
    assert len(staged(repository)) == 1


async def test_a_batch_that_breaks_keeps_what_was_safe(api: Api, pool: Pool, repository: Repository) -> None:
    """The error says how many files need not be sent again; whoever does send them gets the same assets."""
    body = parts(JPEG + b"1", JPEG + b"2", JPEG + b"3")

    broken = await api.batch(body[:-100])
    again = await api.batch(body)

    assert (broken.status_code, broken.json()["code"]) == (400, 400)
    assert "2 files before that are safe" in broken.json()["error"]
    assert [result["success"] for result in again.json()["data"]["results"]] == [True] * 3
    assert await ask(pool, "select count(*) from assets") == [3]
    assert len(staged(repository)) == 5


async def test_a_cut_anywhere_costs_only_the_file_it_hits(api: Api, pool: Pool, repository: Repository) -> None:
    """Whatever arrived whole before the connection ended is safe, and nothing else is left."""
    choose, safe = random.Random(39), 0
    for number in range(20):
        body = parts(*(JPEG + bytes([number, part]) for part in range(4)))
        cut = body[: choose.randrange(len(body))]
        safe += max(cut.count(f"\r\n--{BOUNDARY}\r\n".encode()), 0)
        _, writer = await asyncio.open_connection("127.0.0.1", api.port)
        writer.write(post(api, cut, length=len(body), path=BATCH))
        await until(partial(has_rows, pool, safe))
        writer.transport.abort()

    names = await ask(pool, 'select staged_name from uploads order by staged_name collate "C"')
    assert await until(lambda: [path.name for path in staged(repository)] == names)
    assert {len(path.read_bytes()) for path in staged(repository)} == {len(JPEG) + 2}


async def test_what_is_no_batch_is_refused(api: Api, pool: Pool, repository: Repository) -> None:
    """A body without files, with a late or wrong repository, or with more parts than are read, is refused whole."""
    late = part(str(uuid4()).encode(), 'name="repository_id"')
    statuses = {
        "nothing": (await api.batch(b"")).status_code,
        "no file": (await api.batch(part(b"x", 'name="note"') + END)).status_code,
        "no UUID": (await api.batch(parts(JPEG, repository_id="../x"))).status_code,
        "unknown repository": (await api.batch(parts(JPEG, repository_id=str(uuid4())))).status_code,
        "many parts": (await api.batch(part(b"", 'name="a"') * 1001 + END)).status_code,
        "no form": (await api.client.post(BATCH, content=JPEG)).status_code,
    }
    assert await nothing_left(pool, repository)

    statuses["late repository"] = (await api.batch(parts(JPEG).removesuffix(END) + late + END)).status_code
    assert statuses == {
        "nothing": 400,
        "no file": 400,
        "no UUID": 400,
        "unknown repository": 404,
        "many parts": 413,
        "no form": 400,
        "late repository": 400,
    }


async def test_an_endless_batch_is_refused(api: Api, pool: Pool, repository: Repository) -> None:
    """A whole batch is as large as the largest upload at most; what was safe before stays so."""

    async def endless() -> AsyncIterator[bytes]:
        for number in range(1000):
            content = JPEG + bytes(str(number), "ascii")
            yield parts(content).removesuffix(END)
        yield END

    announced = await api.batch(parts(JPEG * 300))
    streamed = await api.client.post(BATCH, content=endless(), headers=FORM)

    assert (announced.status_code, streamed.status_code) == (413, 413)
    safe = int(streamed.json()["error"].split(" files before")[0].split()[-1])
    assert await ask(pool, "select count(*) from uploads") == [safe]
    assert len(staged(repository)) == safe > 100


async def test_an_outage_in_the_middle_is_the_result_of_the_files_it_hits(
    api: Api, pool: Pool, repository: Repository
) -> None:
    """A database that refuses one file's rows costs that file alone, and says nothing of itself."""
    await do(pool, f"alter table uploads add constraint broken check (size <> {len(JPEG) + 1})")

    answer = await api.batch(parts(JPEG, JPEG + b"1", JPEG + b"22"))

    results = answer.json()["data"]["results"]
    assert [result["success"] for result in results] == [True, False, True]
    assert results[1]["error"] == "something went wrong on the server"
    assert len(staged(repository)) == 2


async def test_a_batch_while_the_repository_is_away_is_an_outage(api: Api, pool: Pool, repository: Repository) -> None:
    """Nothing of it is tried, and the client is asked to come back."""
    marker_path(repository).rename(marker_path(repository).with_name("aside"))

    answer = await api.batch(parts(JPEG, JPEG + b"1"))

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_the_same_batch_eight_times_at_once_is_one_asset_per_file(
    api: Api, pool: Pool, repository: Repository
) -> None:
    """Batches that race for the same contents in different orders all succeed, for the same assets."""
    contents = [JPEG + bytes([number]) for number in range(6)]
    orders = [random.Random(seed).sample(contents, len(contents)) for seed in range(8)]

    answers = await asyncio.gather(*(api.batch(parts(*order)) for order in orders))

    found = [
        {result["content_hash"]: result["asset_id"] for result in answer.json()["data"]["results"]}
        for answer in answers
    ]
    assert all(each == found[0] and len(each) == 6 for each in found)
    assert await ask(pool, "select count(*) from assets") == [6]


async def test_a_single_form_is_no_batch(api: Api, pool: Pool, repository: Repository) -> None:
    """A file that is called `file` has no hash for a name, which its result says."""
    answer = await api.batch(form(JPEG))

    (result,) = answer.json()["data"]["results"]
    assert (result["success"], result["file_name"], result["content_hash"]) == (False, "photo.jpg", "file")
    assert await nothing_left(pool, repository)


async def has_rows(pool: Pool, count: int) -> bool:
    return await ask(pool, "select count(*) from uploads") == [count]
