"""Whoever repeats an upload, or asks what became of it, is told the truth about the one file that there is."""

import asyncio
from typing import Any

import pytest
from blake3 import blake3

from common import passwords
from common.db import Pool
from common.stages import Reject, Stage
from ingest.handlers import Ingest
from tests.support.gateway import JPEG, Api, form, parts, post, staged
from tests.support.given import Repository, User
from tests.support.placing import place_all
from tests.support.rows import ask, claim, do

OTHER = JPEG + b" of something else"
KEY = {"Idempotency-Key": "holiday 1"}
PRECHECK = "/api/v1/assets/precheck"
UPLOADS = "/api/v1/assets/uploads"
FAILED = "set state = 'failed', next_at = null, lease_until = null, error = 'the reason' where stage ="


async def as_berta(api: Api, pool: Pool, user: User) -> None:
    """The client is somebody else from here on."""
    statement = "insert into users (username, email, password_hash) values ('berta', 'berta@localhost', %s)"
    async with pool.connection() as conn:
        await conn.execute(statement.encode(), (passwords.hashed(user.password),))
    await api.enter("berta")


async def test_a_repeated_upload_gets_the_first_answer(
    api: Api, pool: Pool, repository: Repository, ingest: Ingest
) -> None:
    """The same key and content have one effect, also when the file has found its place meanwhile."""
    first = await api.upload(headers=KEY)
    again = await api.upload(name="renamed.jpg", headers=KEY)
    await place_all(pool, ingest)
    later = await api.upload(headers=KEY)

    assert first.json() == again.json() == later.json()
    assert await ask(pool, "select count(*) from uploads") == [1]
    assert staged(repository) == []


async def test_a_repeated_duplicate_stays_one(api: Api, pool: Pool, ingest: Ingest) -> None:
    """The first answer may have been that the file is known; it is given again."""
    await api.upload()
    await place_all(pool, ingest)

    first, again = await api.upload(headers=KEY), await api.upload(headers=KEY)

    assert first.json()["data"]["status"] == "duplicate"
    assert first.json() == again.json()


async def test_a_key_means_one_content(api: Api, pool: Pool, repository: Repository) -> None:
    """Another file under a used key is refused and not kept; another owner's key is another key."""
    await api.upload(JPEG, headers=KEY)

    answer = await api.upload(OTHER, headers=KEY)

    assert answer.status_code == 409
    assert "take a new key" in answer.json()["error"]
    assert [path.read_bytes() for path in staged(repository)] == [JPEG]
    assert await ask(pool, "select count(*) from assets") == [1]


async def test_keys_of_different_owners_do_not_meet(api: Api, pool: Pool, user: User) -> None:
    """A key is a name that one owner gives."""
    await api.upload(JPEG, headers=KEY)
    await as_berta(api, pool, user)

    assert (await api.upload(OTHER, headers=KEY)).status_code == 200


async def test_requests_that_race_with_one_key_get_one_answer(api: Api, pool: Pool, repository: Repository) -> None:
    """However many arrive at once, one is the upload and the others repeat its answer."""
    answers = await asyncio.gather(*(api.upload(headers=KEY) for _ in range(8)))

    assert len({answer.text for answer in answers}) == 1
    assert {answer.status_code for answer in answers} == {200}
    assert await ask(pool, "select count(*) from uploads") == [1]
    assert len(staged(repository)) == 1


async def test_different_files_that_race_with_one_key_have_one_winner(api: Api, pool: Pool) -> None:
    """Of contents that arrive at once under one key, one is taken."""
    contents = [JPEG + bytes([number]) for number in range(6)]

    answers = await asyncio.gather(*(api.upload(content, headers=KEY) for content in contents))

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    assert await ask(pool, "select count(*) from assets") == [1]


async def test_a_failed_upload_gives_its_key_back(api: Api, pool: Pool, ingest: Ingest) -> None:
    """Repeating an upload whose bytes could not be kept sends them anew, rather than repeat an empty promise."""
    first = (await api.upload(headers=KEY)).json()["data"]
    await do(pool, f"update asset_stages {FAILED} 'place'")

    again = (await api.upload(headers=KEY)).json()["data"]
    await place_all(pool, ingest)

    assert (again["asset_id"], again["status"]) == (first["asset_id"], "processing")
    assert again["task_id"] != first["task_id"]
    assert await ask(pool, "select count(*) from file_records where state = 'present'") == [1]


