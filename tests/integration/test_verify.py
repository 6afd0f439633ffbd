import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from common import files, layout, stages
from common.db import Pool
from common.stages import Stage
from ingest.handlers import Ingest
from lumilio import verify as oracle
from lumilio.verify import Ack, verify
from tests.support.given import Repository, User
from tests.support.rows import do
from tests.support.staging import stage

PHOTO = b"\xff\xd8\xff a photo"

Damage = Callable[[Path, Path], str]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing moves in these tests, so the second look need not wait."""
    monkeypatch.setattr(oracle, "SECOND_LOOK_SECONDS", 0)


@pytest.fixture
async def placed(pool: Pool, repository: Repository, user: User) -> Path:
    """A photo in its place, and another one that waits in staging."""
    for content in (PHOTO, PHOTO + b" that waits"):
        await stage(
            pool, repository_id=repository.repository_id, root=repository.root, owner=user.user_id, content=content
        )
    claim = await stages.claim_next(pool, Stage.PLACE, lease_seconds=60)
    assert claim is not None
    await Ingest(pool).place(claim)
    return next(Path(os.fsdecode(repository.root), "inbox").rglob("*.jpg"))


async def wrong(database_url: str, *acks: Ack) -> set[str]:
    """The numbers of the invariants that do not hold."""
    said: list[str] = []
    sound = await verify(database_url, acks=acks, say=said.append)
    numbers = {line.split()[1] for line in said if line.startswith("WRONG")}
    assert sound == (not numbers)
    return numbers


async def test_a_sound_system_has_nothing_wrong(database_url: str, placed: Path) -> None:
    """No false alarm."""
    assert await wrong(database_url) == set()


def vanish(original: Path, _: Path) -> str:
    original.unlink()
    return "I2"


def rot(original: Path, _: Path) -> str:
    status = original.stat()
    original.chmod(0o600)
    original.write_bytes(PHOTO[:-1] + b"?")
    os.utime(original, ns=(status.st_atime_ns, status.st_mtime_ns))
    return "I2"


def lose_a_staged_upload(_: Path, staging: Path) -> str:
    next(staging.iterdir()).unlink()
    return "I3"


def change_a_staged_upload(_: Path, staging: Path) -> str:
    next(staging.iterdir()).write_bytes(PHOTO)
    return "I3"


def add_to_the_inbox(original: Path, _: Path) -> str:
    original.with_name("stray.jpg").write_bytes(PHOTO)
    return "I4"


def leave_in_staging(_: Path, staging: Path) -> str:
    (staging / f"{uuid4()}.part").write_bytes(PHOTO)
    return "I5"


def replace_by_a_folder(original: Path, _: Path) -> str:
    original.unlink()
    original.mkdir()
    return "I2"


def touch(original: Path, _: Path) -> str:
    os.utime(original)
    return "I11"


@pytest.mark.parametrize(
    "damage",
    [
        vanish,
        rot,
        lose_a_staged_upload,
        change_a_staged_upload,
        add_to_the_inbox,
        leave_in_staging,
        replace_by_a_folder,
        touch,
    ],
    ids=lambda damage: damage.__name__,
)
async def test_each_damage_on_disk_is_found(
    database_url: str, repository: Repository, placed: Path, damage: Damage
) -> None:
    """Whatever happens to a file breaks just the promise that covers it."""
    expected = damage(placed, Path(os.fsdecode(repository.root), ".lumilio/staging/incoming"))

    assert await wrong(database_url) == {expected}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("delete from file_records", {"I2", "I4"}),
        (
            "update asset_stages set state = 'running', next_at = now(), lease_until = now() - interval '2 min'",
            {"I6"},
        ),
        ("update outbox set created_at = now() - interval '2 min'", {"I7"}),
        ("update asset_stages set state = 'failed', next_at = null, error = 'unannounced'", {"I10"}),
    ],
    ids=["records lost", "dead worker", "silent relay", "unannounced failure"],
)
async def test_each_damage_in_the_record_is_found(
    database_url: str, placed: Path, pool: Pool, statement: str, expected: set[str]
) -> None:
    """Rows that lie about the disk, or that nobody works on, are told."""
    await do(pool, statement)

    assert await wrong(database_url) == expected


async def test_an_acknowledgement_without_its_asset_is_found(database_url: str, placed: Path) -> None:
    """What a client was told is compared with what the server has."""
    assert await wrong(database_url, Ack(asset_id=uuid4(), content_hash="00" * 32)) == {"I1"}


async def test_an_acknowledgement_of_other_bytes_is_found(database_url: str, placed: Path, pool: Pool) -> None:
    """The asset alone does not count: its content must be the one that was acknowledged."""
    async with pool.connection() as conn:
        ((asset_id,),) = await (await conn.execute("select asset_id from assets limit 1")).fetchall()

    assert await wrong(database_url, Ack(asset_id=asset_id, content_hash="00" * 32)) == {"I1"}


async def test_a_changed_thumbnail_is_found(
    database_url: str, repository: Repository, placed: Path, pool: Pool
) -> None:
    """Derived files are compared with their rows too."""
    path = layout.THUMBNAILS + b"/small/t.webp"
    files.write_derived(repository.root, path, b"other bytes")
    async with pool.connection() as conn:
        await conn.execute(
            """
            insert into thumbnails (asset_id, size, repository_id, path, mime_type, width, height, bytes, hash)
            select asset_id, 'small', %s, %s, 'image/webp', 1, 1, 1, %s from assets limit 1
            """,
            (repository.repository_id, path, bytes(32)),
        )

    assert await wrong(database_url) == {"I12"}
