"""Looks at a server: its database, its bus, its services and its disks, all at once and not for long."""

import asyncio
from collections.abc import Sequence

import psycopg
from psycopg import AsyncConnection

from common import migrate, pulse_queries, queries, repository_queries, stage_queries
from common.db import Connection
from common.repository_queries import Repository
from common.stages import Stage
from lumilio.status import disks, listening, services
from lumilio.status import queries as own_queries
from lumilio.status.places import Places
from lumilio.status.seen import REFUSAL, Bus, Rows, Seen
from lumilio.status.settings import StatusSettings

ANSWER_SECONDS = 5
LIMITS = "-c statement_timeout=10s -c timezone=UTC"


async def look(places: Places, config: StatusSettings) -> Seen:
    """Everything that can be seen from here; what does not answer is told as such."""
    (bus, is_bus_closed), found, (rows, silence, repositories) = await asyncio.gather(
        _hear(places),
        services.ask(places.health),
        _read(places.database, config.scrub_days),
    )
    spaces, outages = await disks.look(repositories, places.data, config)
    return Seen(
        rows=rows,
        silence=silence,
        bus=bus,
        is_bus_known=bool(places.nats),
        is_bus_closed=is_bus_closed,
        services=found,
        disks=spaces,
        outages=outages,
    )


async def _hear(places: Places) -> tuple[Bus | None, bool]:
    """The bus, and whether it answers and lets us not in."""
    try:
        return await listening.hear(places.nats, places.monitor) if places.nats else None, False
    except listening.Refused:
        return None, True


async def _read(database_url: str, scrub_days: int) -> tuple[Rows | None, str, Sequence[Repository]]:
    """What the database says, or why it says nothing."""
    try:
        async with await AsyncConnection.connect(
            database_url, autocommit=True, connect_timeout=ANSWER_SECONDS, options=LIMITS
        ) as conn:
            await migrate.check(conn)
            return await _rows(conn, scrub_days), "", await repository_queries.list_repositories(conn)
    except (psycopg.Error, migrate.OldSchema) as error:
        return None, _reason(str(error).strip().splitlines()), []


def _reason(lines: Sequence[str]) -> str:
    """What one of several addresses answered says more than that another is silent."""
    return next((line for line in lines if REFUSAL in line), lines[0] if lines else "")


async def _rows(conn: Connection, scrub_days: int) -> Rows:
    due = await pulse_queries.list_due(conn)
    return Rows(
        version=await own_queries.find_version(conn),
        unsafe=await queries.unsafe_settings(conn),
        catalogue=await own_queries.find_catalogue(conn),
        due=due,
        running=await own_queries.count_running(conn, sorted({*Stage, *(one.stage for one in due)})),
        pauses=await stage_queries.list_pauses(conn),
        failed=await pulse_queries.list_failed(conn),
        unpublished=await pulse_queries.find_unpublished(conn),
        unplaced=await pulse_queries.find_unplaced(conn),
        dead_letters=await pulse_queries.find_dead_letters(conn),
        trees=await pulse_queries.list_trees(conn, days=scrub_days),
        lost=await own_queries.list_lost(conn),
        scrub_days=scrub_days,
        meaning=await pulse_queries.list_meaning(conn),
        servers=await pulse_queries.count_servers(conn),
        backup=await own_queries.find_backup(conn),
    )