async def test_a_key_is_one_printable_line(api: Api) -> None:
    """What cannot be a key is refused, and two keys are none."""
    body = form(JPEG)
    for key in ("", "x" * 256, "a\tb", "caf\xe9", "a\r\nIdempotency-Key: b"):
        more = f"Idempotency-Key: {key}\r\nConnection: close\r\n"
        assert (await api.first(post(api, body, length=len(body), more=more))).startswith("HTTP/1.1 400"), key


async def test_an_upload_tells_what_became_of_it(api: Api, pool: Pool, ingest: Ingest) -> None:
    """It is processed, then ready; the same bytes once more are a duplicate."""
    sent = await api.uploaded(name="beach.jpg")
    first = await state_of(api, sent["task_id"])
    await place_all(pool, ingest)
    placed = await state_of(api, sent["task_id"])
    await do(pool, "update asset_stages set state = 'done', next_at = null where stage = 'render'")
    shown = await state_of(api, sent["task_id"])
    again = await api.uploaded()
    await place_all(pool, ingest)

    expected = {key: sent[key] for key in ("task_id", "asset_id", "file_name", "size", "content_hash")}
    assert expected.items() <= first.items()
    assert (first["state"], first["error"], first["settled_at"]) == ("processing", None, None)
    assert (placed["state"], placed["settled_at"] is None) == ("processing", False)
    assert (shown["state"], (await state_of(api, again["task_id"]))["state"]) == ("ready", "duplicate")


async def test_a_failed_upload_says_why(api: Api, pool: Pool, ingest: Ingest) -> None:
    """Bytes that could not be placed and a photo that cannot be shown are two different stories."""
    sent = (await api.uploaded())["task_id"]
    await do(pool, f"update asset_stages {FAILED} 'place'")
    lost = await state_of(api, sent)
    await api.uploaded()
    await place_all(pool, ingest)
    await do(pool, f"update asset_stages {FAILED} 'render'")
    unseen = await state_of(api, sent)

    assert (lost["state"], lost["error"]) == ("failed", "the reason")
    assert (unseen["state"], unseen["error"]) == ("failed", "the original is safe, but it cannot be shown: the reason")


async def test_a_refused_upload_keeps_its_reason(api: Api, pool: Pool) -> None:
    """What ingest says of an upload is what its sender reads."""
    sent = (await api.uploaded())["task_id"]
    await do(pool, "update uploads set state = 'failed', error = 'changed in staging', settled_at = now()")

    assert (await state_of(api, sent))["error"] == "changed in staging"


async def test_uploads_are_listed_newest_first(api: Api, pool: Pool) -> None:
    """Pages follow each other by task; a state can be asked for."""
    sent = [(await api.uploaded(JPEG + bytes([number])))["task_id"] for number in range(5)]
    await do(pool, f"update uploads set state = 'failed', error = 'no' where upload_id = {sent[2]}")

    first = await listed(api, limit=3)
    rest = await listed(api, limit=3, after=first["next"])

    assert [found["task_id"] for found in first["uploads"] + rest["uploads"]] == sent[::-1]
    assert "next" not in rest
    assert [found["task_id"] for found in (await listed(api, state="failed"))["uploads"]] == [sent[2]]


async def test_what_cannot_be_asked_for_is_refused(api: Api) -> None:
    """Limits, tasks and states that do not exist are answered with 400, an upload that does not exist with 404."""
    for asked in (
        "limit=0",
        "limit=101",
        "after=0",
        f"after={10**30}",
        "after=x",
        "state=lost",
        "limit=1e400",
        "state=failed%00",
    ):
        assert (await api.client.get(f"{UPLOADS}?{asked}")).status_code == 400, asked
    for task in ("0", "-1", "9" * 18, str(2**63 - 1), str(2**63), "9" * 400, "1e3", "x", "1%00"):
        assert (await api.client.get(f"{UPLOADS}/{task}")).status_code == 404, task


