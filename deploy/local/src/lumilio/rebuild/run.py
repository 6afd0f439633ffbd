"""Brings back what lies on the disk by the manifests and has no row."""

import asyncio
from collections.abc import Callable

from common import db, marker, repository_queries
from common.files import Offline
from common.names import shown
from lumilio.rebuild import adopting
from lumilio.rebuild.adopting import Summary


async def adopt_missing(database_url: str, *, say: Callable[[str], None] = print) -> Summary:
    """Give rows to all originals of registered repositories that have none; doing it again changes nothing."""
    summary = Summary(say)
    async with db.alone(database_url) as conn:
        for repository in await repository_queries.list_repositories(conn):
            try:
                await asyncio.to_thread(
                    marker.check, repository.root, repository.repository_id, repository.private_root
                )
                await adopting.adopt(conn, repository, summary)
            except Offline as outage:
                summary.trouble("a repository is away", f"{shown(repository.root)}: {outage}")
    return summary
