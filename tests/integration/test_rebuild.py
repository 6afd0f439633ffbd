"""A database that is lost is made anew from the disk: originals, people, and what they made of their photos."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID

import msgspec
import psycopg
import pytest
from blake3 import blake3

from common import db, files, layout
from common.db import Pool
from ingest import keeping
from lumilio.postgres import Postgres
from lumilio.rebuild.adopting import Summary
from lumilio.rebuild.run import Where, rebuild
from lumilio.refusal import CannotStart
from lumilio.verify import verify
from tests.support import albums, databases, given
from tests.support.albums import another, created, data
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.placing import PHOTO, placed
from tests.support.purging import throw
from tests.support.rows import ask, do
from tests.support.scanning import Disk

OF_ASSETS = """
    select asset_id, owner_id, encode(content_hash, 'hex'), size, kind, mime_type, original_filename, trashed_at,
           trash_reason, liked, archived_at, rating, edited_taken_at, edited_offset_minutes, web_policy
    from assets
    order by asset_id
"""
OF_DATES = "select asset_id, uploaded_at from assets a join uploads using (asset_id) order by asset_id"
OF_FILES = (
    "select repository_id, path, asset_id, size, modified_ns, state, trashed_from from file_records order by path"
)
OF_PEOPLE = "select user_id, username, email, is_admin, is_active, quota_bytes, quota_files from users order by user_id"
OF_ALBUMS = "select to_jsonb(b) from albums b order by album_id"
OF_ENTRIES = "select to_jsonb(x) from album_assets x order by album_id, asset_id"
OF_MEMBERS = "select to_jsonb(m) from album_members m order by album_id, user_id"
OF_STACKS = "select to_jsonb(s), to_jsonb(x) from stacks s join stack_assets x using (stack_id) order by asset_id"
OF_TAGS = """
    select t.owner_id, t.path, t.is_kept, x.asset_id, x.is_own
    from tags t left join asset_tags x using (tag_id) order by 1, 2, 4
