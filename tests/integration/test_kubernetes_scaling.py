"""What a cluster is scaled by."""

from typing import Any
from uuid import UUID

from common import pulse_queries
from common.db import Pool
from tests.support import manifests
from tests.support.gateway import rows


async def test_workers_are_scaled_by_what_is_due(pool: Pool, asset: UUID) -> None:
    """The queries of the manifests count what the metric counts, and nothing that rests or is not yet due."""
    queries = {found["metadata"]["name"]: _query(found) for found in manifests.of_kind("ScaledObject")}
    async with pool.connection() as conn:
        due = await pulse_queries.list_due(conn)
    assert [(one.stage, one.due) for one in due] == [("place", 1)]

    assert await _counted(pool, queries) == {"ingest": 1, "processor": 0}

    async with pool.connection() as conn:
        await conn.execute("update asset_stages set next_at = now() + interval '1 hour' where stage = 'place'")
    assert await _counted(pool, queries) == {"ingest": 0, "processor": 0}


async def _counted(pool: Pool, queries: dict[str, str]) -> dict[str, int]:
    return {name: (await rows(pool, query))[0][0] for name, query in queries.items()}


def _query(found: dict[str, Any]) -> str:
    (trigger,) = found["spec"]["triggers"]
    query: str = trigger["metadata"]["query"]
    return query
