"""What lies on the disk by the manifests and has no row is brought back as it was."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes
from uuid import UUID

import msgspec
import pytest
from blake3 import blake3

from common import files, layout, trash
from common.db import Pool
from common.marker import Strategy
from ingest.handlers import Ingest
from lumilio.rebuild.adopting import Summary
from lumilio.rebuild.run import adopt_missing
from tests.support.gateway import JPEG, Api
from tests.support.given import Repository, User
from tests.support.placing import PHOTO, keep, originals, paths, place_all, placed, staging
from tests.support.purging import throw
from tests.support.relocating import relocated
from tests.support.rows import ask, do
from tests.support.scanning import Disk

ASSETS = """
    select asset_id, owner_id, encode(content_hash, 'hex'), size, kind, mime_type, original_filename, uploaded_at,
           trashed_at, trash_reason
    from assets
    order by asset_id
"""
WHOLE = "select to_jsonb(a), to_jsonb(f) from assets a join file_records f using (asset_id)"
RECORDS = "select repository_id, path, asset_id, size, modified_ns, state, trashed_from from file_records order by path"


async def forget(pool: Pool) -> None:
    """As if a backup from before all photos had been restored."""
    for table in ("file_records", "uploads", "assets"):
        await do(pool, f"delete from {table}")


async def adopted(database_url: str) -> tuple[Summary, list[str]]:
    """What bringing back came to, and what was said."""
    said: list[str] = []
    return await adopt_missing(database_url, say=said.append), said


@pytest.mark.parametrize("strategy", ["date", "flat", "cas"])
async def test_what_was_uploaded_after_a_backup_is_brought_back(
    database_url: str, pool: Pool, repository: Repository, user: User, strategy: Strategy, sound: None
) -> None:
    """Assets have their ids, owners, names and times again, wherever their repository keeps them, and are rendered."""
    keep(repository, strategy=strategy)
    for number in range(3):
        await placed(pool, repository, user, PHOTO + b"%d" % number, f"p{number}.jpg")
    assets, records = await ask(pool, ASSETS), await ask(pool, RECORDS)
    await forget(pool)

    await adopt_missing(database_url)

    assert await ask(pool, ASSETS) == assets
    assert await ask(pool, RECORDS) == records
    assert await ask(pool, "select state from asset_stages where stage = 'render'") == ["pending"] * 3


async def test_bringing_back_again_changes_nothing(
    database_url: str, pool: Pool, repository: Repository, user: User, sound: None
) -> None:
    """A catalogue in which nothing is missing stays as it is."""
    await placed(pool, repository, user, PHOTO)
    await forget(pool)
    await adopt_missing(database_url)
    before = await ask(pool, WHOLE)

    summary, _ = await adopted(database_url)

    assert summary.counts["originals brought back"] == 0
    assert await ask(pool, WHOLE) == before


async def test_what_was_thrown_away_is_in_the_trash_again(
    database_url: str, pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """With the time, the reason and the place that it goes back to."""
    await throw(pool, user, await placed(pool, repository, user, PHOTO))
    assets, records = await ask(pool, ASSETS), await ask(pool, RECORDS)
    await forget(pool)

    await adopt_missing(database_url)

    assert await ask(pool, ASSETS) == assets
    assert await ask(pool, RECORDS) == records


async def test_what_was_thrown_away_after_a_backup_is_in_the_trash(
    database_url: str, pool: Pool, repository: Repository, user: User, sound: None
) -> None:
    """Rows that tell where it lay before follow it."""
    asset = await placed(pool, repository, user, PHOTO)
    ((path,),) = [(path,) for path in await ask(pool, "select path from file_records")]
    await throw(pool, user, asset)
    assets, records = await ask(pool, ASSETS), await ask(pool, RECORDS)
    await do(pool, "update assets set trashed_at = null, trash_reason = null")
    await do(pool, f"update file_records set trashed_from = null, path = '\\x{path.hex()}'")

    await adopt_missing(database_url)

    assert await ask(pool, ASSETS) == assets
    assert await ask(pool, RECORDS) == records


@pytest.mark.parametrize("has_note", [True, False])
async def test_what_was_thrown_away_long_ago_has_the_whole_time_of_the_trash(
    database_url: str, pool: Pool, repository: Repository, user: User, *, has_note: bool
) -> None:
    """Nothing goes for good before people could look, whatever its note says, or the date of its file without one."""
    asset = await placed(pool, repository, user, PHOTO)
    await do(pool, f"update assets set trashed_at = '2001-02-03', trash_reason = 'x' where asset_id = '{asset}'")
    await do(pool, "update asset_stages set state = 'pending', next_at = now() where stage = 'place'")
    await place_all(pool, Ingest(pool))
    path = Path(os.fsdecode(repository.root), os.fsdecode(layout.trashed(asset, b"p.jpg")))
    os.utime(path, (981_000_000, 981_000_000))
    if not has_note:
        Path(f"{path}.json").unlink()
    await forget(pool)

    await adopt_missing(database_url)

    assert await ask(pool, "select trashed_at > now() - interval '2 hours' from assets") == [True]


async def test_what_was_taken_back_after_a_backup_stays_so(
    database_url: str, pool: Pool, repository: Repository, user: User, sound: None
) -> None:
    """Its file lies in the inbox and not in the trash, so it does not go for good after the trash's time."""
    asset = await placed(pool, repository, user, PHOTO)
    await throw(pool, user, asset)
    ((path, home),) = await ask(pool, "select path, trashed_from from file_records")
    await take_back(pool, user, asset)
    await do(pool, "update assets set trashed_at = now(), trash_reason = 'as it was at the backup'")
    await do(pool, f"update file_records set path = '\\x{path.hex()}', trashed_from = '\\x{home.hex()}'")

    await adopt_missing(database_url)
    await place_all(pool, Ingest(pool))

    assert await ask(pool, "select trashed_at from assets") == [None]
    assert (originals(repository), paths(repository, layout.TRASH)) == ({"p.jpg": PHOTO}, {})


