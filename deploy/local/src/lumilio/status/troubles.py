"""What is wrong with a server that was looked at, and what to do about it: pure rules, each a line for a person."""

from collections.abc import Iterator

from lumilio.status import stalls
from lumilio.status.places import Places
from lumilio.status.seen import REFUSAL, Rows, Seen, Trouble
from lumilio.status.words import DAY, SERVICES, count, sentence, since, size

OLD_BACKUP_SECONDS = 2 * DAY


def find(seen: Seen, places: Places) -> list[Trouble]:
    """Everything that is wrong, what hurts most first."""
    found = [*_servers(seen, places), *_services(seen, places)]
    if seen.rows:
        found += [*_lost(seen.rows), *_originals(seen.rows, seen), *_backups(seen.rows)]
    return [*found, *_disks(seen), *stalls.find(seen, places)]


def _servers(seen: Seen, places: Places) -> Iterator[Trouble]:
    lacks, is_old, todo = seen.silence.partition(": run ")
    if is_old:
        todo = "Stop `lumilio up` and start it again: it does that." if places.data else f"Run {todo}, then ask again."
        yield Trouble(kind="database-old", what=sentence(lacks), todo=todo)
    elif REFUSAL in seen.silence:
        what = f"The database answers, but does not let us in: {seen.silence.rpartition(REFUSAL)[2].strip()}."
        ours = "" if places.data else "Is it the user, the password or the name, correct LUMILIO_DATABASE_URL. Else "
        todo = sentence(f"{ours}ask again in a minute, and see {places.log('postgres')} if it stays so")
        yield Trouble(kind="database-refuses", what=what, todo=todo)
    elif seen.rows is None:
        cause = places.cause("postgres", "LUMILIO_DATABASE_URL")
        todo = f"See {cause}. Until it is back nothing can be sent or seen; nothing is lost."
        yield Trouble(kind="database-away", what=f"The database does not answer: {seen.silence}.", todo=todo)
    elif seen.rows.unsafe:
        what = (
            f"The database runs with an unsafe {', '.join(seen.rows.unsafe)}: a power cut could lose what it confirmed."
        )
        todo = "Switch that on in the configuration of Postgres, and restart it."
        yield Trouble(kind="database-unsafe", what=what, todo=todo)
    if seen.is_bus_closed:
        what = "The message bus answers, but does not let us in: its user or password is another."
        todo = "Correct LUMILIO_NATS_URL. A service that is told the same wrong one ends, and says so in its log."
        yield Trouble(kind="bus-refuses", what=what, todo=todo)
    elif seen.bus is None and seen.is_bus_known:
        what = "The message bus does not answer: work is looked for every 15 seconds instead of being rung for."
        todo = f"See {places.cause('nats', 'LUMILIO_NATS_URL')}. Nothing is lost meanwhile."
        yield Trouble(kind="bus-away", what=what, todo=todo)
    for complaint in seen.bus.complaints if seen.bus else ():
        what, _, todo = complaint.partition(": ")
        yield Trouble(kind="bus-unsafe", what=sentence(what), todo=sentence(todo))


def _services(seen: Seen, places: Places) -> Iterator[Trouble]:
    for one in seen.services:
        if one.other:
            what = f"The {one.name} does not say how it is: the answer is {one.other}."
            todo = "If that is the address of the server, a proxy before it got no answer; else correct LUMILIO_SERVER."
            yield Trouble(kind="service-unclear", what=what, todo=todo)
        elif one.problems is None:
            what = f"{one.name} does not answer: without it, {SERVICES.get(one.name, 'some work')} must wait."
            yield Trouble(kind="service-away", what=what, todo=f"See {places.log(one.name)}{places.start}")


def _lost(rows: Rows) -> Iterator[Trouble]:
    for one in rows.lost:
        if one.kept:
            what = f"{count(one.kept, 'original')} that the server kept in {one.name} cannot be found there any more."
            files = f"/api/v1/repositories/{one.repository_id}/files?state=missing"
            todo = f"Put them back from a copy, or send them again; throw away what may be gone. See {files}"
            yield Trouble(kind="originals-missing", what=what, todo=todo)


def _originals(rows: Rows, seen: Seen) -> Iterator[Trouble]:
    for tree in rows.trees:
        if tree.corrupt:
            damaged = count(tree.corrupt, "original")
            what = f"The disk of {tree.name} damaged {damaged}, whose bytes are not what was stored."
            files = f"/api/v1/repositories/{tree.repository_id}/files?state=corrupt"
            todo = f"Examine the disk; put good copies in place, or send them again. They are listed at {files}"
            yield Trouble(kind="originals-corrupt", what=what, todo=todo)
        if outage := seen.outages.get(tree.name) or (tree.offline_reason if tree.state == "offline" else None):
            todo = (
                "Bring its disk back as it was; see `lumilio repositories validate`. Nothing of it is lost meanwhile."
            )
            yield Trouble(kind="repository-offline", what=sentence(f"{tree.name} is offline: {outage}"), todo=todo)
        if tree.asks is not None:
            what = (
                f"A scan of {tree.name} misses {count(tree.asks, 'file')} at once, and asks whether they were deleted."
            )
            todo = f"Bring them back, or say yes: lumilio scan --repository {tree.repository_id} --accept-missing"
            yield Trouble(kind="scan-asks", what=what, todo=todo)


def _backups(rows: Rows) -> Iterator[Trouble]:
    """Who never made one does it in another way."""
    made, error = rows.backup.made_seconds, rows.backup.error
    last = "none was made yet" if made is None else f"the last good one is {since(made)} old"
    if error is not None:
        todo = "Mend that, then make one by `lumilio backup`; it tells the same at once."
        yield Trouble(kind="backup-failed", what=sentence(f"The last backup failed, {last}: {error}"), todo=todo)
    elif made is not None and made > OLD_BACKUP_SECONDS:
        todo = "See whether whatever calls `lumilio backup` still runs; make one by hand until it does."
        yield Trouble(kind="backup-old", what=f"Nobody makes backups any more: {last}.", todo=todo)


def _disks(seen: Seen) -> Iterator[Trouble]:
    for disk in seen.disks:
        if disk.free < disk.reserve:
            what = f"The disk of {disk.holds} has {size(disk.free)} of {size(disk.size)} left: uploads are refused."
            todo = f"Make room on the disk of {disk.path} until {size(disk.reserve)} are free."
            yield Trouble(kind="disk-full", what=what, todo=todo)
