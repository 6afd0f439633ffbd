"""What the stages of meaning keep of what servers answer, and what they do where there is nothing to look at."""

import os
from pathlib import Path

import msgspec
import pytest

from common.bus import Bus
from common.db import Pool
from ml_dispatcher import sightings
from ml_dispatcher.answers import Bad
from ml_dispatcher.tasks import Task
from tests.support import thumbs
from tests.support.given import Repository, User
from tests.support.inference import Fake, says, served
from tests.support.meaning import many_pictured, pictured, staffed
from tests.support.rows import ask, do, row
from tests.support.waiting import until

LABELS = "select label, round(score::numeric, 2)::float8, source, model from labels order by score desc, label"
EMBEDDED = "select count(*), count(distinct asset_id) from embeddings"
RENDERED = """
    update asset_stages set state = 'done', next_at = null, changed_at = '2020-01-01' where stage = 'render'
"""
OTHERS = """
    insert into labels (asset_id, label, owner_id, sort_at, score, source, model)
    select asset_id, label, owner_id, sort_at, score, 'learnt', 'mine'
    from assets, (values ('dog', 0.4), ('my cat', 0.9), ('sea', 0.99)) said (label, score)
"""


def labelled(*labels: tuple[str, float]) -> bytes:
    told = [{"label": label, "score": score} for label, score in labels]
    return msgspec.json.encode({"labels": told, "model_id": "bio"})


async def settled(pool: Pool, stage: str, count: int = 1) -> None:
    """So many assets have ended a stage."""
    question = f"select 1 from asset_stages where stage = '{stage}' and next_at is null having count(*) = {count}"
    await until(lambda: ask(pool, question), what=f"{stage} is settled")


async def test_labels_and_findings_are_kept_as_they_were_told(
    pool: Pool, bus: Bus, repository: Repository, user: User
) -> None:
    """With score, source and model; renewed as a whole, and what people taught comes back where a model was surer."""
    asset = await pictured(pool, repository, user)
    await thumbs.keep(pool, repository, asset, "medium", b"larger")
    await do(pool, OTHERS)
    fake = Fake(tasks=("bioclip_classify", "face_recognition", "ocr"))
    fake.answers["bioclip_classify"] = labelled(("dog", 0.7), ("sea", 0.5), ("cat\0 \n", 0.2), ("none", 0.001))
    fake.answers["face_recognition"] = b'{"faces": [{"bbox": [1, 2, 3, 4], "confidence": 0.9}], "model_id": "face"}'
    fake.answers["ocr"] = b'{"items": [], "model_id": "ocr", "count": 0}'
    async with served(fake), staffed(pool, bus, fake):
        for stage in ("classify", "faces", "texts"):
            await settled(pool, stage)
        first = await ask(pool, LABELS)
        fake.answers["bioclip_classify"] = labelled(("bird", 0.6))
        await do(pool, "update asset_stages set state = 'pending', next_at = now() where stage = 'classify'")
        await until(lambda: ask(pool, "select 1 from labels where label = 'bird'"))

    learnt = [("sea", 0.99, "learnt", "mine"), ("my cat", 0.9, "learnt", "mine")]
    told = [("dog", 0.7, "bioclip_classify", "bio"), ("cat", 0.2, "bioclip_classify", "bio")]
    assert first == [*learnt, *told]
    assert await ask(pool, LABELS) == [
        *learnt,
        ("bird", 0.6, "bioclip_classify", "bio"),
        ("dog", 0.4, "learnt", "mine"),
    ]
    assert fake.asked["ocr"] == [b"larger"]
    found = await ask(pool, "select stage, model, found ->> 'model_id' from findings order by stage")
    assert found == [("faces", "face", "face"), ("texts", "ocr", "ocr")]
    assert len(await ask(pool, "select 1 from outbox where subject = 'lumilio.asset.classified'")) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"[]",
        b'{"labels": [{"label": 1, "score": 1}]}',
        labelled(("x", 7.0)),
        b'{"labels": [{"label": "a", "score": 1e999}]}',
    ],
)
def test_labels_that_cannot_be_right_are_refused(answer: bytes) -> None:
    """Whatever a server says, no label of it has a score that is none."""
    with pytest.raises(Bad):
        sightings.labels(answer)


