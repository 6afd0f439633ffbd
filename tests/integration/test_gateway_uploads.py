"""An upload that was answered with success is on the disk and in the database; any other one leaves nothing."""

import asyncio
import errno
import itertools
import os
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
from blake3 import blake3

from common import formats, layout
from common.db import Pool
from common.stages import Stage
from gateway import disks
from ingest.handlers import Ingest
from tests.support import films, recordings
from tests.support.gateway import JPEG, Api, form, nothing_left, parts, post, rows, serving, staged
from tests.support.given import Repository, User
from tests.support.placing import originals, place_all
from tests.support.rows import claim, do
from tests.support.waiting import until


@pytest.fixture
async def api(pool: Pool, repository: Repository, user: User) -> AsyncIterator[Api]:
    async with serving(pool, max_upload_bytes=1_000_000) as served:
        await served.enter(user.username)
        yield served


async def test_an_answered_upload_is_on_the_disk_and_has_rows(api: Api, pool: Pool, repository: Repository) -> None:
    """Success means: these very bytes lie in staging, with an asset, an upload, due work and an event."""
    answer = await api.uploaded(JPEG, name="beach.jpg")

    assert answer["status"] == "processing"
    assert answer["content_hash"] == blake3(JPEG).hexdigest()
    assert answer["size"] == len(JPEG)
    assert answer["file_name"] == "beach.jpg"
    uploads = await rows(pool, "select upload_id, asset_id::text, state from uploads")
    assert uploads == [(answer["task_id"], answer["asset_id"], "staged")]
    stages = await rows(pool, "select stage, state from asset_stages order by stage")
    assert stages == [("place", "pending"), ("render", "blocked")]
    assert await rows(pool, "select subject from outbox") == [("lumilio.upload.staged",)]
    assert [path.read_bytes() for path in staged(repository)] == [JPEG]


