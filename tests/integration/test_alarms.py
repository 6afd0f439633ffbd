"""Every alarm is raised by what it is for, and by nothing else; rules and dashboard name only what is told."""

import re
from collections.abc import Mapping

import pytest
from prometheus_client import REGISTRY

from common import pulse, streams
from common.bus import Bus
from common.db import Pool, open_pool
from common.messages import UploadStaged
from common.pulse import Reserve
from common.stages import Stage
from tests.support import alarms, placing
from tests.support.given import Repository, User
from tests.support.rows import claim, do
from tests.support.scraping import Numbers, scrape, value

RESERVE = Reserve(1 << 20, 0.0)
Labelled = tuple[tuple[str, str], ...]
SUBJECT = UploadStaged.subject
BY_PROMETHEUS = {"up", "process_resident_memory_bytes", "process_cpu_seconds_total"}

CAUSES: dict[str, list[str]] = {
    "LumilioOutboxStalled": [
        "insert into outbox (subject, body, created_at) values ('lumilio.x', '{}', now() - interval '61 s')"
    ],
    "LumilioUploadsNotPlaced": ["update uploads set created_at = now() - interval '2 h'"],
    "LumilioFailuresGrow": [
        (
            "insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename)"
            " select user_id, sha256(n::text::bytea), 1, 'photo', 'image/jpeg', 'x.jpg'"
            " from users, generate_series(1, 11) n"
        ),
        (
            "insert into asset_stages (asset_id, stage, owner_id, state, error, error_class)"
            " select asset_id, 'render', owner_id, 'failed', 'no image', 'permanent' from assets where size = 1"
        ),
    ],
    "LumilioDeadLetters": ["insert into dead_letters (subject, body, reason) values ('lumilio.x', '', 'unreadable')"],
    "LumilioRepositoryOffline": ["update repositories set state = 'offline', offline_reason = 'it is away'"],
    "LumilioOriginalCorrupt": [
        (
            "insert into file_records (repository_id, path, size, modified_ns, inode, state)"
            " select repository_id, 'x', 1, 1, 1, 'corrupt' from repositories"
        )
    ],
    "LumilioOriginalsNotCompared": [
        (
            "insert into file_records (repository_id, path, size, modified_ns, inode, scrubbed_at)"
            " select repository_id, 'x', 1, 1, 1, now() - interval '46 days' from repositories"
        )
    ],
    "LumilioScanAsks": [
        (
            "insert into sync_operations (repository_id, reason, state, asks)"
            " select repository_id, 'daily', 'asking', 12 from repositories"
        )
    ],
    "LumilioNoModelServer": [
        "insert into inference_stages (stage, kinds) values ('classify', '{photo}')",
        "insert into stage_count_changes (stage, open, done, failed) values ('classify', 3, 0, 0)",
        (
            "insert into inference_servers (address, dispatcher, is_there, tasks, slots, busy)"
            " values ('a:1', gen_random_uuid(), false, '{}', 1, 0)"
        ),
    ],
    "LumilioBackupOld": [
        (
            "insert into backups (folder, state, began_at, ended_at)"
            " values ('x', 'made', now() - interval '49 h', now() - interval '49 h')"
        )
    ],
    "LumilioBackupFailed": [
        "insert into backups (folder, state, ended_at, error) values ('x', 'failed', now(), 'the disk is full')"
    ],
}
BY_HAND = {
    *("LumilioServiceDown", "LumilioNobodyTells", "LumilioPulseSilent", "LumilioErrors", "LumilioSandboxKills"),
    *("LumilioStageStandsStill", "LumilioStageWaits", "LumilioReaderFull", "LumilioReaderUnheard"),
    *("LumilioDiskNearlyFull", "LumilioDiskFull"),
}


@pytest.fixture
async def quiet(pool: Pool, bus: Bus, repository: Repository, user: User) -> None:
    """A server with one upload that waits since now, of which no alarm tells."""
    await placing.new_asset(pool, repository, user, 0)
    assert raised(await scrape(pulse.sources(pool, bus, RESERVE))) == set()


def raised(numbers: Numbers) -> set[str]:
    """The alarms of a moment, but for those of what this process has counted in other tests."""
    kept = {key: value for key, value in numbers.items() if "_http_" not in key[0] and "_kills_" not in key[0]}
    return {alert for alert in alarms.rules() if alarms.raised(kept, alert)}


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("alert", CAUSES)
async def test_rows_raise_their_alarm(pool: Pool, bus: Bus, alert: str) -> None:
    """As the rows are when it happens, by what is told of them."""
    for statement in CAUSES[alert]:
        await do(pool, statement)

    assert raised(await scrape(pulse.sources(pool, bus, RESERVE))) == {alert}


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(("days", "told"), [(30, {"LumilioOriginalsNotCompared"}), (31, set()), (0, set())])
async def test_originals_are_late_by_the_span_that_is_set(pool: Pool, bus: Bus, days: int, told: set[str]) -> None:
    """By half of it more than was promised; nothing is where nothing is to be compared."""
    await do(pool, *CAUSES["LumilioOriginalsNotCompared"])

    numbers = await scrape(pulse.sources(pool, bus, RESERVE, scrub_days=days))

    assert raised(numbers) == told
    assert value(numbers, "lumilio_originals_overdue") == (1 if days else 0)


@pytest.mark.usefixtures("quiet")
async def test_who_names_no_server_any_more_misses_none(pool: Pool, bus: Bus) -> None:
    """What was asked of models before stays open, and nobody is called for it."""
    wanted, counted, _ = CAUSES["LumilioNoModelServer"]
    for statement in (wanted, counted):
        await do(pool, statement)

    assert raised(await scrape(pulse.sources(pool, bus, RESERVE))) == set()