FACE = b'{"faces": [{"bbox": [1, 2, 3, 4.5], "confidence": 0.9, "landmarks": [1, 2], "embedding": [0.1]}], "count": 1}'
TEXT = b'{"items": [{"box": [[1, 2], [3, 4], [5, 6]], "text": "exit", "confidence": 1}], "count": 1, "model_id": "ocr"}'


def test_findings_that_cannot_be_right_are_refused() -> None:
    """What the protocol says of them must fit, the rest may be anything that the database takes."""
    assert sightings.finding(Task.FACES, FACE).found["faces"][0]["landmarks"] == [1, 2]  # type: ignore[index]
    assert sightings.finding(Task.TEXTS, TEXT).model == "ocr"

    wrong = {
        Task.FACES: (
            *(
                b"[1]",
                b"{" * 5000,
                b'{"items": []}',
                FACE + b"}",
                FACE.replace(b"0.9", b"9"),
                FACE.replace(b"0.9", b"NaN"),
            ),
            *(FACE.replace(b"[1, 2, 3, 4.5]", b"[1, 2, 3]"), FACE.replace(b"[0.1]", b"[" + b"0," * 4000 + b"0]")),
            *(FACE.replace(b"[0.1]", b"[1e999]"), FACE.replace(b'"count": 1', b'"a": "\\u0000"')),
            *(FACE.replace(b'"count": 1', b'"a": "\\ud800"'), FACE.replace(b"1}", b'"' + b"x" * (4 << 20) + b'"}')),
            b'{"faces": [' + b",".join([b'{"bbox": [1, 2, 3, 4], "confidence": 1}'] * 1001) + b"]}",
        ),
        Task.TEXTS: (
            FACE,
            TEXT.replace(b"[1, 2], ", b""),
            TEXT.replace(b"exit", b"x" * 10_001),
            TEXT.replace(b"1}", b"2}"),
        ),
    }
    for task, bodies in wrong.items():
        for body in bodies:
            with pytest.raises(Bad):
                sightings.finding(task, body)


def test_only_the_surest_labels_are_kept() -> None:
    """Ten of them, the surest first."""
    many = sightings.labels(labelled(*((f"label {number}", 0.5 + number / 1000) for number in range(100))))
    assert [one.label for one in many.labels] == [f"label {number}" for number in range(99, 89, -1)]


async def test_a_lost_thumbnail_is_rendered_again_once(
    pool: Pool, bus: Bus, repository: Repository, user: User
) -> None:
    """Rendering becomes due and the stage waits; where that did not help it fails with its reason."""
    lost, offline = await pictured(pool, repository, user, 0), await pictured(pool, repository, user, 1)
    nothing = await pictured(pool, repository, user, 2)
    await do(
        pool, "update asset_stages set state = 'done', next_at = null, changed_at = '2020-01-01' where stage = 'render'"
    )
    await do(pool, f"update thumbnails set hash = sha256('other') where asset_id in ('{lost}', '{offline}')")
    await do(pool, f"update thumbnails set repository_id = repository_id, size = 'medium' where asset_id = '{nothing}'")
    await do(pool, f"update asset_stages set changed_at = now() where stage = 'render' and asset_id = '{offline}'")
    fake = Fake()
    async with served(fake), staffed(pool, bus, fake):
        await until(lambda: ask(pool, "select 1 from asset_stages where stage = 'render' and state = 'pending'"))
        await settled(pool, "embed:1", 2)
    again, failed = await row(pool, lost, "embed:1"), await row(pool, offline, "embed:1")
    assert (again["state"], again["failures"], again["deaths"]) == ("pending", 0, 0)
    assert "rendered again" in again["error"]
    assert (failed["state"], failed["error_class"]) == ("failed", "permanent")
    assert "look after the disk" in failed["error"]
    assert (await row(pool, nothing, "embed:1"))["state"] == "done", "where there is no picture there is no vector"
    assert await ask(pool, EMBEDDED) == [(0, 0)]


