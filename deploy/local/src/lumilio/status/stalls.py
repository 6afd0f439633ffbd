"""What stands still although it should go on: pure rules over what was seen of work, events and their readers."""

from collections.abc import Iterator, Sequence

from lumilio.status.listening import HEARD, STAGES
from lumilio.status.places import Places
from lumilio.status.seen import Reader, Rows, Seen, Trouble
from lumilio.status.words import SERVICES, count, service_of, since, work

UNPUBLISHED_SECONDS = 60
DUE_SECONDS = 300


def find(seen: Seen, places: Places) -> list[Trouble]:
    """Everything that stands still, as far as the database and the bus could be asked."""
    found = [*_readers(seen, places)]
    if seen.rows:
        found = [*_work(seen.rows, seen, places), *_events(seen.rows, seen), *found, *_failed(seen.rows)]
        found = [*_absent(seen, found, places), *found]  # without a database nobody gets to listen
    return found


def _work(rows: Rows, seen: Seen, places: Places) -> Iterator[Trouble]:
    """What is due for long; in the bulk lane that is as it should be while somebody is at it."""
    for stage in dict.fromkeys(one.stage for one in rows.due):
        old = [one for one in rows.due if one.stage == stage and one.oldest_seconds > DUE_SECONDS]
        is_going_on = rows.running.get(stage) and all(one.lane for one in old)
        if not old or is_going_on or _is_done_without(stage, rows, seen):
            continue
        why, todo = _reason(stage, rows, seen, places)
        due, oldest = sum(one.due for one in rows.due if one.stage == stage), max(one.oldest_seconds for one in old)
        what = f"{work(stage)}: {due:,} due, the oldest for {since(oldest)}: {why}."
        yield Trouble(kind="work-old", what=what, todo=todo)


def _reason(stage: str, rows: Rows, seen: Seen, places: Places) -> tuple[str, str]:
    """Why a stage does not get on, as far as that is known, and what to do."""
    service = service_of(stage)
    if pause := next((one for one in rows.pauses if one.stage == stage), None):
        until = f"{pause.until.astimezone():%Y-%m-%d %H:%M}"
        why = f"{pause.paused_by} has it paused until {until}" + (f" ({pause.reason})" if pause.reason else "")
        return why, f"It goes on by itself then; at once with POST /api/v1/stages/{stage}/resume."
    if service in _silent(seen) or _is_deserted(stage, rows, seen):
        return f"{service} does not run", f"See {places.log(service)}{places.start}"
    if service == "ml-dispatcher" and not rows.servers.get(True):
        return (
            "no inference server is there",
            "Start ml-server, or what LUMILIO_INFERENCE_SERVERS names; it all waits for it.",
        )
    if running := rows.running.get(stage):
        return f"{running} at work, which do not keep up", "It takes its time. More cores, or another machine, help."
    return "nobody is at it", f"See {places.log(service)}, and `lumilio stages`."


def _is_done_without(stage: str, rows: Rows, seen: Seen) -> bool:
    """Whether a stage needs a model, and its service runs and knows of no inference server to ask."""
    service = service_of(stage)
    does_nobody = service in _silent(seen) or _is_deserted(stage, rows, seen)
    return service == "ml-dispatcher" and not rows.servers and not does_nobody


def _is_deserted(stage: str, rows: Rows, seen: Seen) -> bool:
    """Whether the bus knows of nobody who listens for a stage, and nobody is at it."""
    readers = (seen.bus.readers if seen.bus else None) or ()
    is_heard = any(one.waiting for one in readers if STAGES.get(one.name) == stage)
    return bool(readers) and stage in STAGES.values() and not is_heard and not rows.running.get(stage)


def _events(rows: Rows, seen: Seen) -> Iterator[Trouble]:
    oldest = rows.unpublished.oldest_seconds
    if oldest > UNPUBLISHED_SECONDS:
        away = seen.bus is None and seen.is_bus_known
        todo = "They are as soon as the message bus is back." if away else "See whether any service runs, and its log."
        what = f"{count(rows.unpublished.count, 'event')} could not be published for {since(oldest)}."
        yield Trouble(kind="events-unpublished", what=what, todo=todo)


def _readers(seen: Seen, places: Places) -> Iterator[Trouble]:
    """Who took more than they acknowledge, and what nobody waits for although there is something."""
    if seen.bus and seen.bus.readers is None:
        todo = "Every service makes it when it publishes next; if this stays, run `lumilio migrate`."
        yield Trouble(kind="bus-empty", what="The message bus does not know our stream.", todo=todo)
    for one in (seen.bus.readers if seen.bus else None) or ():
        service = _service(one.name)
        if one.most_held > 0 and one.held >= one.most_held:
            what = f"The bus gives {one.name} nothing more: {one.held:,} messages were taken and never acknowledged."
            todo = f"Restart {service}. Its work is found without the bus meanwhile, every 15 seconds."
            yield Trouble(kind="reader-full", what=what, todo=todo)
        elif one.pending and one.name in HEARD and service not in _silent(seen) and not _is_heard(one, seen.rows):
            unread = count(one.pending, "message")
            what = f"Nobody listens to {one.name}, which has {unread} to read: {service} does not run."
            yield Trouble(kind="reader-gone", what=what, todo=f"See {places.log(service)}{places.start}")


def _absent(seen: Seen, told: Sequence[Trouble], places: Places) -> Iterator[Trouble]:
    """Services none of whose readers anybody is, of which nothing else tells."""
    heard: dict[str, bool] = {}
    for one in (seen.bus.readers if seen.bus else None) or ():
        if one.name in HEARD:
            heard[_service(one.name)] = heard.get(_service(one.name), False) or _is_heard(one, seen.rows)
    for service in sorted(name for name, is_heard in heard.items() if not is_heard and name not in _silent(seen)):
        if not any(f"{service} does not run" in one.what for one in told):
            what = f"{service} does not run, or does not reach the bus: without it, {SERVICES[service]} must wait."
            yield Trouble(kind="service-gone", what=what, todo=f"See {places.log(service)}{places.start}")


def _failed(rows: Rows) -> Iterator[Trouble]:
    if rows.failed:
        stages = ", ".join(f"{one.count:,} of {one.stage}" for one in rows.failed)
        todo = "`lumilio failed` says why of each, and with --retry tries them again."
        yield Trouble(kind="work-failed", what=f"Some work was given up: {stages}.", todo=todo)


def _is_heard(reader: Reader, rows: Rows | None) -> bool:
    """Whoever has all hands full takes work from the rows, and does not listen."""
    return bool(reader.waiting or (rows and rows.running.get(STAGES.get(reader.name, ""))))


def _silent(seen: Seen) -> set[str]:
    """Services that do not answer, which is told of them already."""
    return {one.name for one in seen.services if one.problems is None}


def _service(reader: str) -> str:
    kind = reader.partition("-")[0]
    return "ml-dispatcher" if kind == "ml" else kind
