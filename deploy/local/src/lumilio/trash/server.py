"""What the server is asked about the trash."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from lumilio.following import Asking
from lumilio_client import api

PAGE = 100
PURGING_SECONDS = 120.0


@dataclass(frozen=True)
class Server:
    """A server, and how it is asked."""

    asking: Asking

    def pages(self) -> Iterator[api.TrashList]:
        """What lies in the trash."""
        return self.asking.pages(api.list_trash(limit=PAGE))

    def restore(self, ids: Sequence[UUID]) -> int:
        """Take photos back, all of them when none is named; how many were there."""
        return self.asking.ask(api.restore_trash(api.TrashChoice(**_which(ids))), seconds=PURGING_SECONDS).count

    def count(self, ids: Sequence[UUID]) -> api.TrashPurged:
        """How much would go for good."""
        return self._purge(api.PurgeRequest(**_which(ids), only_count=True))

    def purge(self, ids: Sequence[UUID], confirm: str | msgspec.UnsetType) -> api.TrashPurged:
        """Have it go for good, with the token of the count that a person agreed to."""
        return self._purge(api.PurgeRequest(**_which(ids), confirm=confirm))

    def _purge(self, wish: api.PurgeRequest) -> api.TrashPurged:
        return self.asking.ask(api.purge_trash(wish), seconds=PURGING_SECONDS)


def _which(ids: Sequence[UUID]) -> dict[str, Any]:
    return {"asset_ids": list(ids)} if ids else {"all": True}
