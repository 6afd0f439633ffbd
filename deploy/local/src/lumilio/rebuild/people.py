"""Reads what people made of their photos, as it was written beside them, and gives it to the assets that are there."""

import os
import re
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import datetime
from itertools import groupby, islice
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg
from blake3 import blake3

from common import accounts, files, folders, layout, people
from common.db import Connection
from common.edits import Edits
from common.names import shown
from common.passwords import Unfit
from common.people import Album, Catalogue, Edited, End, Entry, Marked, Member, Person, Place, Stack, Stacked, Tag
from lumilio.rebuild import manifests, people_queries, queries
from lumilio.rebuild.adopting import BATCH, NOBODY, Summary
from lumilio.refusal import CannotStart

LONGEST_LINE = 1 << 20
NAME = re.compile(rb"people(-[0-9a-z-]+)?\.jsonl")
_DECODER = msgspec.json.Decoder(people.Line)


class Kept(NamedTuple):
    """A file of what people made: whole or not, when it was written, where, and in which history of a database."""

    is_whole: bool
    written_at: datetime
    home: bytes
    path: bytes
    epoch: UUID

    @property
    def where(self) -> str:
        """Where it lies, for people."""
        return shown(os.path.join(self.home, self.path))


def list_kept(home: bytes, repository_id: UUID, *, but: UUID) -> Iterator[Kept]:
    """The files in a repository of other histories of the database; what was written for another repository is not."""
    for name in folders.list_names(home, layout.MANIFESTS):
        path = b"/".join((layout.MANIFESTS, name))
        found = _examine(home, path) if NAME.fullmatch(name) else None
        if found is None:
            continue
        first, is_whole = found
        if first.repository == repository_id and first.epoch != but:
            yield Kept(is_whole, first.written_at, home, path, first.epoch)


def _examine(home: bytes, path: bytes) -> tuple[Catalogue, bool] | None:
    """How a file begins, and whether it is as it was written; None for what is no such file."""
    digest, last, first = blake3(), b"", None
    try:
        with open(files.open_original(home, path), "rb") as file:
            first = msgspec.json.decode(file.readline(LONGEST_LINE), type=Catalogue)
            for text in manifests.whole_lines(file, longest=LONGEST_LINE):
                digest.update(last)
                last = text or b""
        is_whole = msgspec.json.decode(last, type=End).digest == digest.hexdigest()
    except (OSError, msgspec.DecodeError):
        is_whole = False
    return (first, is_whole) if first else None


def read(kept: Kept, summary: Summary) -> Iterator[people.Thing]:
    """What a file says; a line that makes no sense is told and passed over."""
    with open(files.open_original(kept.home, kept.path), "rb") as file:
        for number, text in enumerate(manifests.whole_lines(file, longest=LONGEST_LINE), start=1):
            try:
                _refuse_nothing(text)
                line = _DECODER.decode(text or b"")
                if isinstance(line, Edited):
                    msgspec.convert(line.edits, Edits)
            except (msgspec.DecodeError, ValueError, RecursionError) as error:
                summary.trouble("a line was passed over", f"{kept.where}, line {number}: {error}")
                continue
            if not isinstance(line, Catalogue | End):
                yield line


def _refuse_nothing(text: bytes | None) -> None:
    """ValueError for a letter that no text in a database has."""
    if text is not None and b"\\u0000" in text:
        raise ValueError("it has a letter that is none")


async def bring_people(conn: Connection, kept: Kept, summary: Summary) -> list[Place]:
    """Everybody has their number again, and nobody a password; returns which repositories there were."""
    places = []
    for thing in read(kept, summary):
        if isinstance(thing, Place):
            places.append(thing)
        if isinstance(thing, Person):
            await _bring_person(conn, thing, summary)
    await queries.count_users_on(conn)
    return places


async def _bring_person(conn: Connection, person: Person, summary: Summary) -> None:
    known = await people_queries.find_name(conn, person.id)
    if known is not None:
        if known.lower() != person.username.lower():
            raise CannotStart(
                f"user {person.id} is {shown(known)} here and was {shown(person.username)}: rebuild into a new database"
            )
        return
    try:
        accounts.username(person.username)
        accounts.email(person.email)
    except Unfit as error:
        summary.trouble("a line was passed over", f"user {person.id}: {error}")
        return
    if not await people_queries.save_person(conn, person, password_hash=NOBODY):
        raise CannotStart(f"somebody else is called {shown(person.username)} here: rebuild into a new database")
    summary.counts["people"] += 1


async def bring_rest(conn: Connection, kept: Kept, summary: Summary) -> None:
    """Marks, edits, tags, albums and stacks; what is said here since then stays."""
    await people_queries.make_known(conn)
    for kind, things in groupby(read(kept, summary), key=type):
        if kind in BRINGING:
            while batch := list(islice(things, BATCH)):
                await _bring(conn, kind, batch, summary)
    await people_queries.count_on(conn)


async def _bring(conn: Connection, kind: type, batch: Sequence[Any], summary: Summary) -> None:
    try:
        async with conn.transaction():
            summary.counts[NAMES[kind]] += await BRINGING[kind](conn, batch)
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        if len(batch) == 1:
            summary.trouble("cannot be", f"{NAMES[kind]}: {error.diag.message_primary}")
        for one in batch if len(batch) > 1 else []:
            await _bring(conn, kind, [one], summary)


BRINGING: dict[Any, Callable[[Connection, Sequence[Any]], Coroutine[Any, Any, int]]] = {
    Tag: people_queries.bring_tags,
    Marked: people_queries.bring_marks,
    Edited: people_queries.bring_edits,
    Album: people_queries.bring_albums,
    Member: people_queries.bring_members,
    Entry: people_queries.bring_entries,
    Stack: people_queries.bring_stacks,
    Stacked: people_queries.bring_stacked,
}
NAMES: dict[Any, str] = {
    Tag: "tags",
    Marked: "marks",
    Edited: "edits",
    Album: "albums",
    Member: "album members",
    Entry: "assets in albums",
    Stack: "stacks",
    Stacked: "assets in stacks",
}
