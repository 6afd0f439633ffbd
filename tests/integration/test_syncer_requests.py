"""Whoever may speak on the bus may have a repository scanned; what nobody can do is kept with its reason."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import uuid4

import pytest

from common.bus import Bus
from common.db import Pool
from common.messages import ScanRequested
from syncer.requests import Requests
from tests.support.given import Repository
from tests.support.rows import ask
from tests.support.runs import ran
from tests.support.waiting import until

SUBJECT = ScanRequested.subject


@pytest.fixture
async def woken(pool: Pool, bus: Bus) -> AsyncIterator[list[int]]:
    """How often somebody was woken by what takes the wishes."""
    rung: list[int] = []
    taking = asyncio.create_task(Requests(pool, bus, 30, lambda: rung.append(1)).run())
    yield rung
    taking.cancel()
    with suppress(asyncio.CancelledError):
        await taking


async def is_quiet(bus: Bus) -> bool:
    """Whether all messages were acknowledged."""
    info = await bus.js.consumer_info("LUMILIO", "syncer-scan")
    return bool(info.num_pending == 0 and info.num_ack_pending == 0)


async def test_a_wish_of_another_system_becomes_a_row(
    pool: Pool, bus: Bus, repository: Repository, woken: list[int]
) -> None:
    """The repository is all that must be said; the same wish twice is one run, and who runs scans is woken."""
    whole = f'{{"repository_id": "{repository.repository_id}"}}'
    for body in (whole, f'{whole[:-1]}, "folder": "caf%E9/2019", "owner_id": 5, "more": 1}}', whole):
        await bus.js.publish(SUBJECT, body.encode())

    await until(lambda: len(woken) >= 3)

    await until(lambda: is_quiet(bus))
    assert await ask(pool, "select folder, reason, state, requested_by from sync_operations order by 1") == [
        (b"", "requested", "queued", None),
        (b"caf\xe9/2019", "requested", "queued", None),
    ]


async def test_a_wish_that_has_its_row_makes_no_other(
    pool: Pool, bus: Bus, repository: Repository, woken: list[int]
) -> None:
    """The API writes the row first, so its message only rings, however often it comes and even when all is done."""
    done = await ran(pool, repository, "done")
    event = ScanRequested(repository_id=repository.repository_id, operation_id=done)
    for _ in range(2):
        await bus.js.publish(SUBJECT, f'{{"repository_id": "{event.repository_id}", "operation_id": {done}}}'.encode())

    await until(lambda: len(woken) >= 2)

    assert await ask(pool, "select operation_id from sync_operations") == [done]


async def test_what_cannot_be_done_is_a_dead_letter(
    pool: Pool, bus: Bus, repository: Repository, woken: list[int]
) -> None:
    """Garbage, unknown repositories and folders that lead elsewhere are kept with reasons, and hold nobody up."""
    ours, nobodys = repository.repository_id, uuid4()
    for body in (
        b"\xff",
        b"{}",
        f'{{"repository_id": "{nobodys}"}}'.encode(),
        f'{{"repository_id": "{ours}", "folder": "../../etc"}}'.encode(),
        f'{{"repository_id": "{ours}", "folder": ".lumilio"}}'.encode(),
        f'{{"repository_id": "{ours}", "folder": "2019", "operation_id": {10**30}}}'.encode(),
        f'{{"repository_id": "{nobodys}", "operation_id": -1}}'.encode(),
    ):
        await bus.js.publish(SUBJECT, body)

    await until(lambda: is_quiet(bus))

    reasons = await ask(pool, "select reason from dead_letters order by dead_letter_id")
    assert [" ".join(reason.split()[:4]) for reason in reasons if "ScanRequested" not in reason] == [
        "there is no repository",
        "the folder's name may",
        "`.lumilio` is the server's",
        "there is no repository",
    ]
    assert len([reason for reason in reasons if reason.startswith("not a ScanRequested")]) == 2
    assert await ask(pool, "select folder from sync_operations") == [b"2019"]
