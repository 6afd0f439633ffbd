"""Directories become repositories when an administrator says so, and nothing of a person's changes by it."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from common import marker, roots
from common.db import Pool
from common.marker import Marker
from common.rendering import Rendering
from gateway.grounds import Grounds
from tests.support.disks import fingerprints, read_only
from tests.support.gateway import JPEG, Api, serving
from tests.support.given import Repository, User
from tests.support.rows import ask, do
from tests.support.volumes import mounted

REPOSITORIES = "/api/v1/repositories"


@pytest.fixture
def ground(tmp_path: Path) -> Path:
    """Where repositories may be made."""
    (tmp_path / "ground").mkdir()
    return tmp_path / "ground"


@pytest.fixture
async def api(pool: Pool, repository: Repository, user: User, ground: Path) -> AsyncIterator[Api]:
    """A client of an administrator."""
    await do(pool, "update users set is_admin = true")
    grounds = Grounds((bytes(ground),), bytes(ground.parent / "private"))
    async with serving(pool, grounds=grounds) as served:
        await served.enter(user.username)
        yield served


async def create(api: Api, path: Path | str, **more: Any) -> httpx.Response:
    return await api.client.post(REPOSITORIES, json={"name": "Holidays", "path": str(path), **more})


async def created(api: Api, path: Path | str, **more: Any) -> dict[str, Any]:
    answer = await create(api, path, **more)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def send_to(api: Api, repository_id: str) -> httpx.Response:
    fields, files = {"repository_id": repository_id}, {"file": ("a.jpg", JPEG)}
    return await api.client.post("/api/v1/assets", data=fields, files=files)


def fill(folder: Path) -> Path:
    """A person's photos."""
    (folder / "2019").mkdir(parents=True)
    (folder / "2019" / "a.jpg").write_bytes(JPEG)
    (folder / "notes.txt").write_text("mine")
    return folder


async def test_a_new_repository_takes_uploads_by_its_own_rules(api: Api, ground: Path) -> None:
    """It is made with the folders and the marker of the contract, is listed, and gets what is sent to it."""
    settings = {"handle_duplicate_filenames": "rename", "max_file_size": 10_000}
    rendering = {"thumbnail_format": "jpeg", "thumbnail_small": 300, "web_policy": "always"}
    rules = {"storage_strategy": "flat", "local_settings": settings, "rendering": rendering}
    made = await created(api, ground / "deep" / "holidays", **rules)

    assert made | {"created_at": ""} == {
        "id": made["id"],
        "name": "Holidays",
        "state": "online",
        "is_default": False,
        "is_readonly": False,
        "created_at": "",
        "storage_strategy": "flat",
        "local_settings": {"preserve_original_filename": True, **settings},
        "rendering": {**dict.fromkeys(Rendering.__struct_fields__), **rendering},
        "path": str(ground / "deep" / "holidays"),
        "owner": "anna",
    }
    assert marker.check(bytes(ground / "deep" / "holidays"), UUID(made["id"])).name == "Holidays"
    assert (await send_to(api, made["id"])).status_code == 200
    assert len(list((ground / "deep/holidays/.lumilio/staging/incoming").iterdir())) == 1
    assert (await api.client.get(f"{REPOSITORIES}/{made['id']}")).json()["data"] == made
    listed = (await api.client.get(REPOSITORIES)).json()["data"]["repositories"]
    assert [one["id"] for one in listed if not one["is_default"]] == [made["id"]]


async def test_a_directory_with_photos_is_adopted_as_it_is(api: Api, ground: Path) -> None:
    """The person's files keep bytes, names, times and modes; only what is ours appears beside them."""
    folder = fill(ground / "old")
    before = fingerprints(folder)

    made = await created(api, folder)

    assert fingerprints(folder) == before
    assert {path.name for path in folder.iterdir()} == {"2019", "notes.txt", ".lumiliorepo", ".lumilio", "inbox"}
    assert (await api.client.post(f"{REPOSITORIES}/{made['id']}/validate")).json()["data"] == {
        "valid": True,
        "errors": [],
        "warnings": [],
    }