async def take_back(pool: Pool, user: User, asset: UUID) -> None:
    """Have an asset out of the trash again, and its file where it belongs."""
    async with pool.connection() as conn:
        await trash.take_back(conn, asset, owner=user.user_id)
    await place_all(pool, Ingest(pool))


async def test_what_was_moved_after_a_backup_lies_where_it_is_now(
    database_url: str, pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """An inbox in another order since is that file by file, and no scan finds all of it missing where it lay before."""
    keep(repository, strategy="flat")
    await placed(pool, repository, user, PHOTO)
    ((before, _),) = await ask(pool, "select path, inode from file_records")
    await relocated(pool, ingest, repository, "date")
    await relocated(pool, ingest, repository, "cas")
    records = await ask(pool, RECORDS)
    await do(pool, f"update file_records set path = '\\x{before.hex()}', display_name = 'p.jpg'")

    summary, _ = await adopted(database_url)

    assert await ask(pool, RECORDS) == records
    assert summary.counts["found where they were moved to"] == 1


async def test_what_came_back_under_another_name_is_found_there(
    database_url: str, pool: Pool, repository: Repository, user: User, sound: None
) -> None:
    """Its old name went to another photo meanwhile; both have their files and owners again."""
    asset = await placed(pool, repository, user, PHOTO + b"1")
    await throw(pool, user, asset)
    await placed(pool, repository, user, PHOTO + b"2")
    await take_back(pool, user, asset)
    records = await ask(pool, RECORDS)
    await forget(pool)

    await adopt_missing(database_url)

    assert await ask(pool, RECORDS) == records
    assert len(records) == 2


async def test_files_in_peoples_folders_are_back(database_url: str, pool: Pool, disk: Disk, sound: None) -> None:
    """What was adopted is brought back as well, with names that are no text."""
    disk.write(b"holiday/b\xffach.jpg", PHOTO)
    await disk.settle()
    assets, records = await ask(pool, ASSETS), await ask(pool, RECORDS)
    await forget(pool)

    await adopt_missing(database_url)

    assert [asset[:7] for asset in await ask(pool, ASSETS)] == [asset[:7] for asset in assets]
    assert await ask(pool, RECORDS) == records


async def test_damaged_manifests_cost_their_lines_alone(
    database_url: str, pool: Pool, repository: Repository, user: User, sound: None
) -> None:
    """Each line that makes no sense or means harm is told with its number, and all others count."""
    await placed(pool, repository, user, PHOTO)
    lines = [
        b"\xff\xfe",
        b'{"path": ',
        b"[" * 70_000,
        NESTED,
        *(msgspec.json.encode(hostile(**one)) for one in HOSTILE),
    ]
    for line in lines:
        files.append_durably(repository.root, b".lumilio/manifests/2020-01-01.jsonl", line)
    await forget(pool)

    summary, said = await adopted(database_url)

    assert summary.counts["a line was passed over"] == len(lines)
    assert any("2020-01-01.jsonl, line 2:" in line for line in said)
    assert await ask(pool, "select original_filename from assets") == ["p.jpg"]


NESTED = b'{"more": ' + b"[" * 30_000 + b"]" * 30_000 + b"}"
HOSTILE: list[dict[str, Any]] = [
    {"path": "/etc/passwd"},
    {"path": "../other/p.jpg"},
    {"path": "inbox/../../p.jpg"},
    {"path": "inbox//p.jpg"},
    {"path": "inbox/p%00.jpg"},
    {"path": "x" * 5000},
    {"path": ".lumilio/trash/p.jpg"},
    {"path": ".lumiliorepo"},
    {"hash": "zz"},
    {"size": -1},
    {"size": 1 << 70},
    {"owner": 0},
    {"owner": 1 << 40},
    {"asset": "nobody"},
    {"uploaded_at": "some day"},
    {"uploaded_at": "0001-01-01T00:00:00+14:00"},
]


def hostile(**odd: Any) -> dict[str, Any]:
    """A line about a file that is there, but for something."""
    good = {"path": "inbox/p.jpg", "name": "p.jpg", "hash": "00" * 32, "size": 1, "owner": 1, "asset": str(UUID(int=1))}
    return good | odd


async def test_a_line_brings_no_file_of_another_repository(
    database_url: str, pool: Pool, repository: Repository, user: User, sound: None
) -> None:
    """Nor what a link leads to, nor what is no longer the size that it had."""
    root = Path(os.fsdecode(repository.root))
    for name in ("nested/p.jpg", "changed.jpg", "elsewhere.jpg"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(PHOTO)
    (root / "nested" / ".lumiliorepo").write_text("id: 7")
    (root / "link.jpg").symlink_to("elsewhere.jpg")
    for path, size in (("nested/p.jpg", len(PHOTO)), ("changed.jpg", 3), ("link.jpg", len(PHOTO)), ("gone.jpg", 3)):
        tell(repository, path=path, size=size, owner=user.user_id, hash=blake3(PHOTO).hexdigest())

    summary, _ = await adopted(database_url)

    assert await ask(pool, "select path from file_records") == []
    assert (summary.counts["not ours"], summary.counts["not what it was"]) == (1, 1)


def tell(repository: Repository, *, path: str, **said: Any) -> None:
    """Add a line to a manifest."""
    line = hostile(path=quote_from_bytes(path.encode()), **said)
    files.append_durably(repository.root, b"/".join((layout.MANIFESTS, b"2020-01-01.jsonl")), msgspec.json.encode(line))


async def test_photos_of_nobody_known_are_kept_for_a_person_of_that_number(
    database_url: str, pool: Pool, repository: Repository, user: User, sound: None
) -> None:
    """Where nothing tells a name, nobody else gets the photos, and nobody can sign in."""
    await placed(pool, repository, user, PHOTO)
    await forget(pool)
    await do(pool, "delete from users")

    await adopt_missing(database_url)

    assert await ask(pool, "select username, password_hash, is_admin from users") == [
        (f"person-{user.user_id}", "!", False)
    ]
    assert await ask(pool, "select owner_id from assets") == [user.user_id]


async def test_who_left_and_of_whom_nothing_is_there_does_not_come_back(
    database_url: str, pool: Pool, repository: Repository, user: User, sound: None
) -> None:
    """A line of somebody whose photo was handed over, or is gone, makes no account."""
    await placed(pool, repository, user, PHOTO)
    (path,) = await ask(pool, "select path from file_records")
    said = {"size": len(PHOTO), "hash": blake3(PHOTO).hexdigest(), "owner": user.user_id + 7}
    tell(repository, path=os.fsdecode(path), **said)
    tell(repository, path="inbox/purged.jpg", **said)
    await forget(pool)

    await adopt_missing(database_url)

    assert await ask(pool, "select owner_id from assets") == await ask(pool, "select user_id from users")


async def test_an_upload_that_waits_for_its_place_is_brought_back(
    database_url: str, pool: Pool, repository: Repository, user: User, api: Api, sound: None
) -> None:
    """It was acknowledged after the backup, and its bytes themselves tell whose they are."""
    await api.upload(JPEG, name="late.jpg")
    await forget(pool)

    await adopt_missing(database_url)
    await place_all(pool, Ingest(pool))

    assert await ask(pool, "select original_filename, owner_id, kind from assets") == [
        ("late.jpg", user.user_id, "photo")
    ]
    assert list(originals(repository).values()) == [JPEG]


async def test_an_upload_that_brought_a_photo_back_from_the_trash_is_not_in_the_trash(
    database_url: str, pool: Pool, repository: Repository, user: User, api: Api, sound: None
) -> None:
    """It was acknowledged after the backup, in which the photo had been thrown away."""
    await api.upload(JPEG)
    await place_all(pool, Ingest(pool))
    await throw(pool, user, *await ask(pool, "select asset_id from assets"))
    await api.upload(JPEG)
    await do(pool, "delete from uploads where state = 'staged'")
    await do(pool, "update assets set trashed_at = now(), trash_reason = 'as it was at the backup'")

    await adopt_missing(database_url)
    await place_all(pool, Ingest(pool))

    assert await ask(pool, "select trashed_at from assets") == [None]
    assert list(originals(repository).values()) == [JPEG]


async def test_half_an_upload_is_none(
    database_url: str, pool: Pool, repository: Repository, user: User, api: Api
) -> None:
    """Nor is one of which nothing tells whose it is: it is told, and stays."""
    await api.upload(JPEG)
    await forget(pool)
    (staged,) = staging(repository)
    with open(os.path.join(repository.root, layout.STAGING, staged), "ab") as file:
        file.truncate(100)

    summary, _ = await adopted(database_url)

    assert (await ask(pool, "select 1 from assets"), summary.counts["an unknown upload"]) == ([], 1)
    assert staging(repository) == [staged]
