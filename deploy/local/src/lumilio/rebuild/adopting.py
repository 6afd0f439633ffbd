"""Gives rows to what lies in one repository and has none, as its manifests tell; nothing on the disk is changed."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from os import path as paths
from typing import TypeVar

from common import files, formats, trash
from common.db import Connection
from common.formats import Format
from common.names import shown
from common.people import Person
from common.repository_queries import Repository
from lumilio.rebuild import manifests, originals, people_queries, queries
from lumilio.rebuild.manifests import Line, Unreadable
from lumilio.rebuild.originals import Trashed
from lumilio.rebuild.queries import Found, Wanted
from lumilio.terminal import say

BATCH = 500
TOLD = 20
NOBODY = "!"
"""What no password has as its hash."""
EXTENSIONS: dict[str, Format] = {}
for known in formats.FORMATS:
    EXTENSIONS.setdefault(known.extension, known)
Thing = TypeVar("Thing")


@dataclass
class Summary:
    """What came of it, counted; of each kind of trouble some are told, and all are counted."""

    say: Callable[[str], None] = say
    counts: Counter[str] = field(default_factory=Counter)
    people: dict[int, Person] = field(default_factory=dict)
    """Who is to be made by what they were called, should something be theirs and they not be there."""

    def trouble(self, kind: str, text: str) -> None:
        """Something that could not be done, which a person should see."""
        self.counts[kind] += 1
        if self.counts[kind] <= TOLD:
            self.say(f"{kind}: {text}")
        elif self.counts[kind] == TOLD + 1:
            self.say(f"{kind}: there are more, which are only counted")


async def adopt(conn: Connection, repository: Repository, summary: Summary, *, is_trial: bool = False) -> None:
    """Give rows to the originals of a repository that is there; each batch is committed, so it can be done again."""
    await _load(conn, repository, summary)
    if repository.private_root is None:  # names that others have by now are free then
        await _adopt_trash(conn, repository, summary, is_trial=is_trial)
        await _adopt_heirs(conn, repository, summary, is_trial=is_trial)
    after = b""
    while wanted := await queries.list_wanted(conn, repository.repository_id, after=after, limit=BATCH):
        found = await asyncio.to_thread(_look_all, repository, wanted, summary)
        await _save(conn, repository, found, summary, is_trial=is_trial)
        after = wanted[-1].path
    if not is_trial:
        await _note_owners(conn, repository)


async def _adopt_heirs(conn: Connection, repository: Repository, summary: Summary, *, is_trial: bool) -> None:
    """What has a name in the inbox that was another original's at the backup, which is no longer there."""
    after = b""
    while wanted := await queries.list_heirs(conn, repository.repository_id, after=after, limit=BATCH):
        proven = await asyncio.to_thread(_proven, repository.root, wanted)
        found = await asyncio.to_thread(_look_all, repository, proven, summary)
        async with conn.transaction():
            if not is_trial:
                await queries.let_go(conn, repository.repository_id, [one.path for one in found])
            await _save(conn, repository, found, summary, is_trial=is_trial)
        after = wanted[-1].path


def _proven(root: bytes, wanted: Sequence[Wanted]) -> list[Wanted]:
    with files.outages():
        return [one for one in wanted if files.hash_file(root, one.path) == one.content_hash]


async def _note_owners(conn: Connection, repository: Repository) -> None:
    """What was handed over after a backup is its owner's again, which the manifests tell from here on, too."""
    after = b""
    while found := await queries.list_disowned(conn, repository.repository_id, after=after, limit=BATCH):
        with files.outages():
            await asyncio.to_thread(manifests.append, repository.home, found)
        after = found[-1].path


async def _load(conn: Connection, repository: Repository, summary: Summary) -> None:
    await queries.make_lines(conn)
    rest = manifests.read(repository.home)
    while batch := await asyncio.to_thread(_next, rest):
        lines = [one for one in batch if isinstance(one, Line)]
        for one in batch:
            if isinstance(one, Unreadable):
                where = shown(paths.join(repository.home, b".lumilio/manifests", one.file))
                summary.trouble("a line was passed over", f"{where}, line {one.number}: {one.reason}")
        await queries.save_lines(conn, lines)
        summary.counts["lines read"] += len(lines)
    await queries.index_lines(conn)


async def make_owners(conn: Connection, numbers: Iterable[int], summary: Summary) -> None:
    """These numbers are somebody's, of whom something is there: people without a password, if they are new."""
    for number in await queries.list_nobodys(conn, list(numbers)):
        await _make_owner(conn, number, summary)
    await queries.count_users_on(conn)


