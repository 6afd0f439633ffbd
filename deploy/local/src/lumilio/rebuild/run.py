"""Brings back what lies on the disk by the manifests and has no row, into a database that lacks some of it or all."""

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from common import account_queries, db, layout, marker, passwords, repositories, repository_queries
from common.db import Connection
from common.files import Offline
from common.marker import Marker
from common.names import shown
from common.people import Person, Place
from common.repositories import Wish
from common.repository_queries import Repository
from common.roots import Refused
from lumilio.data import new_password
from lumilio.rebuild import adopting, people, people_queries, staged
from lumilio.rebuild.adopting import NOBODY, Summary
from lumilio.rebuild.people import Kept
from lumilio.refusal import CannotStart
from lumilio.terminal import say


@dataclass(frozen=True)
class Where:
    """Where to look: roots of repositories, and where the own files lie of those that may only be read."""

    roots: Sequence[bytes] = ()
    private_roots: bytes | None = None


@dataclass(frozen=True)
class Candidate:
    """A repository on the disk, by its marker."""

    root: bytes | None
    private_root: bytes | None
    marker: Marker

    @property
    def home(self) -> bytes:
        """Where its own files lie."""
        home = self.private_root or self.root
        assert home is not None  # noqa: S101  # one of them has the marker
        return home


async def adopt_missing(database_url: str, *, say: Callable[[str], None] = say) -> Summary:
    """Give rows to all originals of registered repositories that have none; doing it again changes nothing."""
    summary = Summary(say)
    async with db.alone(database_url) as conn:
        found = await repository_queries.list_repositories(conn)
        summary.people = await _known_people(conn, found, summary)
        await _adopt(conn, found, summary)
    return summary


async def rebuild(
    database_url: str,
    where: Where,
    *,
    password: str | None = None,
    is_trial: bool = False,
    say: Callable[[str], None] = say,
) -> Summary:
    """Make a catalogue of what lies in repositories: people, originals, and what was made of them.

    The first administrator gets `password`, or a new one, which is told. A trial changes nothing.
    """
    summary = Summary(say)
    async with db.alone(database_url) as conn:
        candidates = list(_candidates(where, summary))
        kept = await _choose(conn, candidates, summary)
        places = [] if kept is None else await _people(conn, kept, summary, is_trial=is_trial)
        if not is_trial:
            await people_queries.keep_leftovers(conn)
        found = await _register(conn, _completed(candidates, places), places, where, summary, is_trial=is_trial)
        await _adopt(conn, found, summary, is_trial=is_trial)
        if not is_trial:
            if kept is not None:
                await people.bring_rest(conn, kept, summary)
            await _let_in(conn, password or new_password(), summary)
    tell(summary, is_trial=is_trial)
    return summary


async def _known_people(conn: Connection, found: Sequence[Repository], summary: Summary) -> dict[int, Person]:
    """Who there was by number, as far as the newest file of what people made tells."""
    epoch = await people_queries.find_epoch(conn)
    kept = sorted(one for each in found for one in people.list_kept(each.home, each.repository_id, but=epoch))
    return {one.id: one for one in people.read(kept[-1], summary) if isinstance(one, Person)} if kept else {}


async def _adopt(conn: Connection, found: Iterable[Repository], summary: Summary, *, is_trial: bool = False) -> None:
    for one in found:
        try:
            await asyncio.to_thread(marker.check, one.root, one.repository_id, one.private_root)
            await adopting.adopt(conn, one, summary, is_trial=is_trial)
            if one.private_root is None:
                await staged.adopt(conn, one, summary, is_trial=is_trial)
        except Offline as outage:
            summary.trouble("a repository is away", f"{shown(one.root)}: {outage}")


def _candidates(where: Where, summary: Summary) -> Iterator[Candidate]:
    for root in where.roots:
        if (found := _marker(root, summary)) is not None:
            yield Candidate(root, None, found)
        else:
            summary.trouble("no repository", f"{shown(root)} has no {layout.MARKER.decode()}")
    with suppress(FileNotFoundError):
        for name in sorted(os.listdir(where.private_roots)) if where.private_roots else []:
            private = os.path.join(where.private_roots or b"", name)
            if (found := _marker(private, summary)) is not None:
                yield Candidate(None, private, found)


def _marker(root: bytes, summary: Summary) -> Marker | None:
    try:
        return marker.find(root)
    except Offline as outage:
        summary.trouble("no repository", f"{shown(root)}: {outage}")
        return None


def _completed(candidates: Sequence[Candidate], places: Sequence[Place]) -> list[Candidate]:
    """With those that nobody named, and the roots of those of which only the own files were found."""
    known = {one.marker.id for one in candidates if one.root is not None}
    told = [one for one in _of_places(places) if one.marker.id not in known]
    known |= {one.marker.id for one in told}
    return [*(one for one in candidates if one.root is not None or one.marker.id not in known), *told]


