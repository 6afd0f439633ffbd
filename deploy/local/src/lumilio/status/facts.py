"""What goes well, or is good to know, of a server that was looked at."""

from collections.abc import Iterator
from importlib.metadata import version

from lumilio.status.seen import Disk, Fact, Rows, Seen
from lumilio.status.words import count, since, size

KNOWN = ("the database", "the message bus", "the monitor", "repository ", "the disk of a repository")
"""So begins what services say of others, and those were asked themselves."""


def find(seen: Seen) -> list[Fact]:
    """Everything that could be seen, a line each."""
    rows, bus = seen.rows, seen.bus
    versions = [f"Lumilio Photos {version('lumilio')}"]
    versions += [f"Postgres {rows.version}"] if rows else []
    versions += [f"NATS {bus.version}"] if bus else []
    found = [Fact(name="versions", text=", ".join(versions))]
    if running := [one.name for one in seen.services if one.problems is not None]:
        found.append(Fact(name="running", text=", ".join(running)))
    if rows:
        found += [Fact(name=name, text=text) for name, text in _rows(rows)]
    found += [Fact(name="disk", text=_disk(one)) for one in seen.disks if one.free >= one.reserve]
    return found + [Fact(name="note", text=text) for text in _notes(seen)]


def _rows(rows: Rows) -> Iterator[tuple[str, str]]:
    it = rows.catalogue
    kinds = ((it.photos, "photo"), (it.videos, "video"), (it.recordings, "recording"))
    told = [count(number, kind) for number, kind in kinds if number] or ["nothing yet"]
    yield "catalogue", f"{', '.join(told)} ({size(it.bytes)}) of {count(it.users, 'user')}"
    if own := sum(one.own for one in rows.lost):
        yield "hidden", f"{count(own, 'asset')}, for their files are gone from people's own folders"
    yield "work", _work(rows)
    waiting = rows.unpublished.count
    yield "events", f"{count(waiting, 'event')} on the way" if waiting else "all are published"
    if rows.meaning:
        yield "meaning", ", ".join(_meaning(rows)) + f"; {count(rows.servers.get(True, 0), 'inference server')}"
    made = rows.backup.made_seconds
    yield "backup", "none was ever made by `lumilio backup`" if made is None else f"the last was made {since(made)} ago"
    if rows.scrub_days:
        yield "originals", _scrub(rows)
    if rows.dead_letters.count:
        yield "note", f"{count(rows.dead_letters.count, 'message')} on the bus made no sense, and were kept"


def _work(rows: Rows) -> str:
    """What is left, with the time that the oldest has waited."""
    stages = dict.fromkeys([*(one.stage for one in rows.due), *rows.running])
    told = []
    for stage in stages:
        due = [one for one in rows.due if one.stage == stage]
        running = rows.running.get(stage, 0)
        text = f"{stage} {sum(one.due for one in due) + running:,}"
        text += (
            f" ({running} at work" + (f", oldest {since(max(one.oldest_seconds for one in due))}" if due else "") + ")"
        )
        told.append(text)
    return ", ".join(told) or "nothing is left to do"


def _meaning(rows: Rows) -> Iterator[str]:
    for one in rows.meaning:
        whole = one.open + one.done + one.failed
        yield f"{one.model or one.stage} {100 * one.done // whole if whole else 100} % of {whole:,}"


def _scrub(rows: Rows) -> str:
    """How long ago all were compared with what was stored."""
    unread, overdue = sum(one.unverified for one in rows.trees), sum(one.overdue for one in rows.trees)
    ages = [one.oldest_verified_seconds for one in rows.trees if one.oldest_verified_seconds is not None]
    if not ages:
        return "none were compared again yet" if unread else "none yet"
    told = f"all{f' but {unread:,} new ones' if unread else ''} read again, the longest ago {since(max(ages))} ago"
    return f"{told}; {overdue:,} are late" if overdue else told


def _disk(one: Disk) -> str:
    return f"{size(one.free)} of {size(one.size)} free for {one.holds}; uploads leave {size(one.reserve)}"


def _notes(seen: Seen) -> Iterator[str]:
    """What services say of themselves."""
    for one in seen.services:
        for problem in one.problems or ():
            if not problem.startswith(KNOWN):
                yield f"{one.name}: {problem}"