async def _make_owner(conn: Connection, number: int, summary: Summary) -> None:
    """One whom nobody knows is called by their number."""
    known = summary.people.get(number)
    if known is not None and await people_queries.save_person(conn, known, password_hash=NOBODY):
        summary.say(f"{shown(known.username)} came after the backup: `lumilio user reset-password` lets them in again")
        return
    name = f"person-{number}"
    if await queries.save_user(conn, number, username=name, email=f"{name}@localhost", password_hash=NOBODY):
        summary.say(f"nothing tells the name of user {number}: their photos are those of a new user {name}")


def _look_all(repository: Repository, wanted: Sequence[Wanted], summary: Summary) -> list[Found]:
    with files.outages():
        looks = (_look(repository, one, summary) for one in wanted)
        return [one for one in looks if one is not None]


def _look(repository: Repository, one: Wanted, summary: Summary) -> Found | None:
    if manifests.is_foreign(repository.root, one.path):
        summary.trouble("not ours", f"{shown(one.path)} lies in another repository")
        return None
    look = originals.look(repository.root, one.path)
    if look is None:
        summary.counts["no longer where they were"] += 1
        return None
    known = look.format or EXTENSIONS.get(paths.splitext(one.name)[1].lower())
    if look.seen.size != one.size or known is None:
        what = "other bytes" if look.seen.size != one.size else "nothing that we know"
        summary.trouble("not what it was", f"{shown(one.path)} has {what}: in a person's folder a scan takes it")
        return None
    return _found(one, look.seen, known)


def _found(one: Wanted, seen: files.Seen, known: Format) -> Found:
    return Found(
        path=one.path,
        content_hash=one.content_hash,
        size=one.size,
        modified_ns=seen.modified_ns,
        inode=seen.inode,
        owner_id=one.owner_id,
        asset_id=one.asset_id,
        name=one.name,
        uploaded_at=one.uploaded_at,
        kind=known.kind,
        mime_type=known.mime_type,
    )


async def _save(
    conn: Connection, repository: Repository, found: Sequence[Found], summary: Summary, *, is_trial: bool
) -> None:
    if is_trial:
        summary.counts["originals brought back"] += len(found)
        return
    if not found:
        return
    async with conn.transaction():
        await make_owners(conn, {one.owner_id for one in found}, summary)
        summary.counts["found where they were moved to"] += await queries.follow_moves(
            conn, repository.repository_id, found
        )
        made = await queries.save_assets(conn, found, anew=False)
        made += await queries.save_assets(conn, found, anew=True)
        saved = await queries.save_records(conn, repository.repository_id, found)
        lying = [one.path for one in found]
        for owner, asset_id in await queries.list_taken_back(conn, repository.repository_id, lying):
            await trash.take_back_many(conn, [asset_id], owner=owner, brings_bytes=True)
        await queries.place_again(conn, repository.repository_id, lying)
    summary.counts["assets made"] += made
    summary.counts["originals brought back"] += saved


async def _adopt_trash(conn: Connection, repository: Repository, summary: Summary, *, is_trial: bool) -> None:
    rest = originals.list_trashed(repository.root)
    while batch := await asyncio.to_thread(_next, rest):
        found = []
        for one in batch:
            if not await queries.has_record(conn, repository.repository_id, one.path):
                lines = await queries.list_of_asset(conn, one.asset_id)
                thrown = await asyncio.to_thread(_thrown, repository, one, lines, summary)
                found += [thrown] if thrown else []
        if not is_trial:
            await queries.follow_to_trash(conn, repository.repository_id, found)
        await _save(conn, repository, found, summary, is_trial=is_trial)
        summary.counts["of them in the trash"] += len(found)


def _thrown(repository: Repository, one: Trashed, lines: Sequence[Wanted], summary: Summary) -> Found | None:
    """An original in the trash, as the line says that it was placed by; without one by its note and its bytes."""
    look = originals.look(repository.root, one.path)
    line = next((line for line in lines if look is not None and line.size == look.seen.size), None)
    if look is None or look.format is None or line is None:
        summary.trouble("unknown in the trash", f"{shown(one.path)}: nothing tells whose it is")
        return None
    return originals.trashed(_found(line, look.seen, look.format), one, [each.path for each in lines])


def _next(rest: Iterator[Thing] | Iterable[Thing]) -> list[Thing]:
    return list(islice(rest, BATCH))