async def test_a_marker_that_a_directory_brings_along_is_honoured(api: Api, ground: Path) -> None:
    """Id, name and settings of a repository that was made elsewhere stay, whatever is asked for."""
    brought = Marker(id=uuid4(), name="Brought", storage_strategy="cas")
    roots.create(bytes(ground / "disk"), brought)

    made = await created(api, ground / "disk", storage_strategy="flat")

    assert (made["id"], made["name"], made["storage_strategy"]) == (str(brought.id), "Brought", "cas")
    assert marker.read(bytes(ground / "disk")) == brought


async def test_a_repository_that_was_moved_is_found_again_and_a_copy_is_not_it(api: Api, ground: Path) -> None:
    """The same id at a second place is refused while the first is there, and is a move once it is gone."""
    made = await created(api, ground / "here")
    roots.create(bytes(ground / "there"), Marker(id=UUID(made["id"]), name="Copy"))

    refused = await create(api, ground / "there")
    (ground / "here").rename(ground / "away")
    moved = await created(api, ground / "there")

    assert refused.status_code == 422
    assert "copy of repository" in refused.json()["error"]
    assert (moved["id"], moved["path"], moved["state"]) == (made["id"], str(ground / "there"), "online")


def a_link(ground: Path) -> str:
    (ground / "real").mkdir()
    (ground / "link").symlink_to(ground / "real")
    return str(ground / "link" / "x")


def a_link_out(ground: Path) -> str:
    (ground / "out").symlink_to(ground.parent)
    return str(ground / "out" / "x")


def a_file(ground: Path) -> str:
    (ground / "file").write_bytes(b"mine")
    return str(ground / "file")


def below_a_file(ground: Path) -> str:
    return a_file(ground) + "/x"


def a_file_in_the_way(ground: Path) -> str:
    fill(ground / "odd")
    (ground / "odd" / ".lumilio").write_bytes(b"mine")
    return str(ground / "odd")


def an_inbox_with_letters(ground: Path) -> str:
    fill(ground / "odd" / "inbox")
    return str(ground / "odd")


def below_a_stranger(ground: Path) -> str:
    roots.create(bytes(ground / "stranger"), Marker(id=uuid4(), name="Stranger"))
    return str(ground / "stranger" / "x")


def a_broken_marker(ground: Path) -> str:
    fill(ground / "odd")
    (ground / "odd" / ".lumiliorepo").write_text("[")
    return str(ground / "odd")


PATHS: dict[str, tuple[Callable[[Path], str], int, str]] = {
    "relative": (lambda _: "ground/x", 400, "absolute"),
    "dots": (lambda ground: f"{ground}/x/../../other", 400, "absolute"),
    "dots that stay inside": (lambda ground: f"{ground}/x/../y", 400, "absolute"),
    "NUL": (lambda ground: f"{ground}/x\0y", 400, "absolute"),
    "too long": (lambda ground: f"{ground}/{'x' * 300}", 422, "File name too long"),
    "the ground itself": (str, 422, "LUMILIO_REPOSITORY_ROOTS"),
    "elsewhere": (lambda _: "/etc/photos", 422, "LUMILIO_REPOSITORY_ROOTS"),
    "beside with the same beginning": (lambda ground: f"{ground}2/x", 422, "LUMILIO_REPOSITORY_ROOTS"),
    "a link": (a_link, 422, "link"),
    "a link out": (a_link_out, 422, "link"),
    "a file": (a_file, 422, "leads to a file"),
    "below a file": (below_a_file, 422, "file or a link"),
    "a file in the way": (a_file_in_the_way, 422, "`.lumilio` is a file"),
    "an inbox of a person": (an_inbox_with_letters, 422, "rename it first"),
    "below a stranger": (below_a_stranger, 422, "inside another repository"),
    "a broken marker": (a_broken_marker, 422, "makes no sense"),
    "in private files": (lambda ground: f"{ground}/x/.lumilio/y", 422, "private one"),
    "a marker's name": (lambda ground: f"{ground}/.lumiliorepo", 422, "private one"),
}