async def test_uploads_of_somebody_else_do_not_exist(api: Api, pool: Pool, user: User) -> None:
    """Neither one by one, nor in lists, nor by their hashes; and nobody can upload in another's name."""
    sent = await api.uploaded()
    await as_berta(api, pool, user)
    foreign = {"owner_id": str(user.user_id), "task_id": str(sent["task_id"]), "asset_id": sent["asset_id"]}

    unknown = await api.client.get(f"{UPLOADS}/{sent['task_id']}")
    known = await precheck(api, JPEG)
    mine = await api.client.post("/api/v1/assets", data=foreign, files={"file": ("a.jpg", JPEG)}, params=foreign)

    assert (unknown.status_code, known) == (404, [])
    assert (mine.status_code, mine.json()["data"]["asset_id"] == sent["asset_id"]) == (200, False)
    assert [found["task_id"] for found in (await listed(api))["uploads"]] == [mine.json()["data"]["task_id"]]
    assert await ask(pool, "select count(distinct owner_id) from assets") == [2]


async def test_what_is_safe_need_not_be_sent(api: Api, pool: Pool, ingest: Ingest) -> None:
    """Known is what waits in staging and what lies in its place; case of letters does not matter."""
    placed = await api.uploaded(JPEG)
    await place_all(pool, ingest)
    waiting = await api.uploaded(OTHER)

    known = await precheck(api, JPEG, OTHER, b"nobody has this")

    assert sorted(known, key=lambda found: found["asset_id"]) == sorted(
        ({"hash": sent["content_hash"], "asset_id": sent["asset_id"]} for sent in (placed, waiting)),
        key=lambda found: found["asset_id"],
    )
    shouted = {"hashes": [placed["content_hash"].upper()]}
    assert len((await api.client.post(PRECHECK, json=shouted)).json()["data"]["known"]) == 1


@pytest.mark.parametrize(
    "change",
    [
        "update file_records set state = 'missing'",
        "update file_records set state = 'corrupt'",
        "update assets set trashed_at = now()",
        "delete from file_records",
    ],
)
async def test_what_is_not_safe_must_be_sent(api: Api, pool: Pool, ingest: Ingest, change: str) -> None:
    """Lost, damaged, trashed: a client that still has the file should send it."""
    await api.uploaded()
    await place_all(pool, ingest)
    await do(pool, change)

    assert await precheck(api, JPEG) == []


async def test_bytes_that_went_bad_in_staging_are_not_safe(api: Api, pool: Pool) -> None:
    """What could not be placed is asked for again."""
    await api.uploaded()
    await do(pool, f"update asset_stages {FAILED} 'place'")

    assert await precheck(api, JPEG) == []


async def test_what_is_no_list_of_hashes_is_refused(api: Api) -> None:
    """A thousand hashes of 64 digits at most."""
    lists: list[Any] = [["0" * 63], ["g" * 64], ["0" * 64] * 1001, "0" * 64, [None], ["0" * 63 + "\n"], ["\u0660" * 64]]
    for body in ([], {}, *({"hashes": hashes} for hashes in lists)):
        assert (await api.client.post(PRECHECK, json=body)).status_code == 400, body


