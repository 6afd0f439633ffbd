"""Replicas of every kind are replaced in turn while people send, first as a rolling update does it, then by crashes."""

import time
from pathlib import Path

from tests.chaos import cluster
from tests.chaos.figures import Figures, spread
from tests.support.forked import KINDS
from tests.support.inference import EMBED_IMAGE
from tests.support.placing import paths, staging
from tests.support.relocating import wish
from tests.support.waiting import until


async def replace(folder: Path, *, asked: int, killed: int) -> Figures:
    """Nothing is lost; while replicas end as they are asked to, no work waits for a lease of theirs to run out.

    Meanwhile the inbox is ordered anew.
    """
    took: list[float] = []
    async with cluster.running(folder, KINDS) as found:
        async with found.sending():
            await found.until_sent(1)
            await wish(found.pool, found.repository, "flat")
            for number in range(asked):
                began = time.monotonic()
                await found.fleet.replace(KINDS[number % len(KINDS)])
                took.append(time.monotonic() - began)
        await found.until_settled()
        assert await found.taken_over() == []
        assert all("/" not in path for path in paths(found.repository))

        async with found.sending():
            await wish(found.pool, found.repository, "cas")
            for number in range(killed):
                await found.fleet.lose(KINDS[number % len(KINDS)])
        await found.until_settled()
        assert all(path.count("/") == 3 for path in paths(found.repository))
        await until(
            lambda: not staging(found.repository), seconds=cluster.SETTLE_SECONDS, what="what was cut off is cleaned up"
        )
        figures = {"taken over from killed": len(await found.taken_over())}
        await found.end()
    return {
        "replaced": asked,
        "killed": killed,
        "acknowledged": len(found.fleet.acks),
        "sent again": found.fleet.refused,
        "looked at again": len(found.model.asked[EMBED_IMAGE]) - len(found.fleet.acks),
        **figures,
        **spread("replaced in", took),
    }