@pytest.mark.parametrize("kind", PATHS)
async def test_what_cannot_be_a_repository_is_refused_and_left_as_it_was(
    api: Api, pool: Pool, ground: Path, kind: str
) -> None:
    """Each refusal says why, makes no row, and changes nothing on the disk."""
    make, status, told = PATHS[kind]
    path = make(ground)
    before = sorted(ground.parent.rglob("*"))

    answer = await create(api, path)

    assert (answer.status_code, answer.json()["code"]) == (status, status)
    assert told in answer.json()["error"]
    assert str(ground) not in answer.text
    assert sorted(ground.parent.rglob("*")) == before
    assert await ask(pool, "select count(*) from repositories") == [1]


@pytest.mark.parametrize("name", ["inbox", ".lumilio/staging/incoming"])
async def test_parts_on_another_disk_are_refused(api: Api, pool: Pool, ground: Path, name: str) -> None:
    """Placing links, and links do not reach across disks: no marker is written, and one disk is asked for."""
    with mounted(ground / "a" / name, megabytes=1):
        answer = await create(api, ground / "a")

    assert answer.status_code == 422
    assert "different disks" in answer.json()["error"]
    assert not (ground / "a" / ".lumiliorepo").exists()
    assert await ask(pool, "select count(*) from repositories") == [1]


async def test_repositories_do_not_nest(api: Api, ground: Path) -> None:
    """Below, around and in the same place: all refused, also when the disk with the marker is away."""
    await created(api, ground / "a" / "b")
    inside, inbox, around, same = (ground / "a/b/c", ground / "a/b/inbox/c", ground / "a", ground / "a" / "b")

    for away in (False, True):
        if away:
            (ground / "a").rename(ground / "away")
        answers = [await create(api, path) for path in (inside, inbox, around, same)]
        assert [answer.status_code for answer in answers] == [422] * 4
        assert "inside another" in answers[0].json()["error"]
        assert "has another repository in it" in answers[2].json()["error"]
        assert "already" in answers[3].json()["error"]


async def test_of_many_that_make_the_same_at_once_one_does(api: Api, pool: Pool, ground: Path) -> None:
    """Eight requests for one place and its neighbours above and below leave one repository, with one marker."""
    paths = [ground / "a" / "b", ground / "a", ground / "a" / "b" / "c", ground / "a" / "b"] * 2

    answers = await asyncio.gather(*(create(api, path) for path in paths))

    assert sorted(answer.status_code for answer in answers) == [200] + [422] * 7
    assert len(list(ground.rglob(".lumiliorepo"))) == 1
    assert await ask(pool, "select count(*) from repositories") == [2]


async def test_a_creation_that_lost_its_row_is_completed_by_the_next(api: Api, pool: Pool, ground: Path) -> None:
    """A crash between disk and database leaves a marker, which the next attempt takes up with its id."""
    made = await created(api, ground / "a")
    await do(pool, "delete from repositories where not is_default")

    again = await created(api, ground / "a", storage_strategy="flat")

    assert (again["id"], again["storage_strategy"]) == (made["id"], "date")


async def test_only_administrators_change_repositories(api: Api, pool: Pool, user: User, ground: Path) -> None:
    """Everybody sees which there are; where they lie and what is done with them is for administrators."""
    made = await created(api, ground / "a")
    await do(pool, "update users set is_admin = false")

    answers = [
        await create(api, ground / "b"),
        await api.client.post(f"{REPOSITORIES}/{made['id']}/validate"),
        await api.client.post(f"{REPOSITORIES}/{made['id']}/repair", json={}),
        await api.client.put(f"{REPOSITORIES}/{made['id']}/default"),
    ]
    listed = await api.client.get(REPOSITORIES)

    assert [answer.status_code for answer in answers] == [403] * 4
    assert answers[0].json() == {
        "code": 403,
        "message": "not allowed",
        "error": "only an administrator may do this",
    }
    assert not (ground / "b").exists()
    assert len(listed.json()["data"]["repositories"]) == 2
    assert str(ground) not in listed.text
    assert (await api.client.get("/api/v1/auth/me")).json()["data"]["is_admin"] is False