def _of_places(places: Sequence[Place]) -> Iterator[Candidate]:
    """Repositories that the file tells of and that are still where they were."""
    for place in places:
        private = unquote_to_bytes(place.private_root) if place.private_root else None
        root = unquote_to_bytes(place.root)
        with suppress(Offline, ValueError, OSError):
            if os.path.isabs(root) and (private is None or os.path.isabs(private)):
                yield Candidate(root, private, marker.check(root, place.id, private))


async def _choose(conn: Connection, candidates: Sequence[Candidate], summary: Summary) -> Kept | None:
    """The newest whole file of what people made; others are told of."""
    epoch = await people_queries.find_epoch(conn)
    kept = sorted(one for each in candidates for one in people.list_kept(each.home, each.marker.id, but=epoch))
    if not kept:
        summary.trouble("nothing is known of people", "albums and the like are lost: no repository has people.jsonl")
        return None
    chosen = kept[-1]
    if not chosen.is_whole:
        summary.trouble("not whole", f"{chosen.where} was cut short: what can be read of it counts")
    summary.say(f"people and albums are those of {chosen.written_at.astimezone():%Y-%m-%d %H:%M} ({chosen.where})")
    for other in {one.epoch: one for one in kept if one.epoch != chosen.epoch}.values():
        when = f"{other.written_at.astimezone():%Y-%m-%d %H:%M}"
        summary.trouble("of another database", f"{other.where} of {when}; if it is the right one, take away all others")
    return chosen


async def _people(conn: Connection, kept: Kept, summary: Summary, *, is_trial: bool) -> list[Place]:
    if is_trial:
        return [thing for thing in people.read(kept, summary) if isinstance(thing, Place)]
    return await people.bring_people(conn, kept, summary)


async def _register(
    conn: Connection,
    candidates: Sequence[Candidate],
    places: Sequence[Place],
    where: Where,
    summary: Summary,
    *,
    is_trial: bool,
) -> list[Repository]:
    """Every candidate as a repository here, the default one first; those that are registered stay as they are."""
    told = {place.id: place for place in places}
    found = []
    defaults = {place.id for place in places if place.is_default}
    for one in sorted(candidates, key=lambda one: one.marker.id not in defaults):
        if one.root is None:
            summary.trouble("not found", f"what {shown(one.home)} belongs to: mount it where it was, and do it again")
            continue
        known = await repository_queries.find_repository(conn, one.marker.id)
        if known is None and is_trial:
            known = _imagined(one)
        elif known is None:
            known = await _registered(conn, one, told.get(one.marker.id), where, summary)
        found += [known] if known else []
    return found


async def _registered(
    conn: Connection, one: Candidate, place: Place | None, where: Where, summary: Summary
) -> Repository | None:
    assert one.root is not None  # noqa: S101  # the caller has looked
    try:
        async with conn.transaction():
            if one.private_root is not None:
                await repository_queries.save_repository(
                    conn, one.marker.id, name=one.marker.name, root=one.root, private_root=one.private_root
                )
            else:
                wish = Wish(root=one.root, name=one.marker.name, private_roots=where.private_roots)
                await repositories.register(conn, wish)
            if place is not None and place.owner is not None:
                await people_queries.save_owner(conn, one.marker.id, place.owner)
    except Refused as refusal:
        summary.trouble("no repository", f"{shown(one.root)}: {refusal}")
        return None
    return await repository_queries.find_repository(conn, one.marker.id)


def _imagined(one: Candidate) -> Repository:
    return Repository(
        repository_id=one.marker.id,
        name=one.marker.name,
        root=one.root or b"",
        private_root=one.private_root,
        is_default=False,
        state="online",
        created_at=one.marker.created_at,
        owner=None,
    )


async def _let_in(conn: Connection, password: str, summary: Summary) -> None:
    """The first administrator gets a password where no administrator has one; that lets everybody else in."""
    admins = await people_queries.list_admins(conn, nobody=NOBODY)
    if not admins:
        summary.trouble("nobody administers", "make an administrator later: `lumilio user add NAME --admin`")
    elif not any(one.has_password for one in admins):
        password_hash = await asyncio.to_thread(passwords.hashed, password)
        await account_queries.save_password_hash(conn, admins[0].user_id, password_hash)
        summary.say(f"user      {shown(admins[0].username)}")
        summary.say(f"password  {password}")
        summary.say("          shown this once: write it down")
    if waiting := await people_queries.count_shut_out(conn, nobody=NOBODY):
        who = "1 person has" if waiting == 1 else f"{waiting:,} people have"
        summary.say(f"{who} no password: `lumilio user reset-password NAME` gives a new one")


def tell(summary: Summary, *, is_trial: bool = False) -> None:
    """Say what came of it, in numbers."""
    summary.say("this is what would be done; nothing was changed" if is_trial else "done; it may be done again")
    for name, count in summary.counts.items():
        summary.say(f"{count:>9,}  {name}")


def refuse_nothing(where: Where) -> None:
    """CannotStart when there is nowhere to look."""
    if not where.roots and not where.private_roots:
        raise CannotStart("name the directories in which originals lie")