"""
OF_EDITS = "select asset_id, edits from asset_metadata where edits <> '{}' order by asset_id"
OF_REPOSITORIES = "select repository_id, name, root, private_root, is_default, owner_id from repositories order by 1"
QUESTIONS = [
    *(OF_ASSETS, OF_FILES, OF_PEOPLE, OF_ALBUMS, OF_ENTRIES, OF_MEMBERS, OF_STACKS, OF_TAGS, OF_EDITS),
    OF_REPOSITORIES,
]


@pytest.fixture
def new_url(postgres: Postgres) -> Iterator[str]:
    """A new database, in which nothing is, with a history of its own."""
    with databases.fresh(postgres) as url, psycopg.connect(url) as conn:
        conn.execute("update server set epoch = gen_random_uuid()")
        conn.commit()
        yield url


@pytest.fixture
async def new(new_url: str) -> AsyncIterator[Pool]:
    """Connections to it."""
    async with db.open_pool(new_url) as opened:
        yield opened


@pytest.fixture
async def lived_in(pool: Pool, repository: Repository, user: User, api: Api, disk: Disk) -> list[UUID]:
    """A server of two people who made something of their photos; their assets."""
    await do(pool, f"update users set is_admin = true, quota_files = 1000 where user_id = {user.user_id}")
    bert = await another(pool, "bert", user)
    mine = [await placed(pool, repository, user, PHOTO + b"%d" % number, f"p{number}.jpg") for number in range(4)]
    his = await placed(pool, repository, bert, PHOTO + b"0", "his.jpg")
    disk.write(b"holiday/b\xffach.jpg", PHOTO + b"beach")
    await disk.settle()
    await throw(pool, user, mine[3])
    first, second, third = (str(one) for one in mine[:3])
    album = await albums.filled(api, [second, first], "Summer")
    await albums.shared(api, album, bert)
    await created(api, "Empty")
    said = {"description": "by the sea", "rating": 4, "tags": ["Places/Paris"], "taken_time": "2001-02-03T04:05:06"}
    data(await api.client.patch(f"/api/v1/assets/{first}", json=said))
    data(await api.client.post("/api/v1/tags", json={"path": "Kept"}))
    data(await api.client.post("/api/v1/stacks", json={"asset_ids": [second, third]}))
    await do(pool, f"update assets set liked = true where asset_id = '{second}'")
    await do(pool, f"update assets set archived_at = now() where asset_id = '{third}'")
    return [*mine, his]


async def lives(pool: Pool) -> list[list[object]]:
    """All that is to outlive the database."""
    return [await ask(pool, question) for question in QUESTIONS]


async def rebuilt(url: str, *roots: bytes, is_trial: bool = False) -> tuple[Summary, list[str]]:
    """What a rebuild came to, and what it said."""
    said: list[str] = []
    return await rebuild(url, Where(roots), is_trial=is_trial, say=said.append), said


async def test_a_lost_database_is_made_anew_from_the_disk(
    pool: Pool, repository: Repository, user: User, lived_in: list[UUID], new: Pool, new_url: str
) -> None:
    """Every original, owner, date, album, member, favourite, edit, tag and stack is there again, and all fits."""
    await keeping.write(pool)
    uploaded = await ask(pool, OF_DATES)

    _, said = await rebuilt(new_url, repository.root)

    assert await lives(new) == await lives(pool)
    assert set(uploaded) <= set(await ask(new, "select asset_id, uploaded_at from assets"))
    found: list[str] = []
    assert await verify(new_url, say=found.append), "\n".join(found)
    assert any(line.startswith("password ") for line in said)


async def test_rebuilding_twice_changes_nothing(
    pool: Pool, repository: Repository, lived_in: list[UUID], new: Pool, new_url: str
) -> None:
    """What is there already stays, so it may be done again after a crash or when another disk is back."""
    await keeping.write(pool)
    await rebuilt(new_url, repository.root)
    before = await lives(new), await ask(new, "select password_hash from users order by user_id")

    summary, said = await rebuilt(new_url, repository.root)

    assert (await lives(new), await ask(new, "select password_hash from users order by user_id")) == before
    assert +summary.counts == {"lines read": 6, "no longer where they were": 1}
    assert not any(line.startswith("password ") for line in said)


async def test_a_trial_writes_no_row(
    pool: Pool, repository: Repository, lived_in: list[UUID], new: Pool, new_url: str
) -> None:
    """It counts what there is, and nobody and nothing is made."""
    await keeping.write(pool)

    summary, _ = await rebuilt(new_url, repository.root, is_trial=True)

    assert summary.counts["originals brought back"] == 6
    assert [await ask(new, f"select 1 from {table}") for table in ("users", "assets", "repositories")] == [[], [], []]


async def test_what_people_made_is_written_only_when_it_is_news(
    pool: Pool, repository: Repository, user: User, lived_in: list[UUID]
) -> None:
    """The file of before stays until there is another one to say, and is kept beside that."""
    await keeping.write(pool)
    path, before = (os.path.join(repository.root, name) for name in (layout.PEOPLE, layout.PEOPLE_BEFORE))
    written = os.stat(path).st_ino

    await keeping.write(pool)
    assert os.stat(path).st_ino == written
    assert os.stat(path).st_mode & 0o077 == 0
    await do(pool, "update assets set liked = not liked")
    await keeping.write(pool)

    assert (os.stat(before).st_ino, os.stat(path).st_ino != written) == (written, True)


async def test_a_new_database_does_not_replace_what_an_older_one_wrote(
    pool: Pool, repository: Repository, lived_in: list[UUID], new: Pool, new_url: str
) -> None:
    """A server that began anew by mistake writes that nothing is there, and a rebuild still finds all."""
    await keeping.write(pool)
    await do(new, f"insert into repositories (repository_id, name, root) select '{repository.repository_id}', 'x', '/'")
    await do(new, f"update repositories set root = '\\x{repository.root.hex()}', is_default = true")
    await keeping.write(new)
    await do(new, "delete from repositories")

    await rebuilt(new_url, repository.root)

    assert await ask(new, OF_ALBUMS) == await ask(pool, OF_ALBUMS)


async def test_another_databases_people_are_told_of(
    pool: Pool, repository: Repository, lived_in: list[UUID], new: Pool, new_url: str
) -> None:
    """Where two have written what people made, somebody has to look which is the right one."""
    await keeping.write(pool)
    (epoch,) = await ask(pool, "select epoch from server")
    await do(new, f"insert into repositories (repository_id, name, root) select '{repository.repository_id}', 'x', '/'")
    await do(new, f"update repositories set root = '\\x{repository.root.hex()}', is_default = true")
    await keeping.write(new)
    await do(new, "delete from repositories")
    await do(new, "update server set epoch = gen_random_uuid()")

    _, said = await rebuilt(new_url, repository.root, is_trial=True)

    assert [line for line in said if line.startswith("of another database") and f"people-{epoch}.jsonl" in line]


async def test_a_file_that_was_cut_short_gives_way_to_the_one_before(
    pool: Pool, repository: Repository, lived_in: list[UUID], new: Pool, new_url: str
) -> None:
    """And lines that make no sense, or that no row can say, cost nothing but themselves."""
    await keeping.write(pool)
    await do(pool, "update assets set liked = not liked")
    await keeping.write(pool)
    path = Path(os.fsdecode(repository.root), os.fsdecode(layout.PEOPLE))
    path.write_bytes(path.read_bytes()[:-200])

    await rebuilt(new_url, repository.root)

    assert await ask(new, OF_ALBUMS) == await ask(pool, OF_ALBUMS)
    assert await ask(new, "select asset_id from assets where liked") == [lived_in[1]]


async def test_somebody_elses_number_is_nobodys(
    pool: Pool, repository: Repository, lived_in: list[UUID], new: Pool, new_url: str
) -> None:
    """Photos never become those of a stranger who happens to have the number: nothing is done."""
    await keeping.write(pool)
    await given.new_user(new, "mallory", "a long enough password", password_hash="!")

    with pytest.raises(CannotStart, match="user 1 is mallory here and was anna"):
        await rebuilt(new_url, repository.root)

    assert await ask(new, "select 1 from assets") == []


async def test_a_repository_without_its_marker_is_none(new: Pool, new_url: str, tmp_path: Path) -> None:
    """It is told, and no repository is made of what may be an empty mount point."""
    _, said = await rebuilt(new_url, bytes(tmp_path))

    assert any("has no .lumiliorepo" in line for line in said)
    assert await ask(new, "select 1 from repositories") == []


async def test_what_may_only_be_read_is_found_by_its_own_files(
    pool: Pool, repository: Repository, lived_in: list[UUID], new: Pool, new_url: str, tmp_path: Path
) -> None:
    """Its private folder tells where it was, with whatever manifests it has."""
    archive, private = tmp_path / "archive", tmp_path / "private"
    (archive / "old").mkdir(parents=True)
    (archive / "old" / "p.jpg").write_bytes(PHOTO + b"old")
    made = await given.new_repository(pool, bytes(private / "x"), is_default=False)
    await do(
        pool,
        f"update repositories set root = '\\x{bytes(archive).hex()}', private_root = '\\x{made.root.hex()}', "
        f"state = 'readonly' where repository_id = '{made.repository_id}'",
    )
    files.append_durably(made.root, layout.MANIFESTS + b"/2020-01-01.jsonl", old_line())
    await keeping.write(pool)

    await rebuild(new_url, Where([repository.root], bytes(private)), say=lambda _: None)

    assert await ask(new, OF_REPOSITORIES) == await ask(pool, OF_REPOSITORIES)
    assert await ask(new, "select path from file_records where path like 'old%'") == [b"old/p.jpg"]


def old_line() -> bytes:
    """A manifest line about a file of anna's in an archive."""
    content = PHOTO + b"old"
    said = {"path": "old/p.jpg", "name": "p.jpg", "hash": blake3(content).hexdigest(), "size": len(content), "owner": 1}
    return msgspec.json.encode(said | {"asset": str(UUID(int=7)), "adopted_at": "2020-01-01T00:00:00Z"})


async def test_a_persons_own_file_that_was_thrown_away_has_the_whole_time_of_the_trash(
    pool: Pool, repository: Repository, user: User, disk: Disk, new: Pool, new_url: str
) -> None:
    """However old what people made is by now, nothing goes for good before they could look."""
    await do(pool, "update users set is_admin = true")
    disk.write(b"holiday/beach.jpg", PHOTO)
    await disk.settle()
    await do(pool, "update assets set trashed_at = now() - interval '1 year', trash_reason = 'x'")
    await keeping.write(pool)

    await rebuilt(new_url, repository.root)

    assert await ask(new, "select trashed_at > now() - interval '2 hours' from assets") == [True]
