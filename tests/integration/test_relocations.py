"""The originals of an inbox follow when its order changes, whatever crashes, is sent or is looked at meanwhile."""

import errno
import os
import re
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest
from blake3 import blake3

from common import marker
from common.db import Pool
from common.relocating import Order
from common.stages import LeaseLost, Stage
from ingest import handlers
from ingest.handlers import Ingest
from lumilio import verify
from tests.support.given import Repository, User
from tests.support.placing import PHOTO, keep, paths, place_all, placed, staged
from tests.support.recorder import Crash, Recorder
from tests.support.relocating import empty_folders, fed, manifest, one_ingest, relocated, stop, wish, worked_off
from tests.support.rows import ask, claim, do, expire
from tests.support.scanning import Disk

DATE, FLAT, CAS, CAPTURED = get_args(Order)
EVERY_WAY: tuple[Order, ...] = (FLAT, DATE, CAS, DATE, CAPTURED, FLAT, CAS, FLAT, CAPTURED, CAS, CAPTURED, DATE)
OTHER = PHOTO + b" of something else"
SIDECAR = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
RECORDS = "select path from file_records where state = 'present' order by path"
STEPS = 24
MOVES = "select state, reason from moves order by state, reason"


def inbox(repository: Repository) -> Path:
    return Path(os.fsdecode(repository.root), "inbox")


def cas(content: bytes) -> str:
    digest = blake3(content).hexdigest()
    return f"{digest[:2]}/{digest[2:4]}/{digest[4:6]}/{digest}.jpg"


async def library(pool: Pool, repository: Repository, user: User) -> str:
    """Two photos of one name, sent in March and taken in May a year before, one with a sidecar; says which has not."""
    first = await placed(pool, repository, user, PHOTO)
    second = await placed(pool, repository, user, OTHER)
    await do(pool, "update assets set uploaded_at = '2024-03-09 12:00', taken_at = '2023-05-01 10:00'")
    (lies,) = await ask(pool, f"select path from file_records where asset_id = '{first}'")
    Path(os.fsdecode(os.path.join(repository.root, lies + b".xmp"))).write_bytes(SIDECAR)
    return f"p_{second.hex[:8]}.jpg"


def expected(order: Order, second: str) -> dict[str, bytes]:
    """Where these lie by a strategy."""
    if order == "cas":
        return {cas(PHOTO): PHOTO, f"{cas(PHOTO)}.xmp": SIDECAR, cas(OTHER): OTHER}
    folder = {"date": "2024/03/", "captured": "2023/05/", "flat": ""}[order]
    return {f"{folder}p.jpg": PHOTO, f"{folder}p.jpg.xmp": SIDECAR, f"{folder}{second}": OTHER}