async def test_names_and_settings_are_checked_before_anything_is_made(api: Api, ground: Path) -> None:
    """What could not be kept is refused while the disk is as it was."""
    wrong: list[dict[str, Any]] = [
        {"name": ""},
        {"name": "   "},
        {"name": "a\0b"},
        {"name": "x" * 201},
        {"storage_strategy": "heap"},
        {"local_settings": {"max_file_size": -1}},
        {"rendering": {"thumbnail_small": 9}},
        {"rendering": {"web_policy": "often"}},
        {"path": 7},
    ]
    for more in wrong:
        answer = await api.client.post(REPOSITORIES, json={"name": "Holidays", "path": str(ground / "a"), **more})
        assert answer.status_code == 400, more
    assert list(ground.iterdir()) == []


async def test_without_grounds_no_repository_is_made(api: Api, pool: Pool, user: User, ground: Path) -> None:
    """The setting is named to whoever misses it."""
    async with serving(pool) as bare:
        await bare.enter(user.username)

        answer = await create(bare, ground / "a")

    assert answer.status_code == 422
    assert "set LUMILIO_REPOSITORY_ROOTS" in answer.json()["error"]


async def test_a_repository_that_is_away_says_so(api: Api, ground: Path) -> None:
    """Its state is what the disk says at this moment, with the reason; it takes nothing, and is never made anew."""
    made = await created(api, ground / "a")
    (ground / "a").rename(ground / "away")

    shown = (await api.client.get(f"{REPOSITORIES}/{made['id']}")).json()["data"]
    validated = (await api.client.post(f"{REPOSITORIES}/{made['id']}/validate")).json()["data"]
    repaired = (await api.client.post(f"{REPOSITORIES}/{made['id']}/repair", json={})).json()["data"]
    chosen = await api.client.put(f"{REPOSITORIES}/{made['id']}/default")

    assert (shown["state"], shown["storage_strategy"]) == ("offline", None)
    assert "not there" in shown["reason"]
    assert (validated["valid"], len(validated["errors"])) == (False, 1)
    assert (repaired["valid"], repaired["repaired"]) == (False, [])
    assert chosen.status_code == 422
    assert (await send_to(api, made["id"])).status_code == 503
    assert not (ground / "a").exists()

    (ground / "away").rename(ground / "a")
    assert (await api.client.get(f"{REPOSITORIES}/{made['id']}")).json()["data"] == made


async def test_missing_folders_are_made_and_a_persons_files_stay(api: Api, ground: Path) -> None:
    """Repair says what it made; whatever a person put into the way is told and left."""
    folder = fill(ground / "a")
    made = await created(api, folder)
    before = fingerprints(folder)
    (folder / "inbox").rmdir()
    (folder / ".lumilio" / "trash").rmdir()
    (folder / ".lumilio" / "trash").write_text("mine")

    first = await api.client.post(f"{REPOSITORIES}/{made['id']}/repair", json={})
    (folder / ".lumilio" / "trash").unlink()
    second = await api.client.post(f"{REPOSITORIES}/{made['id']}/repair", json={})

    assert first.status_code == 422
    assert "`trash` is a file" in first.json()["error"]
    assert second.json()["data"] == {
        "valid": True,
        "errors": [],
        "warnings": [],
        "repaired": [".lumilio/trash"],
    }
    assert fingerprints(folder) == before


