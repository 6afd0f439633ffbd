"""Every process tells what it counts, and one kind of service the numbers of the whole server."""

import asyncio
from collections.abc import Sequence
from functools import partial

import httpx
import pytest
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from common import health, metrics, pulse, tasks
from common.bus import Bus
from common.db import Pool
from common.health import Readiness
from common.metrics import Source
from common.outbox import Relay
from common.pulse import Reserve
from common.settings import Settings
from common.stages import Claim, Reject, Stage
from common.streams import PLACE
from common.worker import Worker
from lumilio import ports, probe
from tests.support import placing
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.rows import do
from tests.support.scraping import Numbers, read, scrape, value
from tests.support.waiting import until

RESERVE = Reserve(1 << 20, 1.0)


async def test_the_health_port_serves_metrics() -> None:
    """Beside `/live` and `/ready`, in the words of Prometheus."""
    port = ports.choose(0)

    async def ready() -> Readiness:
        return Readiness(ready=True, problems=[])

    serving = asyncio.create_task(health.serve("127.0.0.1", port, ready))
    try:
        await until(partial(probe.is_well, "127.0.0.1", port, "/live"))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            answer = await client.get("/metrics")
            assert (await client.get("/ready")).json() == {"ready": True, "problems": []}
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert ("lumilio_scrubbed_bytes_total", ()) in read(answer.text)
    finally:
        await tasks.cancel(serving)


async def test_requests_are_counted_by_their_route(api: Api) -> None:
    """By the template and the class of the status, whatever ids, names and methods clients make up."""
    before = await scrape()
    await api.client.get("/api/v1/assets/01a20581-cc26-7657-838b-3f33d2afa25e")
    await api.client.get("/no/such/page")
    await api.client.request("PROPFIND", "/no/such/page")
    after = await scrape()

    name = "lumilio_http_request_seconds_count"
    for labels in (
        {"method": "GET", "route": "/api/v1/assets/{asset_id}", "status": "4xx"},
        {"method": "GET", "route": "none", "status": "4xx"},
        {"method": "other", "route": "none", "status": "4xx"},
    ):
        assert value(after, name, **labels) == value(before, name, **labels) + 1, labels


async def test_claims_are_counted_by_what_became_of_them(
    pool: Pool, bus: Bus, repository: Repository, user: User, database_url: str, nats_url: str
) -> None:
    """By stage and outcome without its reason, and the event of the failure by its age."""
    await placing.new_asset(pool, repository, user, 0)

    async def refuse(_: Claim) -> None:
        raise Reject("there is no image: in it")

    before, stop = await scrape(), asyncio.Event()
    config = Settings(database_url=database_url, nats_url=nats_url, poll_seconds=0.1)
    relay = Relay(pool, bus, 0.1)
    relaying = asyncio.create_task(relay.run())
    working = asyncio.create_task(Worker(pool, bus, relay, config, PLACE, Stage.PLACE, refuse, 1).run(stop))
    try:
        await until(partial(_has_grown, before, "lumilio_work_seconds_count", stage="place", outcome="failed"))
        await until(partial(_has_grown, before, "lumilio_relay_delay_seconds_count"))
    finally:
        stop.set()
        await working
        await tasks.cancel(relaying)


async def test_the_whole_server_is_told(pool: Pool, bus: Bus, repository: Repository, user: User) -> None:
    """What rows, the bus and the disks say."""
    await placing.new_asset(pool, repository, user, 0)

    numbers = await scrape(pulse.sources(pool, bus, RESERVE))

    assert value(numbers, "lumilio_stage_due", stage="place", lane="0") == 1
    assert value(numbers, "lumilio_unplaced") == 1
    assert value(numbers, "lumilio_repositories", state="online") == 1
    assert value(numbers, "lumilio_consumer_ack_pending_limit", durable="ingest-place", stage="place") == 1000
    assert value(numbers, "lumilio_disk_free_bytes", repository="Test") > 0
    assert [value(numbers, "lumilio_pulse_answers", source=source) for source in ("database", "bus", "disks")] == [
        1
    ] * 3


async def test_paused_work_is_not_told_as_waiting(pool: Pool, bus: Bus, repository: Repository, user: User) -> None:
    """No alarm tells a person what the person wants."""
    await placing.new_asset(pool, repository, user, 0)
    await do(
        pool,
        f"""
        insert into stage_pauses (stage, paused_by, reason, until)
        values ('place', {user.user_id}, 'a test', now() + interval '1 h')
        """,
    )

    numbers = await scrape(pulse.sources(pool, bus, RESERVE))

    assert value(numbers, "lumilio_stage_due", stage="place", lane="0") == 0
    assert value(numbers, "lumilio_stage_paused", stage="place") == 1


async def test_two_repositories_of_one_name_are_told_once(pool: Pool, bus: Bus, repository: Repository) -> None:
    """Prometheus refuses a page that says the same thing twice."""
    await do(
        pool,
        f"insert into repositories (name, root) select name, root || '-other' from repositories"
        f" where repository_id = '{repository.repository_id}'",
    )

    assert value(await scrape(pulse.sources(pool, bus, RESERVE)), "lumilio_disk_free_bytes", repository="Test") > 0


async def test_a_source_without_an_answer_keeps_nothing_from_being_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked once, however often somebody looks, and told when it answers after all."""
    monkeypatch.setattr(metrics, "ANSWER_SECONDS", 0.01)
    asked, answer = [], asyncio.Event()

    async def ask() -> Sequence[Metric]:
        asked.append(1)
        await answer.wait()
        return [GaugeMetricFamily("lumilio_test", "A number.", value=7)]

    source = Source("slow", ask)
    for _ in range(3):
        assert value(await scrape([source]), "lumilio_pulse_answers", source="slow") == 0

    answer.set()
    assert value(read((await metrics.page([source])).decode()), "lumilio_test") == 7
    assert asked == [1]


async def _has_grown(before: Numbers, name: str, **labels: str) -> bool:
    return value(await scrape(), name, **labels) > value(before, name, **labels)
