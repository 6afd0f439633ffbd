"""Whoever asks how the server is sees what stands still, why, and what to do about it."""

import asyncio
import json
import os
import re
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import pytest
from rich.console import Console

from common import streams
from common.bus import Bus
from common.db import Pool
from lumilio import main
from lumilio.data import running_database
from lumilio.nats_server import NatsServer
from lumilio.refusal import CannotStart
from lumilio.status import command, listening, looking, places, screen
from lumilio.status.places import Places
from lumilio.status.seen import Report
from lumilio.status.settings import StatusSettings
from tests.support import placing
from tests.support.given import Repository, User
from tests.support.rows import do
from tests.support.servers import running_nats
from tests.support.waiting import until

NOBODY = "127.0.0.1:1"
AS_TESTS = ("database-unsafe", "service-gone")  # as tests run theirs
ENOUGH = StatusSettings(reserve_bytes=0, reserve_percent=0)
STAGED = b'{"owner_id":1,"upload_id":1,"asset_id":"%s","repository_id":"%s"}' % (
    (b"01a20581-cc26-7657-838b-3f33d2afa25e",) * 2
)


@dataclass(frozen=True)
class Server:
    """A server that nobody serves: its database, its bus, and whoever is told of."""

    at: Places
    config: StatusSettings = ENOUGH

    async def report(self) -> Report:
        return command.conclude(await looking.look(self.at, self.config), self.at)

    async def fact(self, name: str) -> str | None:
        """What is said of something, if anything is."""
        return next((one.text for one in (await self.report()).facts if one.name == name), None)

    async def lines(self) -> dict[str, str]:
        """What is wrong beside what tests do without, by its kind."""
        troubles = [one for one in (await self.report()).troubles if one.kind not in AS_TESTS]
        return {one.kind: f"{one.what} -> {one.todo}" for one in troubles}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, database_url: str, nats_url: str, repository: Repository) -> Server:
    """All of it, on this machine; nobody is waited for."""
    monkeypatch.setattr(listening, "AGAIN_SECONDS", 0)
    return Server(Places(database_url, nats_url))


async def test_a_server_that_is_well_says_what_goes_well(server: Server, asset: UUID) -> None:
    """But for the database of tests, which could forget, and services that do not run; those have their lines."""
    report = await server.report()

    unsafe, *gone = report.troubles
    assert "fsync" in unsafe.what
    assert [one.what.partition(" ")[0] for one in gone] == ["ingest", "processor", "syncer"]
    facts = {fact.name: fact.text for fact in report.facts}
    assert facts["catalogue"].startswith("1 photo")
    assert facts["work"].startswith("place 1 (0 at work")
    assert "NATS 2." in facts["versions"]


async def test_events_that_are_not_published_are_told(server: Server, pool: Pool) -> None:
    """After a minute, with how long it has been."""
    add = "insert into outbox (subject, body, created_at) values ('lumilio.x', '{}', now() - interval '%s s')"
    await do(pool, add % 50)
    assert await server.lines() == {}

    await do(pool, add % 130)

    assert (await server.lines())["events-unpublished"].startswith("2 events could not be published for 2 minutes.")


async def test_work_that_nobody_does_is_told_with_whose_it_is(server: Server, pool: Pool, asset: UUID) -> None:
    """Who listens on the bus is known there, so a service that does not run is named."""
    await do(pool, "update asset_stages set next_at = now() - interval '10 min' where stage = 'place'")

    line = (await server.lines())["work-old"]

    assert line.startswith("Uploads to store (place): 1 due, the oldest for 10 minutes: ingest does not run.")


async def test_work_that_rests_is_told_with_who_wants_that(server: Server, pool: Pool, asset: UUID, user: User) -> None:
    """And until when, and why."""
    await do(pool, "update asset_stages set next_at = now() - interval '10 min' where stage = 'place'")
    await do(
        pool, f"insert into stage_pauses values ('place', {user.user_id}, 'a new disk', now(), now() + interval '1 h')"
    )

    line = (await server.lines())["work-old"]

    assert "anna has it paused until" in line
    assert "(a new disk)" in line
    assert "/stages/place/resume" in line


async def test_work_that_waits_for_a_model_is_told_so(server: Server, pool: Pool, asset: UUID, user: User) -> None:
    """While an inference server is away nothing is wrong but that; who names none any more does without."""
    await do(
        pool,
        f"""
        insert into asset_stages (asset_id, stage, owner_id, state, next_at)
        values ('{asset}', 'faces', {user.user_id}, 'pending', now() - interval '6 min')
        """,
    )
    assert await server.lines() == {}

    await do(
        pool,
        """
        insert into inference_servers (address, dispatcher, is_there, tasks, slots, busy)
        values ('a:1', gen_random_uuid(), false, '{}', 1, 0)
        """,
    )
    assert "Faces (faces): 1 due, the oldest for 6 minutes: no inference server" in (await server.lines())["work-old"]