async def test_originals_go_every_way_between_strategies(
    pool: Pool, database_url: str, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """Each with its sidecar, its record and a line of the manifest; no folder is left empty."""
    second = await library(pool, repository, user)

    for order in EVERY_WAY:
        await relocated(pool, ingest, repository, order)

        lies = expected(order, second)
        originals = sorted(f"inbox/{path}".encode() for path in lies if not path.endswith(".xmp"))
        assert paths(repository) == lies, order
        assert await ask(pool, RECORDS) == originals
        assert sorted(line["path"].encode() for line in manifest(repository)[-2:]) == originals
        assert not empty_folders(repository)
        assert marker.read(repository.root).storage_strategy == ("date" if order == "captured" else order)
    assert await verify.verify(database_url)
    assert len(set(pairwise((DATE, *EVERY_WAY)))) == 12


async def test_a_crash_after_any_durable_step_is_finished_by_the_next_claim(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, recorder: Recorder, sound: None
) -> None:
    """Wherever it stopped, every byte has a name, and in the end one name, the one that was wished."""
    contents = await many(pool, repository, user)
    await wish(pool, repository, "cas")
    await fed(pool)
    await crash_at_each(pool, ingest, recorder)
    assert set(contents) <= set(paths(repository).values())

    await worked_off(pool, ingest)

    originals = {cas(content): content for content in contents}
    assert paths(repository) == originals | {f"{path}.xmp": content for path, content in originals.items()}
    assert await ask(pool, RECORDS) == sorted(f"inbox/{path}".encode() for path in originals)
    assert not empty_folders(repository)


async def test_what_was_called_off_after_any_durable_step_lies_where_its_record_says(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, recorder: Recorder, sound: None
) -> None:
    """A crash amid a move, and then a change of mind: each file has one name, its sidecar, and a record that knows."""
    contents = await many(pool, repository, user)
    await wish(pool, repository, "cas")
    await fed(pool)
    await crash_at_each(pool, ingest, recorder)
    await stop(pool, repository)

    await worked_off(pool, ingest)

    lies = paths(repository)
    originals = {path: content for path, content in lies.items() if not path.endswith(".xmp")}
    assert sorted(originals.values()) == sorted(contents)
    assert lies == originals | {f"{path}.xmp": content for path, content in originals.items()}
    assert await ask(pool, RECORDS) == sorted(f"inbox/{path}".encode() for path in originals)


async def test_a_crash_without_hard_links_replaces_and_doubles_nothing(
    pool: Pool,
    repository: Repository,
    user: User,
    ingest: Ingest,
    recorder: Recorder,
    sound: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where a name moves at once, and all wish for one name, each file is in the new order under a name of its own."""
    contents = await many(pool, repository, user)
    await do(pool, "update assets set original_filename = 'p.jpg'")
    monkeypatch.setattr(os, "link", no_links)
    await wish(pool, repository, DATE)
    await fed(pool)
    await crash_at_each(pool, ingest, recorder)
    assert set(contents) <= set(paths(repository).values())

    await worked_off(pool, ingest)

    lies = paths(repository)
    originals = {path: content for path, content in lies.items() if not path.endswith(".xmp")}
    assert sorted(originals.values()) == sorted(contents)
    assert lies == originals | {f"{path}.xmp": content for path, content in originals.items()}
    assert all(re.fullmatch(r"\d{4}/\d\d/p(_[0-9a-f]+)?\.jpg", path) for path in originals)
    assert await ask(pool, RECORDS) == sorted(f"inbox/{path}".encode() for path in originals)
    assert not empty_folders(repository)


def no_links(*_: object, **__: object) -> None:
    raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))


async def many(pool: Pool, repository: Repository, user: User) -> list[bytes]:
    """More photos than a move has steps, each with a sidecar that says the same."""
    keep(repository, strategy="flat")
    contents = [PHOTO + b"%d" % number for number in range(STEPS)]
    for number, content in enumerate(contents):
        await placed(pool, repository, user, content, f"{number}.jpg")
        (inbox(repository) / f"{number}.jpg.xmp").write_bytes(content)
    return contents


async def crash_at_each(pool: Pool, ingest: Ingest, recorder: Recorder) -> None:
    """Place one original after the other, and end after one durable call more each time."""
    finished = 0
    for calls in range(1, STEPS + 1):
        found = await claim(pool, Stage.PLACE)
        recorder.clear()
        recorder.crash_after = calls
        with suppress(Crash):
            await ingest.place(found)
            finished += 1
        recorder.crash_after = None
    assert finished
    await expire(pool)


async def test_a_scan_amid_a_move_calls_nothing_gone_new_or_renamed(
    pool: Pool, disk: Disk, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """It comes between the disk and the record, and takes neither name for a change that a person made."""
    await placed(pool, repository, user, PHOTO)
    await do(pool, "update file_records set verified_at = now() - interval '1 hour'")
    await wish(pool, repository, "cas")
    await fed(pool)
    moving = await claim(pool, Stage.PLACE)
    handlers._settle_originals(await ingest._look(moving))
    assert set(paths(repository)) == {cas(PHOTO)}

    state, counts = await disk.scan()
    await ingest.place(moving)
    _, later = await disk.scan()

    assert state == "done"
    assert (counts.gone, counts.new, counts.moved, counts.changed) == (0, 0, 0, 0)
    assert (later.gone, later.new, later.moved, later.strays) == (0, 0, 0, 0)
    assert await ask(pool, "select state, path from file_records") == [("present", f"inbox/{cas(PHOTO)}".encode())]
    assert await ask(pool, "select original_filename from assets") == ["p.jpg"]


async def test_uploads_meanwhile_go_by_the_new_order(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """Whoever sends a photo while others are moved finds it among them, and so does who had sent it just before."""
    await placed(pool, repository, user, PHOTO)
    before = await staged(pool, repository, user, OTHER, "before.jpg")
    old = await claim(pool, Stage.PLACE)
    await wish(pool, repository, "flat")
    look = await ingest._look(old)
    await fed(pool)
    await staged(pool, repository, user, PHOTO + b" as well", "after.jpg")

    await ingest._make_so(old, look)
    await worked_off(pool, ingest)

    assert set(paths(repository)) == {"p.jpg", "before.jpg", "after.jpg"}
    assert before.content in paths(repository).values()


async def test_what_cannot_move_is_left_and_told(
    pool: Pool, repository: Repository, user: User, ingest: Ingest
) -> None:
    """Missing, damaged, thrown away: each stays what it is, with its reason; people's own folders stay, too."""
    keep(repository, strategy="flat")
    for number, name in enumerate(("gone.jpg", "broken.jpg", "thrown.jpg", "mine.jpg", "good.jpg")):
        await placed(pool, repository, user, PHOTO + b"%d" % number, name)
    await do(pool, "update file_records set verified_at = now() - interval '2 days'")
    await wish(pool, repository, "cas")
    await fed(pool)
    (inbox(repository) / "gone.jpg").unlink()
    (inbox(repository) / "broken.jpg").chmod(0o600)
    (inbox(repository) / "broken.jpg").write_bytes(b"x" * len(PHOTO + b"1"))
    (inbox(repository).parent / "mine").mkdir()
    (inbox(repository) / "mine.jpg").rename(inbox(repository).parent / "mine/mine.jpg")
    await do(pool, "update file_records set path = 'mine/mine.jpg' where path = 'inbox/mine.jpg'")
    await do(pool, "update assets set trashed_at = now() where original_filename = 'thrown.jpg'")

    await worked_off(pool, ingest)

    assert set(paths(repository)) == {"broken.jpg", cas(PHOTO + b"4")}
    assert (inbox(repository).parent / "mine/mine.jpg").exists()
    assert await ask(pool, MOVES) == [
        ("left", "it is damaged"),
        ("left", "it is in the trash"),
        ("left", "it is missing"),
        ("left", "it was moved elsewhere"),
        ("moved", None),
    ]
    assert await ask(pool, "select state from relocations") == ["done"]


async def test_nothing_that_has_a_name_loses_it(pool: Pool, repository: Repository, user: User, ingest: Ingest) -> None:
    """Where a file or a sidecar of somebody's lies already, the original gets the next name."""
    asset = await placed(pool, repository, user, PHOTO)
    (inbox(repository) / "p.jpg").write_bytes(b"a stray")
    (inbox(repository) / f"p_{asset.hex[:8]}.jpg.xmp").write_bytes(b"a stray's")

    await relocated(pool, ingest, repository, "flat")

    assert paths(repository) == {
        "p.jpg": b"a stray",
        f"p_{asset.hex[:8]}.jpg.xmp": b"a stray's",
        f"p_{asset.hex[:16]}.jpg": PHOTO,
    }


async def test_an_original_for_which_no_name_is_free_stays(
    pool: Pool, repository: Repository, user: User, ingest: Ingest
) -> None:
    """It is told, and stops nobody."""
    asset = await placed(pool, repository, user, PHOTO)
    lies = await ask(pool, RECORDS)
    for name in ("p", f"p_{asset.hex[:8]}", f"p_{asset.hex[:16]}", f"p_{asset.hex}"):
        (inbox(repository) / f"{name}.jpg").write_bytes(b"a stray")

    await relocated(pool, ingest, repository, "flat")

    assert await ask(pool, RECORDS) == lies
    assert await ask(pool, MOVES) == [("left", "all names that it could get there are taken")]


async def test_a_worker_that_slept_while_it_was_called_off_has_others_look_again(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """It moves the file after all, by a wish that is over, and whoever has the lease brings it back."""
    await placed(pool, repository, user, PHOTO)
    lies = paths(repository)
    await wish(pool, repository, "flat")
    await fed(pool)
    stale = await claim(pool, Stage.PLACE)
    look = await ingest._look(stale)
    await stop(pool, repository)
    await expire(pool)
    await place_all(pool, ingest)

    with pytest.raises(LeaseLost):
        await _as_it_saw(ingest, stale, look)
    assert paths(repository) != lies
    await place_all(pool, ingest)

    assert paths(repository) == lies


async def _as_it_saw(ingest: Ingest, stale: object, look: handlers.Look) -> None:
    try:
        await ingest._make_so(stale, look)  # type: ignore[arg-type]
    except LeaseLost:
        await ingest._look_again(look)
        raise


async def test_a_repository_that_is_away_waits_and_says_so(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, sound: None
) -> None:
    """Nothing is left behind for that, and all goes on when it is back."""
    await placed(pool, repository, user, PHOTO)
    await wish(pool, repository, "flat")
    away = f"{os.fsdecode(repository.root)}.away"
    Path(os.fsdecode(repository.root)).rename(away)

    await one_ingest(pool).go_on()

    assert "its folder is gone" in (await ask(pool, "select trouble from relocations"))[0]
    Path(away).rename(os.fsdecode(repository.root))
    await worked_off(pool, ingest)
    assert set(paths(repository)) == {"p.jpg"}
    assert await ask(pool, "select trouble from relocations") == [None]