@pytest.mark.usefixtures("quiet")
async def test_work_that_nobody_does_raises_the_alarm(pool: Pool, bus: Bus, repository: Repository, user: User) -> None:
    """After five minutes; while somebody does such work it only waits, and in the bulk lane that is nothing to tell."""
    await placing.new_asset(pool, repository, user, 1)
    await do(pool, "update asset_stages set next_at = now() - interval '6 min' where stage = 'place'")
    assert raised(await scrape(pulse.sources(pool, bus, RESERVE))) == {"LumilioStageStandsStill", "LumilioStageWaits"}

    await claim(pool, Stage.PLACE)
    assert raised(await scrape(pulse.sources(pool, bus, RESERVE))) == {"LumilioStageWaits"}

    await do(pool, "update asset_stages set lane = 1 where stage = 'place'")
    assert raised(await scrape(pulse.sources(pool, bus, RESERVE))) == set()


@pytest.mark.usefixtures("quiet")
async def test_messages_that_nobody_fetches_raise_the_alarm(pool: Pool, bus: Bus) -> None:
    """And so does a reader that was given all it may have, and acknowledges nothing."""
    for _ in range(2):
        await bus.js.publish(SUBJECT, b"x")
    assert raised(await scrape(pulse.sources(pool, bus, RESERVE))) == {"LumilioReaderUnheard"}

    await bus.js.add_consumer(streams.NAME, durable_name=streams.PLACE.name, max_ack_pending=1)
    subscription = await bus.js.pull_subscribe_bind(durable=streams.PLACE.name, stream=streams.NAME)
    await subscription.fetch(1)
    assert "LumilioReaderFull" in raised(await scrape(pulse.sources(pool, bus, RESERVE)))


@pytest.mark.usefixtures("quiet")
async def test_a_disk_that_is_nearly_full_raises_the_alarm(pool: Pool, bus: Bus) -> None:
    """Before uploads are refused, and then once more."""
    numbers = await scrape(pulse.sources(pool, bus, RESERVE))
    free = value(numbers, "lumilio_disk_free_bytes", repository="Test")

    for share, told in ((0.75, {"LumilioDiskNearlyFull"}), (2, {"LumilioDiskNearlyFull", "LumilioDiskFull"})):
        reserve = Reserve(int(free * share), 0.0)
        assert raised(await scrape(pulse.sources(pool, bus, reserve))) == told


async def test_silence_raises_the_alarm(bus: Bus) -> None:
    """Of the database, while everything else is told, and of all when no ingest is watched."""
    async with open_pool("postgresql://nobody@127.0.0.1:1/none") as away:
        numbers = await scrape(pulse.sources(away, bus, RESERVE))

    assert value(numbers, "lumilio_pulse_answers", source="bus") == 1
    assert ("lumilio_outbox", ()) not in numbers
    assert raised(numbers) == {"LumilioPulseSilent"}
    assert raised(await scrape()) == {"LumilioNobodyTells"}


UP = (("job", "lumilio"), ("service", "ingest"))
TIME = (("reason", "time"),)
ROUTE = ("route", "/")


@pytest.mark.parametrize(
    ("alert", "name", "bad", "well"),
    [
        ("LumilioServiceDown", "up", {UP: 0}, {UP: 1}),
        ("LumilioSandboxKills", "lumilio_sandbox_kills_total", {TIME: 21}, {TIME: 20}),
        (
            "LumilioErrors",
            "lumilio_http_request_seconds_count",
            {(ROUTE, ("status", "2xx")): 94, (ROUTE, ("status", "5xx")): 6},
            {(ROUTE, ("status", "2xx")): 96, (ROUTE, ("status", "5xx")): 4},
        ),
    ],
)
def test_what_processes_count_raises_the_alarm(
    alert: str, name: str, bad: Mapping[Labelled, float], well: Mapping[Labelled, float]
) -> None:
    """From the number on that the rule says."""
    assert alarms.raised({(name, labels): number for labels, number in bad.items()}, alert)
    assert not alarms.raised({(name, labels): number for labels, number in well.items()}, alert)


def test_no_alarm_is_untested() -> None:
    """A rule that nothing raises here is one that nobody has seen raised."""
    assert alarms.rules().keys() == CAUSES.keys() | BY_HAND


def test_every_alarm_leads_to_what_to_do() -> None:
    """Whoever is woken finds an entry of that very name, and no entry is of an alarm that there is not."""
    page = (alarms.MONITORING.parents[1] / "docs/troubleshooting.md").read_text()
    entries = re.findall(r"^### (Lumilio\w+)$", page, re.MULTILINE)

    assert sorted(entries) == sorted(alarms.rules())
    assert alarms.runbooks() == {name: f"docs/troubleshooting.md#{name.lower()}" for name in entries}


async def test_rules_and_dashboard_name_what_is_told(pool: Pool, bus: Bus, repository: Repository) -> None:
    """A metric that is called otherwise would be an alarm that never comes."""
    assert repository
    for statement in (*CAUSES["LumilioBackupOld"], *CAUSES["LumilioNoModelServer"]):
        await do(pool, statement)
    told = {family.name for source in pulse.sources(pool, bus, RESERVE) for family in await source.read()}
    told.add("lumilio_pulse_answers")
    for family in REGISTRY.collect():
        told |= {family.name + ending for ending in ("", "_total", "_bucket", "_count", "_sum")}

    expressions = [*alarms.rules().values(), *alarms.shown()]

    assert len(expressions) > 40
    assert {name for expression in expressions for name in alarms.names(expression)} - told - BY_PROMETHEUS == set()
