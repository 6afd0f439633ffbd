"""The numbers of the whole server for Prometheus; any process could tell them, one kind of service does."""

import asyncio
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from nats.js.api import ConsumerInfo
from prometheus_client.core import GaugeMetricFamily

from common import files, marker, pulse_queries, repository_queries, streams
from common.bus import Bus
from common.db import Pool, glance
from common.metrics import Source
from common.pulse_queries import Due, Meaning, Tree, Waiting
from common.repository_queries import Repository

Numbers = Sequence[GaugeMetricFamily]
Row = tuple[Sequence[str], float]
READERS: list[tuple[str, str, Callable[[ConsumerInfo], int | None]]] = [
    ("pending", "Messages that ring for a durable.", lambda one: one.num_pending),
    ("ack_pending", "Messages given out and not acknowledged.", lambda one: one.num_ack_pending),
    ("ack_pending_limit", "How many may be given out.", lambda one: one.config.max_ack_pending),
    ("waiting", "Requests of workers that wait for a message.", lambda one: one.num_waiting),
]


@dataclass(frozen=True)
class Reserve:
    """So many bytes of a disk, or so much of it, whichever is more, are left free by uploads."""

    size: int
    percent: float


def sources(pool: Pool, bus: Bus, reserve: Reserve, *, scrub_days: int = 30) -> list[Source]:
    """Whom to ask: each may be silent without the others; 0 days for originals that are never to be compared."""
    return [
        Source("database", lambda: _of_database(pool, scrub_days)),
        Source("bus", lambda: _of_bus(bus)),
        Source("disks", lambda: _of_disks(pool, reserve)),
    ]


async def _of_database(pool: Pool, scrub_days: int) -> Numbers:
    async with glance(pool) as conn:
        return [
            *_due(await pulse_queries.list_due(conn)),
            _family("stage_failed", "Work given up.", "stage", _counts(await pulse_queries.list_failed(conn))),
            _family("stage_held", "Work in somebody's hands.", "stage", _named(await pulse_queries.count_held(conn))),
            *_waiting("outbox", "Events not yet published", await pulse_queries.find_unpublished(conn)),
            *_waiting("unplaced", "Uploads that lie in staging", await pulse_queries.find_unplaced(conn)),
            *_waiting("dead_letters", "Messages that nobody could read", await pulse_queries.find_dead_letters(conn)),
            *_trees(await pulse_queries.list_trees(conn, days=scrub_days)),
            *_span(scrub_days),
            *_meaning(await pulse_queries.list_meaning(conn), await pulse_queries.count_servers(conn)),
            *_backup(await pulse_queries.find_backup_age(conn), await pulse_queries.has_backup_failed(conn)),
        ]


def _due(due: Sequence[Due]) -> Numbers:
    """What is paused waits by a person's will, and is counted apart."""
    going = [one for one in due if not one.is_paused]
    paused: dict[str, float] = defaultdict(float)
    for one in due:
        paused[one.stage] += one.due if one.is_paused else 0
    return [
        _family(
            "stage_due",
            "Work that anybody might begin.",
            "stage lane",
            (([d.stage, str(d.lane)], d.due) for d in going),
        ),
        _family(
            "stage_oldest_due_seconds",
            "For how long the oldest of it waits.",
            "stage lane",
            (([one.stage, str(one.lane)], one.oldest_seconds) for one in going),
        ),
        _family("stage_paused", "Work that is due and paused.", "stage", _named(paused)),
    ]


def _trees(trees: Sequence[Tree]) -> Numbers:
    states = dict.fromkeys(("online", "offline", "readonly"), 0.0)
    for tree in trees:
        states[tree.state] += 1
    ages = [tree.oldest_verified_seconds for tree in trees if tree.oldest_verified_seconds is not None]
    return [
        _family("repositories", "Repositories by state.", "state", _named(states)),
        _family(
            "originals_corrupt", "Originals that are not what was stored.", "", _one(sum(t.corrupt for t in trees))
        ),
        _family("originals_unverified", "Not compared since they came.", "", _one(sum(t.unverified for t in trees))),
        _family("originals_overdue", "Not compared in the time that is set.", "", _one(sum(t.overdue for t in trees))),
        _family("originals_verified_seconds", "Age of the oldest comparison.", "", _one(max(ages, default=0))),
        _family(
            "scans_asking", "Scans that wait for a person's word.", "", _one(sum(t.asks is not None for t in trees))
        ),
    ]


