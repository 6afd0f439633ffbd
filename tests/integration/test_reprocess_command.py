"""`lumilio reprocess` against a gateway: what it asks for, and what it shows until that is done."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from threading import Event
from uuid import UUID

import pytest
from rich.console import Console

from common.db import Pool
from lumilio import showing
from lumilio.following import Asking, Watch
from lumilio.reprocess.command import follow
from lumilio.reprocess.server import Scope, Server
from lumilio.upload.patience import Gone, Patience
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.placing import new_asset
from tests.support.rows import ask, do
from tests.support.sending import sending
from tests.support.waiting import until

DONE = "update asset_stages set state = 'done', next_at = null"


@pytest.fixture
async def server(api: Api, user: User, pool: Pool, asset: UUID, tmp_path: Path) -> AsyncIterator[Server]:
    """A server that is done with the one photo that it has, as the command knows it."""
    await do(pool, DONE)
    with sending(api.port, user, bytes(tmp_path / "photos")) as sender:
        yield Server(Asking(sender.session, Patience(Event())))


def test_how_far_it_is_comes_from_what_is_left() -> None:
    """A person sees how many are done of how many, and how long the rest takes at the speed of the last minutes."""
    watch = Watch(10_000)

    first = watch.note(10_000, now=0.0)
    later = watch.note(8_766, now=100.0)
    more = watch.note(20_000, now=101.0)

    assert (first.line, first.done) == ("0 of 10,000 done", 0)
    assert later == (1234, 10_000, "1,234 of 10,000 done, 12.3 a second, 11 min 50 s left")
    assert more.line == "0 of 20,000 done"


async def test_what_is_asked_for_is_queued(server: Server, pool: Pool, repository: Repository) -> None:
    """The filters of the command are those of the server; nothing is asked for twice."""
    mine, others = str(repository.repository_id), str(UUID(int=1))

    async def queued(scope: Scope, **filters: str) -> int:
        return await asyncio.to_thread(server.reprocess, scope, **filters)

    assert await queued("failed") == 0
    assert await queued("all", type="VIDEO") == 0
    assert await queued("all", repository_id=others) == 0
    assert await queued("missing", repository_id=mine, type="PHOTO") == 1
    assert await queued("all") == 0


async def test_a_run_is_followed_to_its_end(
    server: Server, pool: Pool, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Lines tell how far it is and what holds it up; in the end nothing is left, and nothing failed."""
    monkeypatch.setattr(showing, "LINE_SECONDS", 0.05)
    await do(pool, "insert into stage_pauses values ('render', 1, 'a new disk', now(), now() + interval '1 hour')")
    queued = await asyncio.to_thread(server.reprocess, "all")
    running = asyncio.create_task(asyncio.to_thread(follow, server, queued, Console(file=io.StringIO())))
    seen = ""

    def told() -> bool:
        nonlocal seen
        seen += capfd.readouterr().out
        return "0 of 1 done (render is paused: a new disk)" in seen

    await until(told)
    await do(pool, DONE)

    assert await running == 0
    assert "all is done" in capfd.readouterr().out


async def test_what_could_not_be_done_is_counted(
    server: Server, pool: Pool, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The exit status says so; what had failed before is not counted."""
    monkeypatch.setattr(showing, "LINE_SECONDS", 0.05)
    await asyncio.to_thread(server.reprocess, "all")
    running = asyncio.create_task(asyncio.to_thread(follow, server, 1, Console(file=io.StringIO())))
    await until(lambda: "0 of 1 done" in capfd.readouterr().out)

    await do(pool, "update asset_stages set state = 'failed', next_at = null, error = 'no pixels' where lane = 1")

    assert await running == 1
    assert "1 could not be processed: `lumilio failed`" in capfd.readouterr().out


async def test_what_the_server_refuses_ends_the_command(server: Server, pool: Pool) -> None:
    """Everybody's photos are for administrators, in the server's own words."""
    everyones = Server(server.asking, everyone=True)

    with pytest.raises(Gone, match="`all` is for administrators"):
        await asyncio.to_thread(everyones.reprocess, "all")

    await do(pool, "update users set is_admin = true")
    assert await asyncio.to_thread(everyones.reprocess, "all") == 1


async def test_more_than_one_answer_is_followed(
    server: Server, pool: Pool, repository: Repository, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that needs more than one request to queue all is asked on."""
    from gateway import reprocess

    for number in range(1, 5):
        await new_asset(pool, repository, user, number)
    await do(pool, DONE)
    monkeypatch.setattr(reprocess, "BATCH", 2)
    monkeypatch.setattr(reprocess, "PATIENCE_SECONDS", -1)

    assert await asyncio.to_thread(server.reprocess, "all") == 5
    assert await ask(pool, "select count(*) from asset_stages where lane = 1") == [5]