async def test_bulk_work_that_somebody_is_at_is_no_trouble(
    server: Server, pool: Pool, repository: Repository, asset: UUID, user: User
) -> None:
    """An import of a hundred thousand photos takes its time; what people wait for is another matter."""
    at_work = await placing.new_asset(pool, repository, user, 1)
    await do(pool, "update asset_stages set next_at = now() - interval '2 h', lane = 1 where stage = 'place'")
    assert "work-old" in await server.lines()

    lease = "state = 'running', lease_until = now() + interval '1 min'"
    await do(pool, f"update asset_stages set {lease} where stage = 'place' and asset_id = '{at_work}'")
    assert await server.lines() == {}

    await do(pool, f"update asset_stages set lane = 0 where stage = 'place' and asset_id = '{asset}'")
    assert "1 at work, which do not keep up" in (await server.lines())["work-old"]


async def test_a_reader_that_acknowledges_nothing_is_told(server: Server, bus: Bus) -> None:
    """The bus gives it nothing more, however much there is."""
    full = replace(streams._consumer(streams.PLACE), max_ack_pending=1)
    await bus.js.add_consumer(streams.NAME, full)
    await bus.js.publish(streams.PLACE.subjects[0], STAGED)
    taken = await bus.js.pull_subscribe_bind(durable=streams.PLACE.name, stream=streams.NAME)
    await taken.fetch(1, timeout=5)

    line = (await server.lines())["reader-full"]

    assert line.startswith("The bus gives ingest-place nothing more: 1 message")
    assert "Restart ingest." in line


async def test_messages_that_nobody_waits_for_are_told(server: Server, bus: Bus) -> None:
    """A reader that has gone is seen by what is left for it."""
    await bus.js.publish(streams.PLACE.subjects[0], STAGED)

    line = (await server.lines())["reader-gone"]

    assert line.startswith("Nobody listens to ingest-place, which has 1 message to read: ingest does not run.")


async def test_a_repository_that_is_away_is_told(server: Server, repository: Repository, tmp_path: Path) -> None:
    """With what is wrong with it, and that nothing is lost; another machine that has no such folder says nothing."""
    shutil.rmtree(repository.root)
    here = replace(server, at=replace(server.at, data=str(tmp_path)))

    line = (await here.lines())["repository-offline"]

    assert line.startswith("Test is offline: ")
    assert "Nothing of it is lost" in line
    assert await server.lines() == {}


async def test_services_say_from_anywhere_that_a_repository_is_away(server: Server, pool: Pool) -> None:
    """What they found is a row."""
    await do(pool, "update repositories set state = 'offline', offline_reason = 'its folder is gone'")

    assert (await server.lines())["repository-offline"].startswith("Test is offline: its folder is gone.")


async def test_a_service_that_listens_to_nothing_is_told(server: Server, bus: Bus) -> None:
    """Also while nothing is due, and nobody knows where it would say how it is."""
    scans = await bus.js.pull_subscribe_bind(durable=streams.SCAN.name, stream=streams.NAME)
    listening = asyncio.create_task(scans.fetch(1, timeout=60))
    await until(lambda: _is_heard(bus))

    report = await server.report()

    listening.cancel()
    gone = [one for one in report.troubles if one.kind == "service-gone"]
    assert [one.what.partition(":")[0] for one in gone] == [
        "ingest does not run, or does not reach the bus",
        "processor does not run, or does not reach the bus",
    ]


async def _is_heard(bus: Bus) -> bool:
    return bool((await bus.js.consumer_info(streams.NAME, streams.SCAN.name)).num_waiting)


async def test_backups_are_told(server: Server, pool: Pool) -> None:
    """That there is none, how old the last one is, that nobody makes any, and why the last try failed."""
    made = (
        "insert into backups (folder, state, began_at, ended_at) values ('x', 'made', now(), now() - interval '47 h')"
    )
    assert await server.fact("backup") == "none was ever made by `lumilio backup`"

    await do(pool, made)
    assert (await server.fact("backup"), await server.lines()) == ("the last was made 1 day ago", {})

    await do(pool, "update backups set ended_at = now() - interval '50 h'")
    assert (await server.lines())["backup-old"].startswith("Nobody makes backups any more: the last good one is 2 days")

    await do(pool, "insert into backups (folder, state, ended_at, error) values ('y', 'failed', now(), 'no room')")
    assert list(await server.lines()) == ["backup-failed"]
    assert "the last good one is 2 days old: no room." in (await server.lines())["backup-failed"]