def _span(scrub_days: int) -> Numbers:
    """Nothing is late where nothing is to be compared."""
    if not scrub_days:
        return []
    return [_family("scrub_seconds", "In which time all originals are to be compared.", "", _one(scrub_days * 86400))]


def _meaning(meaning: Sequence[Meaning], servers: dict[bool, int]) -> Numbers:
    """Who names no inference server does without, and misses none."""
    rows = [
        ([one.stage, one.model or "", state], float(count))
        for one in meaning
        for state, count in (("open", one.open), ("done", one.done), ("failed", one.failed))
    ]
    return [
        _family("ml_rows", "How far models are with all assets.", "stage model state", rows),
        *(
            [_family("ml_servers", "Inference servers that are there.", "", _one(servers.get(True, 0)))]
            if servers
            else []
        ),
    ]


def _backup(age: float | None, failed: bool | None) -> Numbers:  # noqa: FBT001
    """Who never made one does it another way."""
    return [
        *([] if age is None else [_family("backup_age_seconds", "Since the last backup was made.", "", _one(age))]),
        *([] if failed is None else [_family("backup_failed", "Whether the last backup failed.", "", _one(failed))]),
    ]


async def _of_bus(bus: Bus) -> Numbers:
    """What is called by service and stage rings for that stage."""
    known = {durable.name for durable in streams.DURABLES}
    readers = [one for one in await bus.js.consumers_info(streams.NAME) if one.name in known]
    return [
        _family(
            f"consumer_{name}",
            words,
            "durable stage",
            (([str(one.name), str(one.name).partition("-")[2]], count(one) or 0) for one in readers),
        )
        for name, words, count in READERS
    ]


async def _of_disks(pool: Pool, reserve: Reserve) -> Numbers:
    async with glance(pool) as conn:
        repositories = await repository_queries.list_repositories(conn)
    spaces = await asyncio.to_thread(_spaces, repositories, reserve)
    return [
        _family("disk_free_bytes", "Free on the disk of a repository.", "repository", _named(spaces[0])),
        _family("disk_reserve_bytes", "What uploads leave free there.", "repository", _named(spaces[1])),
    ]


def _spaces(repositories: Sequence[Repository], reserve: Reserve) -> tuple[dict[str, float], dict[str, float]]:
    """Free and reserved bytes by the repository's name; of two that are called the same, the fuller one's."""
    free: dict[str, float] = {}
    reserved: dict[str, float] = {}
    for one in repositories:
        try:
            marker.check(one.root, one.repository_id, one.private_root)
            disk = os.statvfs(one.root)
        except (files.Offline, OSError):
            continue  # an empty mount point says nothing of the disk that is away
        left = disk.f_bavail * disk.f_frsize
        if left <= free.get(one.name, left):
            free[one.name] = left
            reserved[one.name] = max(reserve.size, disk.f_blocks * disk.f_frsize * reserve.percent / 100)
    return free, reserved


def _waiting(name: str, words: str, waiting: Waiting) -> Numbers:
    return [
        _family(name, f"{words}.", "", _one(waiting.count)),
        _family(f"{name}_oldest_seconds", f"{words}: age of the oldest.", "", _one(waiting.oldest_seconds)),
    ]


def _counts(found: Iterable[pulse_queries.Failed]) -> Iterable[Row]:
    return (([one.stage], one.count) for one in found)


def _named(values: dict[str, float] | dict[str, int]) -> Iterable[Row]:
    return (([name], value) for name, value in values.items())


def _one(value: float) -> Iterable[Row]:
    return [([], value)]


def _family(name: str, words: str, labels: str, rows: Iterable[Row]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"lumilio_{name}", words, labels=labels.split())
    for values, number in rows:
        family.add_metric(values, number)
    return family
