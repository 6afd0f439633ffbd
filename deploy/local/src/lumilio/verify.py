"""The oracle: the disk holds what the record says, and the record has everything that was acknowledged."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import msgspec
from psycopg import AsyncConnection

from common import count_queries, files, folders, layout, marker, repository_queries
from common.db import Connection
from common.names import shown
from lumilio import verify_file_queries as file_queries
from lumilio import verify_queries as queries
from lumilio.status.words import count
from lumilio.terminal import say
from lumilio.verify_file_queries import Claimed

STALE_LEASE_SECONDS = 75.0
UNPUBLISHED_SECONDS = 60.0
SECOND_LOOK_SECONDS = 2.0
SHOWN = 20
BATCH = 1000

Thing = TypeVar("Thing")


class Ack(msgspec.Struct, frozen=True):
    """A line of an acknowledgement log: what the server answered to an upload."""

    asset_id: UUID
    content_hash: str


@dataclass(frozen=True)
class Check:
    """One invariant: its number, its sentence, and how its violations are found."""

    number: str
    sentence: str
    violations: Callable[[Connection], AsyncIterator[str]]


async def verify(database_url: str, *, acks: Sequence[Ack] = (), say: Callable[[str], None] = say) -> bool:
    """Check every invariant and say each result; True when all hold.

    Work goes on meanwhile, so only what is wrong twice, two seconds apart, is a violation.
    """
    sound = True
    async with await AsyncConnection.connect(database_url, autocommit=True) as conn:
        for check in checks(acks):
            found = await _find_twice(conn, check)
            say(f"{'ok   ' if not found else 'WRONG'} {check.number:<4} {check.sentence}")
            for violation in sorted(found)[:SHOWN]:
                say(f"           {violation}")
            if len(found) > SHOWN:
                say(f"           ... and {len(found) - SHOWN} more")
            sound = sound and not found
        async for note in _notes(conn):
            say(f"           ({note})")
    return sound


def checks(acks: Sequence[Ack]) -> list[Check]:
    """The invariants of the system, as far as it is built."""
    return [
        Check("I1", "every acknowledged upload has its asset", lambda conn: _unknown_acks(conn, acks)),
        Check("I2", "every stored original is there with its bytes", _wrong_originals),
        Check("I3", "every staged upload is there with its bytes", _wrong_staged),
        Check("I4", "every file in an inbox or in the trash has its record, or its original has", _unrecorded),
        Check("I5", "staging holds nothing but open uploads", _leftovers),
        Check("I6", "no lease is held by the dead", _each(queries.list_stale_leases, seconds=STALE_LEASE_SECONDS)),
        Check("I7", "every event is published", _each(queries.list_unpublished, seconds=UNPUBLISHED_SECONDS)),
        Check("I8", "no owner has a content twice", _each(queries.list_doubles)),
        Check("I9", "what is said of files and their assets fits together", _each(file_queries.list_contradictions)),
        Check("I10", "every failure has its reason and was announced", _each(queries.list_unexplained)),
        Check("I11", "no original was touched since it was stored", _touched),
        Check("I12", "every thumbnail and rendition is the one that was made", _wrong_derived),
        Check("I13", "the trash holds what was thrown away, each with its note", _misplaced),
        Check("I14", "what was set aside is a failed upload, each with its note", _unexplained_failures),
        Check("I15", "whatever is to be purged is worked off", _each(queries.list_idle_purges)),
        Check("I16", "days and months are counted right", _each(count_queries.list_miscounts)),
        Check("I17", "every repository is there", _each(_list_away)),
    ]


def read_acks(path: Path) -> list[Ack]:
    """An acknowledgement log: one JSON object a line, with `asset_id` and `content_hash` (hex)."""
    return [msgspec.json.decode(line, type=Ack) for line in path.read_bytes().splitlines() if line.strip()]


async def _notes(conn: Connection) -> AsyncIterator[str]:
    """What contradicts no promise and is good to know: what people take out of their own folders is theirs to take."""
    gone = [True async for one in _claimed(conn) if not one.is_kept and not os.path.lexists(one.whole)]
    if gone:
        yield f"{count(len(gone), 'file')} of people's own folders cannot be found; the next scan looks, or asks"
    if hidden := await file_queries.count_hidden(conn):
        yield f"{count(hidden, 'asset')} hidden, for no file of them is left where they were"
    if unfinished := await queries.count_unfinished(conn):
        yield f"{unfinished} stages are still to be done"


async def _list_away(conn: Connection) -> list[str]:
    """Which repositories are not there, for all that lies in them is missing then."""
    found = []
    for one in await repository_queries.list_repositories(conn):
        try:
            await asyncio.to_thread(marker.check, one.root, one.repository_id, one.private_root)
        except files.Offline as outage:
            found.append(f"the repository {one.name} in {shown(one.root)} is away, with all that lies in it: {outage}")
    return found


async def _find_twice(conn: Connection, check: Check) -> set[str]:
    found = await _find(conn, check)
    if found:
        await asyncio.sleep(SECOND_LOOK_SECONDS)
        found &= await _find(conn, check)
    return found


async def _find(conn: Connection, check: Check) -> set[str]:
    """No transaction stays open while files are read, which may take hours."""
    return {violation async for violation in check.violations(conn)}


def _each(question: Callable[..., object], **bounds: float) -> Callable[[Connection], AsyncIterator[str]]:
    async def violations(conn: Connection) -> AsyncIterator[str]:
        for violation in await question(conn, **bounds):  # type: ignore[misc]
            yield violation

    return violations


async def _unknown_acks(conn: Connection, acks: Sequence[Ack]) -> AsyncIterator[str]:
    for batch in _batches(acks):
        ids, hashes = [ack.asset_id for ack in batch], [bytes.fromhex(ack.content_hash) for ack in batch]
        for asset_id in await queries.list_unknown_acks(conn, ids, hashes):
            yield f"asset {asset_id} was acknowledged and is not there"


async def _wrong_originals(conn: Connection) -> AsyncIterator[str]:
    for asset_id in await file_queries.list_homeless(conn):
        yield f"asset {asset_id} is stored and has no file"
    async for claimed in _claimed(conn):
        if wrong := await asyncio.to_thread(_wrong_claim, claimed):
            yield f"asset {claimed.asset_id}: {shown(claimed.path)} {wrong}"


async def _claimed(conn: Connection) -> AsyncIterator[Claimed]:
    after = 0
    while page := await file_queries.list_claimed(conn, after=after, limit=BATCH):
        for claimed in page:
            yield claimed
        after = page[-1].file_record_id


async def _wrong_staged(conn: Connection) -> AsyncIterator[str]:
    after = 0
    while page := await queries.list_staged(conn, after=after, limit=BATCH):
        for staged in page:
            path = layout.staged(staged.staged_name)
            if wrong := await asyncio.to_thread(_wrong, staged.root, path, staged.content_hash):
                yield f"asset {staged.asset_id}: {staged.staged_name} {wrong}"
        after = page[-1].upload_id


async def _unrecorded(conn: Connection) -> AsyncIterator[str]:
    for repository in await queries.list_repositories(conn):
        kept = chain(_walk(repository.root, layout.INBOX), _without_notes(repository.root, layout.TRASH))
        for batch in _batches(_originals(kept)):
            for path in await queries.list_unrecorded(conn, repository.repository_id, batch):
                yield _nameless(repository.root, path)


def _nameless(root: bytes, path: bytes) -> str:
    if os.path.lexists(os.path.join(root, path)):
        return f"{shown(path)} has no record"
    return f"{shown(layout.beside(path))} is a sidecar, and its photo is not there"


async def _leftovers(conn: Connection) -> AsyncIterator[str]:
    for repository in await queries.list_repositories(conn):
        names = [name.decode(errors="replace") for name in folders.list_names(repository.root, layout.STAGING)]
        for name in await queries.list_unstaged(conn, repository.repository_id, names):
            if not files.is_being_written(repository.root, layout.staged(name)):
                yield f"{name} in staging belongs to nothing"


async def _touched(conn: Connection) -> AsyncIterator[str]:
    async for claimed in _claimed(conn):
        if claimed.is_kept and await asyncio.to_thread(_is_touched, claimed):
            yield f"asset {claimed.asset_id}: {shown(claimed.path)} changed since it was stored"


async def _wrong_derived(conn: Connection) -> AsyncIterator[str]:
    after = (queries.FIRST, "")
    while page := await queries.list_derived(conn, after=after, limit=BATCH):
        for derived in page:
            if wrong := await asyncio.to_thread(_wrong, derived.home, derived.path, derived.hash):
                yield f"asset {derived.asset_id}: {shown(derived.path)} {wrong}"
        after = (page[-1].asset_id, page[-1].kind)


async def _misplaced(conn: Connection) -> AsyncIterator[str]:
    after = 0
    while page := await queries.list_placed(conn, after=after, limit=BATCH):
        for placed in page:
            if layout.is_trashed(placed.path) != placed.is_trashed:
                yield f"asset {placed.asset_id}: {shown(placed.path)} is not where its asset belongs"
        after = page[-1].file_record_id
    for repository in await queries.list_repositories(conn):
        for wrong in _unpaired(repository.root, layout.TRASH):
            yield wrong


async def _unexplained_failures(conn: Connection) -> AsyncIterator[str]:
    for repository in await queries.list_repositories(conn):
        for batch in _batches(_without_notes(repository.root, layout.FAILED)):
            names = [os.path.basename(path).decode(errors="replace") for path in batch]
            for name in await queries.list_unfailed(conn, repository.repository_id, names):
                yield f"{name} was set aside and belongs to no failed upload"
        for wrong in _unpaired(repository.root, layout.FAILED):
            yield wrong


def _originals(paths: Iterable[bytes]) -> Iterable[bytes]:
    """Of a sidecar `photo.ext.xmp` its original, which must be there; `photo.xmp` is other programs' and nobody's."""
    for path in paths:
        bare = path.removesuffix(layout.XMP)
        if bare == path or os.path.splitext(bare)[1]:
            yield bare


def _without_notes(root: bytes, below: bytes) -> Iterable[bytes]:
    return (path for path in _walk(root, below) if not path.endswith(layout.SIDECAR))


def _unpaired(root: bytes, below: bytes) -> Iterable[str]:
    """Files without their note, and notes without their file."""
    for path in _walk(root, below):
        if path.endswith(layout.XMP):
            continue
        is_note = path.endswith(layout.SIDECAR)
        other = path.removesuffix(layout.SIDECAR) if is_note else layout.sidecar(path)
        if not os.path.lexists(os.path.join(root, other)):
            yield f"{shown(path)} has no {'file' if is_note else 'note'}"


def _walk(root: bytes, below: bytes) -> Iterable[bytes]:
    """Paths of all visible files below a folder, relative to the root; we place none that is hidden."""
    for folder, _, names in os.walk(os.path.join(root, below)):
        for name in names:
            if not name.startswith(b"."):
                yield os.path.relpath(os.path.join(folder, name), root)


def _wrong(root: bytes, path: bytes, content_hash: bytes) -> str | None:
    """What is wrong with the bytes of a file, in words."""
    try:
        found = files.hash_file(root, path)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if found is None:
        return "is missing"
    return None if found == content_hash else "has other bytes"


def _wrong_claim(claimed: Claimed) -> str | None:
    """What is wrong with an original; that people changed or took what is in their own folders is for a scan to see."""
    wrong = _wrong(claimed.root, claimed.path, claimed.content_hash)
    if wrong is None or claimed.is_kept:
        return wrong
    try:
        seen = files.see(claimed.root, claimed.path)
    except OSError as error:
        return None if error.errno in files.NO_FILE else wrong
    return wrong if seen == claimed.recorded else None


def _is_touched(claimed: Claimed) -> bool:
    """Whether a file is another one than was recorded; one that cannot be read is told elsewhere."""
    try:
        seen = files.see(claimed.root, claimed.path)
    except OSError:
        return False
    return seen is not None and (seen.size, seen.modified_ns) != (claimed.size, claimed.modified_ns)


def _batches(things: Iterable[Thing]) -> Iterable[list[Thing]]:
    rest = iter(things)
    while batch := list(islice(rest, BATCH)):
        yield batch
