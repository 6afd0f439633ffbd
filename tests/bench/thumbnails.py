"""Thumbnails that only some may see, beside a bare app that serves the same files to anybody."""

import asyncio
import os
import statistics
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from lumilio import ports
from tests.bench import shower
from tests.bench.figures import PARALLEL, Bench, Results, camera, listens
from tests.bench.viewer import get, view
from tests.support.waiting import until

PHOTOS = 96
SIZES = ("small", "medium")
TIMES = 10
ROUNDS = 5
CONNECTIONS = 16


class Requests(NamedTuple):
    """The same thumbnails, asked for in three ways, each often enough to be measured."""

    bare: list[bytes]
    signed: list[bytes]
    bearer: list[bytes]


async def thumbnails(bench: Bench) -> Results:
    """Thumbnails per second: signed addresses and bearer tokens, by turns with the bare app."""
    await bench.send(camera(PHOTOS), clients=PARALLEL)
    await bench.until_done()
    requests = await _requests(bench)
    number = len(requests.bare)
    paces: dict[str, list[float]] = {name: [] for name in Requests._fields}
    async with _bare() as port:
        ports_of = {"bare": port, "signed": bench.stack.port, "bearer": bench.stack.port}
        for _ in range(ROUNDS):
            for name, asked in requests._asdict().items():
                seconds = await asyncio.to_thread(view, ports_of[name], asked, connections=CONNECTIONS)
                paces[name].append(number / seconds)
    ratios = {
        name: statistics.median(ours / bare for ours, bare in zip(paces[name], paces["bare"], strict=True))
        for name in ("signed", "bearer")
    }
    return {
        "thumbnails: per second, bare app": statistics.median(paces["bare"]),
        "thumbnails: per second, signed addresses": statistics.median(paces["signed"]),
        "thumbnails: signed addresses, ratio (>= 0.4)": ratios["signed"],
        "thumbnails: per second, bearer tokens": statistics.median(paces["bearer"]),
        "thumbnails: bearer tokens, ratio": ratios["bearer"],
    }


async def _requests(bench: Bench) -> Requests:
    cursor = await bench.conn.execute(
        """
        select t.asset_id::text, t.size, coalesce(r.private_root, r.root) || '/'::bytea || t.path
        from thumbnails t
        join repositories r using (repository_id)
        where t.size = any(%s)
        """,
        (list(SIZES),),
    )
    rows = await cursor.fetchall()
    assets = sorted({row[0] for row in rows})[:1000]
    answer = await bench.client.http.post("/assets/urls", json={"asset_ids": assets, "variants": SIZES})
    urls = answer.json()["data"]["urls"]
    rows = [row for row in rows if row[0] in urls] * TIMES
    return Requests(
        bare=[get(os.fsdecode(path)) for _, _, path in rows],
        signed=[get(urls[asset][size]) for asset, size, _ in rows],
        bearer=[get(f"/api/v1/assets/{asset}/thumbnail?size={size}", bench.sender.token) for asset, size, _ in rows],
    )


@asynccontextmanager
async def _bare() -> AsyncIterator[int]:
    port = ports.choose(0)
    process = subprocess.Popen([sys.executable, "-m", shower.__name__, str(port)])
    try:
        await until(lambda: listens(port))
        yield port
    finally:
        process.kill()
        process.wait()


ALL = (thumbnails,)
