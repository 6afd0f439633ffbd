"""Quotas: nobody stores more than they may, however many files they send at once, and nothing counts twice."""

import asyncio

import pytest

from common.db import Pool
from tests.support.gateway import JPEG, Api, batch_of, staged
from tests.support.given import Repository, User
from tests.support.rows import ask, do

SIZE = 10_000
FITTING = 10


def photo(number: int) -> bytes:
    """A file of its own, always as long."""
    return JPEG + bytes(SIZE - len(JPEG) - 8) + number.to_bytes(8, "big")


async def usage(api: Api) -> dict[str, int | None]:
    """What the server says that anna uses."""
    found: dict[str, int | None] = (await api.client.get("/api/v1/auth/me")).json()["data"]["usage"]
    return found


@pytest.fixture
async def limited(pool: Pool, user: User) -> None:
    """Anna may store ten of the files."""
    await do(pool, f"update users set quota_bytes = {FITTING * SIZE} where user_id = {user.user_id}")


async def test_many_uploads_at_the_limit_never_pass_it(
    api: Api, limited: None, pool: Pool, repository: Repository
) -> None:
    """Of 64 at once those that fit are taken; the others hear why and leave nothing, on the disk or in rows."""
    answers = await asyncio.gather(*(api.upload(photo(number), name=f"{number}.jpg") for number in range(64)))

    taken = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 413]
    assert (len(taken), len(refused)) == (FITTING, 64 - FITTING)
    assert "empty the trash, or ask an administrator" in refused[0].json()["error"]
    assert await usage(api) == {
        "files": FITTING,
        "bytes": FITTING * SIZE,
        "quota_files": None,
        "quota_bytes": FITTING * SIZE,
    }
    assert len(staged(repository)) == FITTING
    assert await ask(pool, "select count(*) from uploads") == [FITTING]


async def test_what_is_stored_already_counts_once(api: Api, limited: None) -> None:
    """Repeating a file, with a key or by its hash, is answered as before when nothing more fits."""
    key = {"Idempotency-Key": "first"}
    first = await api.upload(photo(0), headers=key)
    for number in range(1, FITTING):
        await api.uploaded(photo(number))

    again = await api.upload(photo(0), headers=key)
    digest = {"X-Content-Hash": first.json()["data"]["content_hash"]}
    known = await api.upload(photo(0), headers=digest)

    assert again.json()["data"] == first.json()["data"]
    assert (known.status_code, known.json()["data"]["asset_id"]) == (200, first.json()["data"]["asset_id"])
    assert (await usage(api))["files"] == FITTING


async def test_files_are_counted_too_and_a_batch_says_which_did_not_fit(api: Api, pool: Pool) -> None:
    """Each file of a batch is taken or refused by itself."""
    await do(pool, "update users set quota_files = 2")

    results = (await api.batch(batch_of({f"{n}.jpg": photo(n) for n in range(4)}))).json()["data"]["results"]

    assert [result["success"] for result in results] == [True, True, False, False]
    assert "the 2 files that you may store" in results[2]["error"]