async def test_a_scan_that_asks_is_told(server: Server, pool: Pool, repository: Repository) -> None:
    """With how to say yes."""
    at = f"('{repository.repository_id}', 'daily', 'asking', 4000)"
    await do(pool, f"insert into sync_operations (repository_id, reason, state, asks) values {at}")

    line = (await server.lines())["scan-asks"]

    assert "4,000 files" in line
    assert f"lumilio scan --repository {repository.repository_id} --accept-missing" in line


async def test_what_was_given_up_is_told(server: Server, pool: Pool, asset: UUID) -> None:
    """With the command that says why."""
    await do(
        pool, "update asset_stages set state = 'failed', next_at = null, error = 'no pixels' where stage = 'place'"
    )

    line = (await server.lines())["work-failed"]

    assert "of place" in line
    assert "`lumilio failed`" in line


async def test_damaged_originals_are_told(server: Server, pool: Pool, repository: Repository, asset: UUID) -> None:
    """They are what the server is for."""
    await do(
        pool,
        f"""
        insert into file_records (repository_id, path, display_name, asset_id, size, modified_ns, inode, state)
        values ('{repository.repository_id}', 'p', 'p', '{asset}', 1, 1, 1, 'corrupt')
        """,
    )

    assert (await server.lines())["originals-corrupt"].startswith("The disk of Test damaged 1 original,")


async def test_originals_that_are_gone_are_told(
    server: Server, pool: Pool, repository: Repository, asset: UUID, user: User
) -> None:
    """Those that the server kept need a person; what people took out of their own folders is only said."""
    own, thrown = [await placing.new_asset(pool, repository, user, number) for number in (1, 2)]
    await do(pool, "update assets set missing_since = now()")
    await do(pool, f"update assets set trashed_at = now() where asset_id = '{thrown}'")
    for one, path in ((asset, "inbox/a"), (own, "2019/b"), (thrown, "inbox/c")):
        await do(
            pool,
            f"""
            insert into file_records (repository_id, path, display_name, asset_id, size, modified_ns, inode, state)
            values ('{repository.repository_id}', '{path}', '{path}', '{one}', 1, 1, 1, 'missing')
            """,
        )

    line = (await server.lines())["originals-missing"]

    assert line.startswith("1 original that the server kept in Test cannot be found there any more. ->")
    assert await server.fact("hidden") == "1 asset, for their files are gone from people's own folders"


async def test_originals_are_late_by_the_span_that_is_set(server: Server, pool: Pool, repository: Repository) -> None:
    """Not by the usual one; who wants none compared hears nothing of it."""
    await do(
        pool,
        f"""
        insert into file_records (repository_id, path, size, modified_ns, inode, scrubbed_at)
        values ('{repository.repository_id}', 'p', 1, 1, 1, now() - interval '40 days')
        """,
    )

    told = [await replace(server, config=StatusSettings(scrub_days=days)).fact("originals") for days in (30, 90, 0)]

    read = "all read again, the longest ago 40 days ago"
    assert told == [f"{read}; 1 are late", read, None]
    new = f"values ('{repository.repository_id}', 'new', 1, 1, 2)"
    await do(pool, f"insert into file_records (repository_id, path, size, modified_ns, inode) {new}")
    assert (await server.fact("originals") or "").startswith("all but 1 new ones read again, the longest ago 40 days")


async def test_a_disk_without_its_reserve_is_told(server: Server) -> None:
    """With how much is to be made free."""
    greedy = replace(server, config=StatusSettings(reserve_bytes=1 << 60, reserve_percent=0))

    line = (await greedy.lines())["disk-full"]

    assert line.startswith("The disk of Test has")
    assert "until 1048576 TB are free" in line


async def test_a_bus_that_could_forget_is_told(server: Server, tmp_path: Path) -> None:
    """As its own configuration says."""
    with running_nats(
        tmp_path, edit=lambda text: text.replace("sync_interval: always", "sync_interval: 2m")
    ) as forgetful:
        at = replace(server.at, nats=forgetful.url, monitor=forgetful.monitor_url)
        lines = await replace(server, at=at).lines()

    assert lines["bus-unsafe"].startswith("The message bus is not durable. -> Set `sync_interval: always`")
    assert "bus-empty" in lines