async def test_a_lost_marker_is_written_again_only_when_asked_for_by_id(api: Api, pool: Pool, ground: Path) -> None:
    """Not by the way, not with another id, not on an empty or a foreign disk, and never over another marker."""
    made = await created(api, fill(ground / "a"))
    repair, lost = f"{REPOSITORIES}/{made['id']}/repair", ground / "a" / ".lumiliorepo"
    lost.unlink()

    plain = await api.client.post(repair, json={})
    other = await api.client.post(repair, json={"rewrite_marker": str(uuid4())})
    assert (plain.json()["data"]["valid"], other.status_code, lost.exists()) == (False, 422, False)

    (ground / "a").rename(ground / "away")
    fill(ground / "a")
    foreign = await api.client.post(repair, json={"rewrite_marker": made["id"]})
    assert foreign.status_code == 422
    assert "is its disk mounted?" in foreign.json()["error"]
    assert {path.name for path in (ground / "a").iterdir()} == {"2019", "notes.txt"}

    (ground / "a").rename(ground / "foreign")
    (ground / "away").rename(ground / "a")
    asked = (await api.client.post(repair, json={"rewrite_marker": made["id"]})).json()["data"]
    assert (asked["valid"], asked["repaired"]) == (True, [".lumiliorepo"])
    assert marker.check(bytes(ground / "a"), UUID(made["id"])).name == "Holidays"


async def test_a_marker_is_not_written_where_the_originals_are_not(api: Api, pool: Pool, ground: Path) -> None:
    """A disk with our folders but none of the repository's originals is another disk."""
    made = await created(api, fill(ground / "a"))
    await do(
        pool,
        f"""
        insert into file_records (repository_id, path, display_name, size, modified_ns, inode)
        values ('{made["id"]}', '2019/a.jpg', 'a.jpg', {len(JPEG)}, 1, 1)
        """,
    )
    (ground / "a" / ".lumiliorepo").unlink()
    (ground / "a" / "2019").rename(ground / "a" / "2020")

    wanted = {"rewrite_marker": made["id"]}
    refused = await api.client.post(f"{REPOSITORIES}/{made['id']}/repair", json=wanted)
    (ground / "a" / "2020").rename(ground / "a" / "2019")
    done = await api.client.post(f"{REPOSITORIES}/{made['id']}/repair", json=wanted)

    assert refused.status_code == 422
    assert done.json()["data"]["repaired"] == [".lumiliorepo"]


async def test_another_repository_can_be_the_default(api: Api, repository: Repository, ground: Path) -> None:
    """Uploads that name none go to it from then on, and there is one default at any time."""
    made = await created(api, ground / "a")

    chosen = await api.client.put(f"{REPOSITORIES}/{made['id']}/default")
    await api.uploaded()

    assert chosen.json()["data"] == made | {"is_default": True}
    listed = (await api.client.get(REPOSITORIES)).json()["data"]["repositories"]
    assert sorted((one["id"], one["is_default"]) for one in listed) == sorted(
        [(made["id"], True), (str(repository.repository_id), False)]
    )
    assert len(list((ground / "a/.lumilio/staging/incoming").iterdir())) == 1


async def test_unknown_repositories_are_not_found(api: Api) -> None:
    """Every route of a repository says so."""
    answers = [
        await api.client.get(f"{REPOSITORIES}/{uuid4()}"),
        await api.client.post(f"{REPOSITORIES}/{uuid4()}/validate"),
        await api.client.post(f"{REPOSITORIES}/{uuid4()}/repair", json={}),
        await api.client.put(f"{REPOSITORIES}/{uuid4()}/default"),
        await send_to(api, str(uuid4())),
    ]

    assert [answer.status_code for answer in answers] == [404] * 5


async def test_a_read_only_directory_is_shown_and_takes_nothing(api: Api, ground: Path) -> None:
    """It keeps every byte and gets none; what is ours lies elsewhere, and uploads are refused in words."""
    folder = fill(ground / "archive")
    before = {path: path.lstat().st_mtime_ns for path in (folder, *folder.rglob("*"))}
    with read_only(folder):
        made = await created(api, folder)
        sent = await send_to(api, made["id"])
        chosen = await api.client.put(f"{REPOSITORIES}/{made['id']}/default")
        validated = (await api.client.post(f"{REPOSITORIES}/{made['id']}/validate")).json()["data"]
        again = await create(api, folder)
    private = ground.parent / "private" / made["id"]
    (private / ".lumilio/assets/thumbnails").rmdir()
    repaired = (await api.client.post(f"{REPOSITORIES}/{made['id']}/repair", json={})).json()["data"]

    assert (made["state"], made["is_readonly"], made["storage_strategy"]) == ("readonly", True, "date")
    assert {path: path.lstat().st_mtime_ns for path in (folder, *folder.rglob("*"))} == before
    assert (sent.status_code, chosen.status_code, again.status_code) == (503, 422, 422)
    assert "may not be written to" in sent.json()["error"]
    assert validated["errors"] == []
    assert (private / ".lumiliorepo").exists()
    assert repaired["repaired"] == [".lumilio/assets/thumbnails"]

    os.rename(folder, ground / "away")
    folder.mkdir()
    shown = (await api.client.get(f"{REPOSITORIES}/{made['id']}")).json()["data"]
    assert (shown["state"], "empty" in shown["reason"]) == ("offline", True)


