"""The whole service: whoever asks for a scan has it at once, and when it ends, others may have its repositories."""

import asyncio

from common.bus import Bus
from common.messages import ScanRequested
from syncer.main import SyncerSettings, serve
from tests.support.rows import ask
from tests.support.scanning import Disk
from tests.support.tending import runs, wish
from tests.support.waiting import until


async def test_a_wish_on_the_bus_is_fulfilled_at_once(disk: Disk, bus: Bus, nats_url: str) -> None:
    """Not when somebody looks at the rows the next time."""
    wish(disk, watch="off", quick_scan_interval="off", full_scan_interval="off")
    (disk.root / "2024").mkdir()
    config = SyncerSettings(database_url=disk.database_url, nats_url=nats_url, poll_seconds=600.0)
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(config, stop))
    await until(lambda: runs(disk, "startup"), what="the first scan")
    body = f'{{"repository_id": "{disk.repository.repository_id}", "folder": "2024"}}'

    await bus.js.publish(ScanRequested.subject, body.encode())

    await until(lambda: runs(disk, "requested"), what="the scan that was asked for")
    assert await runs(disk, "requested") == ["2024"]
    stop.set()
    await asyncio.wait_for(serving, timeout=60)
    assert await ask(disk.pool, "select count(*) from leases where lease_until > now()") == [0]
