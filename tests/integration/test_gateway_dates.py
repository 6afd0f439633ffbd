"""A file keeps the date that it had where it comes from."""

import os
from collections.abc import AsyncIterator

import pytest

from common.db import Pool
from ingest.handlers import Ingest
from tests.support.gateway import BOUNDARY, JPEG, Api, form, nothing_left, part, parts, rows, serving, staged
from tests.support.given import Repository, User
from tests.support.placing import place_all

SECOND = 1_000_000_000
IN_2009 = 1_230_768_000 * SECOND
END = f"--{BOUNDARY}--\r\n".encode()


@pytest.fixture
async def api(pool: Pool, repository: Repository, user: User) -> AsyncIterator[Api]:
    async with serving(pool, max_upload_bytes=1_000_000) as served:
        await served.enter(user.username)
        yield served


def dated(written: str, number: int) -> bytes:
    """A field and the file that it is about, as a batch has them."""
    return part(written.encode(), 'name="modified_at"') + parts(JPEG + bytes([number])).removesuffix(END)


@pytest.mark.parametrize(
    ("written", "modified_ns"),
    [
        ("1230768000", IN_2009),
        ("1230768000.25", IN_2009 + SECOND // 4),
        ("1230768000.123456789", IN_2009 + 123_456_789),
        ("2009-01-01T01:00:00+01:00", IN_2009),
        ("2009-01-01T00:00:00.25Z", IN_2009 + SECOND // 4),
    ],
)
async def test_an_original_keeps_its_date(
    api: Api, pool: Pool, repository: Repository, ingest: Ingest, written: str, modified_ns: int
) -> None:
    """The original on the disk and in the record was changed when the client's file was."""
    answer = await api.upload(fields={"modified_at": written})
    await place_all(pool, ingest)

    assert answer.status_code == 200
    ((path, recorded),) = await rows(pool, "select path, modified_ns from file_records")
    assert os.stat(os.path.join(repository.root, path)).st_mtime_ns == recorded == modified_ns


@pytest.mark.parametrize("written", ["-86400", "0", "99999999999", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
async def test_a_date_that_says_nothing_is_passed_over(api: Api, repository: Repository, written: str) -> None:
    """A clock that was never set, or runs ahead, is no reason to refuse a photo, and is not believed."""
    answer = await api.upload(fields={"modified_at": written})

    assert answer.status_code == 200
    assert abs(staged(repository)[0].stat().st_mtime - staged(repository)[0].stat().st_ctime) < 60


@pytest.mark.parametrize(
    "written", ["", "yesterday", "1715965391000", "2024-05-17", "2024-05-17T18:03:11", "nan", "\u0661"]
)
async def test_a_date_that_is_none_is_refused(api: Api, pool: Pool, repository: Repository, written: str) -> None:
    """Milliseconds and times of no zone would be other times, so they are refused before anything is kept."""
    answer = await api.upload(fields={"modified_at": written})

    assert answer.status_code == 400
    assert answer.json()["error"] == ("`modified_at` is seconds since 1970, or a time like 2024-05-17T18:03:11+02:00")
    assert await nothing_left(pool, repository)


async def test_a_date_comes_before_its_file(api: Api, pool: Pool, repository: Repository) -> None:
    """One that comes too late is not silently lost."""
    body = form(JPEG).removesuffix(END) + part(b"1230768000", 'name="modified_at"') + END

    answer = await api.client.post(
        "/api/v1/assets", content=body, headers={"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    )

    assert (answer.status_code, answer.json()["error"]) == (400, "send `modified_at` before the file")
    assert await nothing_left(pool, repository)


async def test_in_a_batch_a_date_is_of_the_next_file(api: Api, repository: Repository) -> None:
    """Each file has its own date, or none; what is no date is that file's result and hurts no other."""
    undated = parts(JPEG + bytes([2])).removesuffix(END)

    answer = await api.batch(dated("1230768000", 1) + undated + dated("soon", 3) + dated("1230768001", 4) + END)

    results = answer.json()["data"]["results"]
    assert [result["success"] for result in results] == [True, True, False, True]
    assert "`modified_at` is seconds" in results[2]["error"]
    dates = {path.read_bytes()[-1]: path.stat().st_mtime_ns for path in staged(repository)}
    assert (dates[1], dates[4]) == (IN_2009, IN_2009 + SECOND)
    assert dates[2] > IN_2009 + SECOND