async def test_no_hashes_are_known_and_a_thousand_can_be_asked_for(api: Api) -> None:
    """The limits of the question are no errors."""
    assert await precheck(api) == []
    assert await precheck(api, *(bytes([number % 256, number // 256]) for number in range(1000))) == []


async def test_bulk_uploads_wait_in_their_lane(api: Api, pool: Pool) -> None:
    """Who imports many files lets others go first, in single uploads and in batches."""
    await api.client.post("/api/v1/assets", files={"file": ("a.jpg", JPEG)}, params={"lane": "bulk"})
    await api.batch(parts(JPEG + b"1", JPEG + b"2"), lane="bulk")
    await api.uploaded(OTHER)

    assert await ask(pool, "select distinct lane, count(*) from asset_stages group by lane order by lane") == [
        (0, 2),
        (1, 6),
    ]
    unknown = await api.client.post("/api/v1/assets", files={"file": ("a.jpg", JPEG)}, params={"lane": "fast"})
    assert unknown.status_code == 400


async def test_sending_again_is_not_kept_waiting_for_the_next_try(api: Api, pool: Pool) -> None:
    """Whoever sends a file whose placing failed an hour's pause ago has it placed now, in the more urgent lane."""
    await api.uploaded(JPEG)
    await do(pool, "update asset_stages set next_at = now() + interval '1 hour', failures = 9 where stage = 'place'")

    answer = await api.client.post("/api/v1/assets?lane=bulk", files={"file": ("photo.jpg", JPEG)})

    assert answer.json()["data"]["status"] == "processing"
    assert await ask(pool, "select next_at <= now(), failures, lane from asset_stages where stage = 'place'") == [
        (True, 0, 0)
    ]


async def test_a_person_takes_a_file_out_of_the_bulk_lane(api: Api, pool: Pool) -> None:
    """Whoever sends a file that waits there has it ready as if it were new; a bulk upload pushes nobody back."""
    await api.batch(parts(JPEG), lane="bulk")
    await api.uploaded(JPEG)
    assert await ask(pool, "select lane from asset_stages") == [0, 0]

    await api.batch(parts(JPEG), lane="bulk")
    assert await ask(pool, "select lane from asset_stages") == [0, 0]


async def test_a_bulk_repetition_of_a_finished_file_is_checked_in_the_bulk_lane(
    api: Api, pool: Pool, ingest: Ingest
) -> None:
    """Importing a folder again does not hold up people."""
    await api.uploaded(JPEG)
    await place_all(pool, ingest)

    await api.batch(parts(JPEG), lane="bulk")

    assert await ask(pool, "select lane, state from asset_stages where stage = 'place'") == [(1, "pending")]


async def test_a_bit_that_flips_on_the_way_is_noticed(api: Api, pool: Pool, repository: Repository) -> None:
    """Of two hundred uploads that a broken proxy changed by one bit, none is taken."""
    content, announced = JPEG * 3, {"X-Content-Hash": blake3(JPEG * 3).hexdigest()}

    answers = [
        await api.upload(flipped(content, bit), headers=announced)
        for bit in range(24, 8 * len(content), 8 * len(content) // 199)
    ][:200]

    assert [answer.status_code for answer in answers] == [422] * len(answers)
    assert len(answers) >= 199
    assert await ask(pool, "select 1 from uploads union all select 1 from assets") == []
    assert staged(repository) == []


async def test_a_bit_that_flips_in_staging_is_noticed(
    api: Api, pool: Pool, repository: Repository, ingest: Ingest
) -> None:
    """What a disk changed between staging and placing is not placed, and its sender is told to send it again."""
    sent = await api.uploaded()
    (path,) = staged(repository)
    path.write_bytes(flipped(JPEG, 8 * 3000 + 5))

    with pytest.raises(Reject, match="upload the file again"):
        await ingest.place(await claim(pool, Stage.PLACE))
    await do(pool, f"update asset_stages {FAILED} 'place'")

    assert (await state_of(api, sent["task_id"]))["state"] == "failed"
    assert await precheck(api, JPEG) == []
    again = await api.uploaded()
    await place_all(pool, ingest)
    assert again["asset_id"] == sent["asset_id"]
    assert await ask(pool, "select state from file_records") == ["present"]


async def state_of(api: Api, task: int) -> dict[str, Any]:
    answer = await api.client.get(f"{UPLOADS}/{task}")
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def listed(api: Api, **parameters: str | int) -> dict[str, Any]:
    answer = await api.client.get(UPLOADS, params=parameters)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def precheck(api: Api, *contents: bytes) -> list[dict[str, Any]]:
    answer = await api.client.post(PRECHECK, json={"hashes": [blake3(content).hexdigest() for content in contents]})
    assert answer.status_code == 200, answer.text
    known: list[dict[str, Any]] = answer.json()["data"]["known"]
    return known


def flipped(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