async def test_nobody_is_told_before_the_bytes_are_durable_and_have_rows(
    api: Api, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is synced, then its folder, then the rows are committed, then the client hears of it."""
    events: list[str] = []
    fsync, commit = os.fsync, psycopg.AsyncConnection.commit

    def recorded_fsync(descriptor: int) -> None:
        fsync(descriptor)
        events.append(os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}")))

    async def recorded_commit(conn: "psycopg.AsyncConnection[Any]") -> None:
        await commit(conn)
        events.append("commit")

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(psycopg.AsyncConnection, "commit", recorded_commit)

    await api.uploaded()
    events.append("answer")

    (name,) = (path.name for path in staged(repository))
    assert events[events.index(name) :] == [name, "incoming", "commit", "answer"]


async def test_an_fsync_that_fails_never_ends_in_success(
    api: Api, pool: Pool, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever sync the disk refuses, the client hears of a failure and nothing is left behind."""
    monkeypatch.setattr(disks, "WINDOW_SECONDS", 0)  # every upload is tried, however often the disk failed before
    fsync, failed = os.fsync, 0
    for failing in itertools.count():
        calls = itertools.count()

        def failing_fsync(descriptor: int, calls: "itertools.count[int]" = calls, failing: int = failing) -> None:
            if next(calls) == failing:
                raise OSError(errno.EIO, "the disk says no")
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", failing_fsync)
        answer = await api.upload()
        if answer.status_code == 200:
            break
        failed += 1
        assert answer.status_code == 500
        assert answer.json() == {"code": 500, "message": WRONG, "error": WRONG}
        assert await nothing_left(pool, repository)

    assert failed >= 2


async def test_a_disk_that_keeps_failing_gets_no_more_uploads(
    api: Api, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three errors the answer comes at once, says what to do, and nothing is tried on the disk."""

    def failing(_: int) -> None:
        raise OSError(errno.EIO, "the disk says no")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        for _ in range(disks.FAILURES):
            assert (await api.upload()).status_code == 500

    answer = await api.upload()
    assert answer.status_code == 503
    assert "check it" in answer.json()["error"]


async def test_a_file_that_lost_its_name_is_not_acknowledged(
    api: Api, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever tidies staging while a file arrives costs the client a repetition, not the photo."""
    fsync = os.fsync

    def tidied(descriptor: int) -> None:
        fsync(descriptor)
        for path in staged(repository):
            path.unlink()

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", tidied)
        answer = await api.upload()

    assert answer.status_code == 503
    assert "send it again" in answer.json()["error"]


async def test_no_answer_names_a_path_of_the_server(api: Api, repository: Repository) -> None:
    """Clients hear what is wrong, not where things lie."""
    os.unlink(os.path.join(repository.root, layout.MARKER))

    answer = await api.upload()

    assert answer.status_code == 503
    assert os.fsdecode(os.path.dirname(repository.root)) not in answer.text


async def test_who_sends_to_a_repository_that_is_away_hears_why(api: Api, pool: Pool, repository: Repository) -> None:
    """Also once it is known to be away: a disk that is gone is no lack of rights."""
    os.rename(repository.root, repository.root + b".gone")
    await do(pool, "update repositories set state = 'offline', offline_reason = 'its folder is gone'")

    answer = await api.upload()

    assert answer.status_code == 503
    assert "is its disk mounted?" in answer.json()["error"]


async def test_a_full_disk_is_told(
    api: Api, pool: Pool, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no room the answer says so and the part that fitted is removed."""

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    answer = await api.upload()

    assert (answer.status_code, answer.json()["message"]) == (507, "the disk is full")
    assert await nothing_left(pool, repository)


async def test_a_database_that_is_away_costs_the_upload_and_no_bytes(
    api: Api, pool: Pool, repository: Repository
) -> None:
    """A transaction that fails is an outage for the client, and leaves nothing in staging."""
    async with pool.connection() as conn:
        await conn.execute("alter table uploads add constraint broken check (size < 0)")
    answer = await api.upload()

    assert answer.status_code == 500
    assert "constraint" not in answer.text
    assert await nothing_left(pool, repository)


async def test_a_client_that_vanishes_leaves_nothing(api: Api, pool: Pool, repository: Repository) -> None:
    """A reset connection in the middle of a file ends the upload."""
    _, writer = await asyncio.open_connection("127.0.0.1", api.port)
    writer.write(post(api, form(JPEG * 40), length=1 << 19)[:100_000])
    await until(lambda: len(staged(repository)) == 1)

    writer.transport.abort()

    assert await until(lambda: nothing_left(pool, repository))


async def test_an_empty_file_is_refused(api: Api, pool: Pool, repository: Repository) -> None:
    """No bytes are no photo."""
    answer = await api.upload(b"")

    assert (answer.status_code, answer.json()["error"]) == (422, "the file is empty")
    assert await nothing_left(pool, repository)


async def test_unknown_families_are_refused_with_a_reason(api: Api, pool: Pool, repository: Repository) -> None:
    """What we know no decoder for is not stored, whatever it is called."""
    unknown = [b"<svg/>", b"MZ" + b"\0" * 9000, b"PK\x03\x04" * 3000, b"%PDF-1.7", b"plain text" * 900]
    answers = [await api.upload(content, name="photo.jpg") for content in unknown]

    assert {answer.status_code for answer in answers} == {415}
    assert all(formats.taken_formats() in answer.json()["error"] for answer in answers)
    assert await nothing_left(pool, repository)


@pytest.mark.parametrize(
    ("content", "kind", "mime"),
    [
        (films.film("mp4", channels=1), "video", "video/mp4"),
        (recordings.recording("mp4"), "audio", "audio/mp4"),
        (recordings.recording("webm"), "audio", "audio/webm"),
        (films.film("mkv", channels=1), "video", "video/x-matroska"),
        (recordings.recording("mp3", tags={"title": "A title " * 1000}), "audio", "audio/mpeg"),
    ],
)
async def test_what_only_sounds_is_no_video(api: Api, pool: Pool, content: bytes, kind: str, mime: str) -> None:
    """A container that could hold a video is what it holds."""
    await api.uploaded(content, name="VID_1.mp4")

    assert await rows(pool, "select kind, mime_type from assets") == [(kind, mime)]


async def test_a_tag_without_a_recording_is_refused(api: Api, pool: Pool, repository: Repository) -> None:
    """What the first bytes promise has to be there when all have come."""
    answer = await api.upload(b"ID3\x04\0\0\0\0\x40\0" + bytes(100_000), name="song.mp3")

    assert answer.status_code == 415
    assert await nothing_left(pool, repository)


async def test_the_announced_hash_is_compared(api: Api, pool: Pool, repository: Repository) -> None:
    """A file that changed on its way is refused; the right hash passes in either case of letters."""
    right = blake3(JPEG).hexdigest()

    wrong = await api.upload(headers={"X-Content-Hash": blake3(b"other").hexdigest()})
    assert wrong.status_code == 422
    for malformed in ("", "0", "g" * 64, right[:-1], right + "00", "-" * 64, f"sha256:{right}", f"{right}, {right}"):
        assert (await api.upload(headers={"X-Content-Hash": malformed})).status_code == 400
    assert await nothing_left(pool, repository)

    assert (await api.upload(headers={"X-Content-Hash": right.upper()})).status_code == 200


async def test_without_its_marker_a_repository_takes_nothing(api: Api, pool: Pool, repository: Repository) -> None:
    """A mount that is gone is an outage: no folder is made and no byte is written in its place."""
    os.rename(repository.root, repository.root + b".gone")
    answer = await api.upload()

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert not os.path.exists(repository.root)
    assert await rows(pool, "select 1 from uploads union all select 1 from assets") == []


async def test_an_unknown_repository_is_not_found(api: Api, repository: Repository) -> None:
    """A repository that is named must exist; the default one can be named too."""
    fields = {"repository_id": "01a20581-cc26-7657-838b-3f33d2afa25e"}
    unknown = await api.client.post("/api/v1/assets", data=fields, files={"file": ("a.jpg", JPEG)})
    named = {"repository_id": str(repository.repository_id), "note": "ignored", "owner_id": "77"}
    known = await api.client.post("/api/v1/assets", data=named, files={"file": ("a.jpg", JPEG)})

    assert (unknown.status_code, known.status_code) == (404, 200)


async def test_the_same_content_sixteen_times_at_once_is_one_asset(
    api: Api, pool: Pool, repository: Repository
) -> None:
    """Simultaneous uploads of one file all succeed, for one asset, and each keeps its bytes until it is settled."""
    answers = await asyncio.gather(*(api.uploaded(name=f"{number}.jpg") for number in range(16)))

    assert len({answer["asset_id"] for answer in answers}) == 1
    assert len({answer["task_id"] for answer in answers}) == 16
    counts = "select (select count(*) from assets), (select count(*) from uploads), (select count(*) from outbox)"
    assert await rows(pool, counts) == [(1, 16, 16)]
    assert [path.read_bytes() for path in staged(repository)] == [JPEG] * 16


async def test_uploads_that_race_with_their_placing_are_one_asset(
    api: Api, pool: Pool, repository: Repository, ingest: Ingest
) -> None:
    """Eight uploads of one file at once, single and in batches, while it is being placed: one asset, one original."""

    async def single() -> str:
        return str((await api.uploaded())["asset_id"])

    async def batch() -> str:
        (result,) = (await api.batch(parts(JPEG))).json()["data"]["results"]
        return str(result["asset_id"])

    sent = [asyncio.create_task(send()) for send in (single, batch) * 4]
    while not all(sending.done() for sending in sent):
        await place_all(pool, ingest)
    await place_all(pool, ingest)

    assert len({await sending for sending in sent}) == 1
    assert list(originals(repository).values()) == [JPEG]
    assert await rows(pool, "select state, count(*) from uploads group by state order by state") == [
        ("duplicate", 7),
        ("stored", 1),
    ]
    assert staged(repository) == []


async def test_a_duplicate_of_a_stored_asset_is_told_and_checked_again(api: Api, pool: Pool, ingest: Ingest) -> None:
    """Known content answers with its asset, and its placing is due again so that the stored copy is verified."""
    first = await api.uploaded()
    await place_all(pool, ingest)

    second = await api.uploaded(name="again.jpg")

    assert (second["status"], second["asset_id"]) == ("duplicate", first["asset_id"])
    assert await rows(pool, PLACE) == [("pending", True, None)]


async def test_a_lost_original_is_no_duplicate(api: Api, pool: Pool, ingest: Ingest) -> None:
    """Nobody is told that they have a file whose stored bytes are known to be gone."""
    await api.uploaded()
    await place_all(pool, ingest)
    await do(pool, "update file_records set state = 'missing'")

    assert (await api.uploaded())["status"] == "processing"


async def test_sending_again_retries_a_failed_placing(api: Api, pool: Pool) -> None:
    """A new copy of the bytes gives a failed asset a new chance."""
    await api.uploaded()
    await do(
        pool,
        "update asset_stages set state = 'failed', next_at = null, failures = 10, error = 'no' where stage = 'place'",
    )

    assert (await api.uploaded())["status"] == "processing"

    assert await rows(pool, PLACE) == [("pending", True, None)]


async def test_a_placing_that_is_under_way_is_left_alone(api: Api, pool: Pool) -> None:
    """A running worker keeps its lease; it looks for new uploads before it settles."""
    await api.uploaded()
    await claim(pool, Stage.PLACE)

    await api.uploaded()

    assert await rows(pool, PLACE) == [("running", True, None)]


WRONG = "something went wrong on the server"
PLACE = "select state, next_at <= now(), error from asset_stages where stage = 'place'"