async def test_an_empty_read_only_directory_is_no_repository(api: Api, ground: Path) -> None:
    """It is more likely a disk that is not mounted."""
    (ground / "mount").mkdir()
    with read_only(ground / "mount"):
        answer = await create(api, ground / "mount")

    assert answer.status_code == 422
    assert "is its disk mounted?" in answer.json()["error"]


async def test_a_disk_that_becomes_read_only_is_told_before_bytes_are_sent(api: Api, ground: Path) -> None:
    """A repository that was made to take uploads says that it takes none any more."""
    made = await created(api, ground / "a")
    with read_only(ground / "a"):
        shown = (await api.client.get(f"{REPOSITORIES}/{made['id']}")).json()["data"]
        sent = await send_to(api, made["id"])

    assert (shown["state"], sent.status_code) == ("offline", 503)
    assert "mounted read-only?" in shown["reason"]
    assert (await send_to(api, made["id"])).status_code == 200


async def test_a_wish_for_thumbnails_that_makes_no_sense_is_told(api: Api, ground: Path) -> None:
    """The repository takes uploads as before, and says what of its marker is not honoured."""
    made = await created(api, ground / "a")
    path = ground / "a" / ".lumiliorepo"
    path.write_text(path.read_text().replace("thumbnail_format: null", "thumbnail_format: gif"))

    shown = (await api.client.get(f"{REPOSITORIES}/{made['id']}")).json()["data"]

    assert shown["state"] == "online"
    assert shown["rendering"]["thumbnail_format"] is None
    assert [warning.split(":")[0] for warning in shown["warnings"]] == ["rendering.thumbnail_format"]
    assert (await send_to(api, made["id"])).status_code == 200


async def test_what_is_found_belongs_to_who_is_named(api: Api, pool: Pool, ground: Path) -> None:
    """The caller, unless another is named; changing it takes nothing from anybody, and nobody unknown gets anything."""
    await do(pool, "insert into users (username, email, password_hash) values ('berta', 'b@localhost', '')")
    mine, hers = await created(api, ground / "mine"), await created(api, ground / "hers", owner="berta")

    unknown = await create(api, ground / "nobodys", owner="carla")
    changed = await api.client.put(f"{REPOSITORIES}/{mine['id']}/owner", json={"owner": "berta"})
    refused = await api.client.put(f"{REPOSITORIES}/{mine['id']}/owner", json={"owner": "carla"})
    nothing = await api.client.put(f"{REPOSITORIES}/{uuid4()}/owner", json={"owner": "berta"})

    assert (mine["owner"], hers["owner"], changed.json()["data"]["owner"]) == ("anna", "berta", "berta")
    assert (unknown.status_code, refused.status_code, nothing.status_code) == (422, 422, 404)
    assert "is called carla" in unknown.json()["error"]
    assert not (ground / "nobodys").exists()
    listed = (await api.client.get(REPOSITORIES)).json()["data"]["repositories"]
    assert sorted(one["owner"] for one in listed) == ["anna", "berta", "berta"]
    await do(pool, "update users set is_admin = false")
    assert "owner" not in (await api.client.get(f"{REPOSITORIES}/{mine['id']}")).json()["data"]
    assert (await api.client.put(f"{REPOSITORIES}/{mine['id']}/owner", json={"owner": "anna"})).status_code == 403