async def test_a_bus_that_is_away_is_told(server: Server) -> None:
    """The database says all the rest."""
    deaf = replace(server, at=replace(server.at, nats=f"nats://{NOBODY}"))

    assert list(await deaf.lines()) == ["bus-away"]


async def test_who_is_not_let_in_is_told_so(server: Server) -> None:
    """A wrong password is not a server that is away: nothing is wrong but who asks."""
    asking = "nobody:wrong@"
    wrong = replace(server.at, nats=re.sub(r"(?<=//).*@", asking, server.at.nats))
    assert list(await replace(server, at=wrong).lines()) == ["bus-refuses"]

    wrong = replace(server.at, database=re.sub(r"(?<=//).*@", asking, server.at.database))
    (line,) = (await replace(server, at=wrong).lines()).values()
    assert line.startswith("The database answers, but does not let us in: ")
    assert "correct LUMILIO_DATABASE_URL. Else ask again" in line


async def test_whatever_else_answers_in_the_gateways_place_is_told(server: Server, nats_server: NatsServer) -> None:
    """It is no gateway that is down."""
    at = replace(server.at, health={"gateway": f"{nats_server.monitor_url}/api/v1/health/ready"})

    line = (await replace(server, at=at).lines())["service-unclear"]

    assert line.startswith("The gateway does not say how it is: the answer is 404 from http://")


async def test_a_service_that_is_away_is_told(server: Server) -> None:
    """With what must wait for it."""
    at = replace(server.at, health={"gateway": f"http://{NOBODY}/api/v1/health/ready"})

    line = (await replace(server, at=at).lines())["service-away"]

    assert line.startswith("gateway does not answer: without it, people and apps must wait.")


async def test_without_the_database_nothing_can_be_told_and_that_is_told(server: Server) -> None:
    """What could be asked is told all the same."""
    at = replace(server.at, database=f"postgresql://nobody@{NOBODY}/none")

    report = await replace(server, at=at).report()

    assert report.state == "unknown"
    assert [one.kind for one in report.troubles] == ["database-away"]
    assert "Connection refused" in report.troubles[0].what


async def test_a_database_that_is_older_than_the_command_is_told(server: Server, pool: Pool) -> None:
    """With what brings it up to date: `lumilio up` needs only a new start."""
    await do(pool, "delete from migrations where number = 44")

    line = (await server.lines())["database-old"]
    own = (await replace(server, at=replace(server.at, data="/data")).lines())["database-old"]

    assert "-> Run `lumilio migrate`" in line
    assert "-> Stop `lumilio up` and start it again" in own


@pytest.mark.parametrize("width", [40, 80, 200])
async def test_the_screen_fits_its_terminal(
    server: Server, asset: UUID, width: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong comes first, and nothing runs over the edge or is cut."""
    report = await server.report()

    screen.show(report, Console(width=width))

    shown = capsys.readouterr().out
    assert shown.startswith("4 things need a person.")
    assert max(map(len, shown.splitlines())) <= width
    assert "".join(report.troubles[0].todo.split()) in "".join(shown.split())


def test_scripts_read_it_and_its_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where everything is stands in the environment."""
    monkeypatch.setenv("LUMILIO_DATABASE_URL", f"postgresql://nobody@{NOBODY}/none")
    monkeypatch.setattr(sys, "argv", ["lumilio", "status", "--json"])

    with pytest.raises(SystemExit) as ended:
        main.main()

    assert ended.value.code == 2
    assert json.loads(capsys.readouterr().out)["troubles"][0]["kind"] == "database-away"


def test_a_directory_that_nothing_serves_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever forgot to start the server is told how, and a script that nobody can tell how it is."""
    monkeypatch.delenv("LUMILIO_DATABASE_URL", raising=False)
    monkeypatch.setattr(sys, "argv", ["lumilio", "status", "--data", str(tmp_path)])

    with pytest.raises(SystemExit) as ended:
        main.main()

    assert ended.value.code == 2
    assert "-> Start it with `lumilio up`" in capsys.readouterr().out


def test_a_directory_of_another_account_is_told(tmp_path: Path) -> None:
    """It may well be served, which only its own account can see."""
    (tmp_path / "run").mkdir(mode=0)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        with pytest.raises(CannotStart, match="belongs to another account"):
            places.find(str(tmp_path), {})
        with pytest.raises(CannotStart, match="belongs to another account"):
            running_database(str(tmp_path))
    finally:
        if is_root:
            os.seteuid(0)