async def test_a_repository_that_is_away_is_waited_for(
    pool: Pool, bus: Bus, repository: Repository, user: User
) -> None:
    """Nothing is rendered again, and nothing fails."""
    asset = await pictured(pool, repository, user)
    await do(
        pool, "update asset_stages set state = 'done', next_at = null, changed_at = '2020-01-01' where stage = 'render'"
    )
    root = Path(os.fsdecode(repository.root))
    root.rename(root.with_name("away"))
    fake = Fake()
    try:
        async with served(fake), staffed(pool, bus, fake):
            await until(lambda: ask(pool, "select 1 from asset_stages where stage = 'embed:1' and error is not null"))
    finally:
        root.with_name("away").rename(root)
    assert (await row(pool, asset, "embed:1"))["state"] == "pending"
    assert (await row(pool, asset, "render"))["state"] == "done"


async def test_of_a_film_each_frame_has_a_vector_or_none_has(
    pool: Pool, bus: Bus, repository: Repository, user: User
) -> None:
    """The poster is frame 0; when a server answers one of them badly nothing is kept, and trying again does it."""
    film = await pictured(pool, repository, user)
    await do(pool, f"update assets set kind = 'video' where asset_id = '{film}'")
    await do(
        pool,
        f"""
        insert into renditions (asset_id, kind, repository_id, path, mime_type, bytes, hash, recipe)
        select asset_id, 'frame_' || n, repository_id, path, 'image/jpeg', bytes, hash, 'at ' || n * 1000
        from thumbnails, generate_series(1, 2) n where asset_id = '{film}'
        """,
    )
    fake = Fake()
    fake.manner = says(b"nonsense")
    async with served(fake), staffed(pool, bus, fake):
        await settled(pool, "embed:1")
        assert (await row(pool, film, "embed:1"))["state"] == "failed"
        assert await ask(pool, EMBEDDED) == [(0, 0)]
        fake.manner = Fake().manner
        await do(pool, "update asset_stages set state = 'pending', next_at = now() where stage = 'embed:1'")
        await until(lambda: ask(pool, "select 1 from embeddings having count(*) = 3"))
    assert await ask(pool, "select frame, at_ms from embeddings order by frame") == [(0, None), (1, 1000), (2, 2000)]


async def test_five_hundred_that_wait_for_a_server_are_caught_up_with(
    pool: Pool, bus: Bus, repository: Repository, user: User
) -> None:
    """They were queued while it was stopped: each has its vector, and not one failure or death was counted."""
    await many_pictured(pool, repository, user, 500)
    fake = Fake(slots=16)
    async with served(fake), staffed(pool, bus, fake):
        await until(lambda: ask(pool, "select 1 from inference_stages where filled_at > begun_at"))
    await do(pool, "update asset_stages set state = 'pending', next_at = now() where stage = 'embed:1'")
    await do(pool, "delete from embeddings")
    async with staffed(pool, bus, fake):
        async with served(fake):
            await until(lambda: ask(pool, "select 1 from embeddings having count(*) > 100"), seconds=60)
        async with served(fake):
            await until(lambda: ask(pool, "select 1 from embeddings having count(*) = 500"), seconds=60)
            await settled(pool, "embed:1", 500)
    counted = "select state, sum(failures), sum(deaths), count(*) from asset_stages where stage = 'embed:1' group by 1"
    assert await ask(pool, counted) == [("done", 0, 0, 500)]
