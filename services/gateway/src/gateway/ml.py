"""How far models are with what they see, in words as well, and what people decide about it."""

from collections.abc import Iterator, Mapping, Sequence

from common import retries, space_queries
from common.db import Connection
from common.retries import Failed
from gateway.errors import Conflict, NotFound
from gateway.ml_schemas import Backfilled, BackfillRequest, MeaningStatus, StageProgress, Switched
from gateway.queries import ml as queries
from gateway.queries.ml import KnownServer, KnownSpace, Progress

SOON = "it starts within 20 s, as far as servers are there"
SEEN = ("photo", "video")
UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))


async def status(conn: Connection) -> MeaningStatus:
    """How far everything is."""
    spaces, servers = await queries.list_spaces(conn), await queries.list_servers(conn)
    totals = await queries.count_kinds(conn)
    stages = [progress(one, spaces, servers, totals) for one in await queries.list_progress(conn)]
    return MeaningStatus(stages=stages, spaces=spaces, servers=servers, advice=[*advice(stages, spaces, servers)])


async def backfill(conn: Connection, asked: BackfillRequest) -> Backfilled:
    """Have all assets looked at for what they lack of some stages; NotFound when nobody wants one that was named."""
    named = {f"embed:{asked.space_id}"} if asked.space_id is not None else set()
    named |= {asked.stage} if asked.stage is not None else set()
    wanted = await space_queries.list_wanted(conn)
    if missing := named.difference(wanted):
        raise NotFound(f"no stage {min(missing)} is worked off; those there are: {', '.join(wanted) or 'none'}")
    stages = await space_queries.walk_again(conn, sorted(named) or wanted)
    retried = sum([await retries.retry(conn, Failed(stage=one)) for one in stages]) if asked.retry_failed else 0
    return Backfilled(stages=stages, retried=retried, message=SOON if stages else "no server has offered anything yet")


async def switch(conn: Connection, space_id: int) -> Switched:
    """Have another space count: at once if it is being filled, else once it is filled again."""
    states = await space_queries.lock_spaces(conn)
    if states.get(space_id) is None:
        raise NotFound(f"no space {space_id}")
    if states[space_id] == "current":
        raise Conflict(f"space {space_id} is the one that counts already")
    if states[space_id] == "retired":
        await space_queries.fill_again(conn, space_id)
        await space_queries.ensure_stage(conn, f"embed:{space_id}", kinds=SEEN)
        return Switched(
            space_id=space_id, state="filling", message="it is filled again, and counts once it is complete"
        )
    await space_queries.make_current(conn, space_id)
    return Switched(space_id=space_id, state="current", message="it counts now; what it lacks is still being filled in")


def progress(
    one: Progress, spaces: Sequence[KnownSpace], servers: Sequence[KnownServer], totals: Mapping[str, int]
) -> StageProgress:
    """How far a stage is, with the time that it takes at the speed of the last minutes."""
    space = next((space for space in spaces if one.stage == f"embed:{space.space_id}"), None)
    total = max(sum(totals.get(kind, 0) for kind in one.kinds), one.done + one.failed + one.open)
    left = total - one.done - one.failed if one.is_walking else one.open
    rate = one.lately / one.seconds
    is_served = any(_serves(server, one.stage, space) for server in servers)
    seconds = left / rate if left and rate > 0 and is_served else None
    return StageProgress(
        stage=one.stage,
        model=space.model if space else None,
        is_served=is_served,
        total=total,
        done=one.done,
        due=one.open,
        failed=one.failed,
        coverage_percent=one.done * 1000 // total / 10 if total else 100.0,
        per_second=round(rate, 2),
        seconds_left=seconds,
        time_left=_left(left, seconds, is_served=is_served),
    )


def advice(
    stages: Sequence[StageProgress], spaces: Sequence[KnownSpace], servers: Sequence[KnownServer]
) -> Iterator[str]:
    """What is missing, and what to do about it."""
    if not servers:
        yield (
            "no inference server is known: put a model into the models folder, or name servers in "
            "LUMILIO_INFERENCE_SERVERS; everything else works without"
        )
    for server in servers:
        if not server.is_there:
            yield f"{server.address} is not there{_because(server)}: its work waits, and nothing of it fails"
    states = {f"embed:{space.space_id}": space for space in spaces}
    for stage in stages:
        if not stage.is_served and servers:
            yield f"no server offers {stage.model or stage.stage}, so {stage.stage} waits: start one that does"
        if stage.failed:
            yield f"{stage.failed:,} failed at {stage.stage}: `lumilio failed` says why, a backfill can try them again"
        if (space := states.get(stage.stage)) is not None and space.state == "filling":
            yield f"{space.model} is being filled, and takes the place of the current model once it is complete"


def _serves(server: KnownServer, stage: str, space: KnownSpace | None) -> bool:
    if not server.is_there:
        return False
    return stage in server.tasks if space is None else "embed_image" in server.tasks and server.model == space.model


def _because(server: KnownServer) -> str:
    return f" ({server.complaint})" if server.complaint else ""


def _left(left: int, seconds: float | None, *, is_served: bool) -> str:
    if not left:
        return "all is done"
    if seconds is None:
        return "not known yet" if is_served else "it waits for a server"
    for unit, length in UNITS:
        if seconds >= length:
            count = round(seconds / length)
            return f"about {count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"
