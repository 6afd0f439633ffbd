"""What the server is asked: to process again, and how much of that is left."""

from dataclasses import dataclass
from typing import Literal

import msgspec

from lumilio.following import Asking
from lumilio_client import api

Scope = Literal["missing", "failed", "all", "web"]
ASKING_SECONDS = 60.0
BULK = 1
STAGES = {"place", "render", "transcode"}


@dataclass(frozen=True)
class Summary:
    """What is not done at a moment."""

    counts: list[api.Count]
    pauses: list[api.Pause]

    @property
    def left(self) -> int:
        """How much is to be done that nobody waits for in person."""
        return self._number("pending", "running")

    @property
    def failed(self) -> int:
        """How much of that was given up."""
        return self._number("failed")

    def _number(self, *states: str) -> int:
        ours = (one for one in self.counts if one.stage in STAGES and one.lane >= BULK)
        return sum(one.count for one in ours if one.state in states)


@dataclass(frozen=True)
class Server:
    """Whom to ask, and whose photos are meant: the user's, or everybody's."""

    asking: Asking
    everyone: bool = False

    def reprocess(self, scope: Scope, **filters: str) -> int:
        """Have photos processed again; how many were not to be so far."""
        queued, chosen = 0, msgspec.convert(filters, api.ReprocessFilter)
        wish = api.ReprocessRequest(scope=scope, filter=chosen)
        while True:
            told = self.asking.ask(api.reprocess_assets(wish, all=self.everyone or None), seconds=ASKING_SECONDS)
            queued += told.queued
            if told.next is msgspec.UNSET:
                return queued
            wish = msgspec.structs.replace(wish, after=told.next)

    def look(self) -> Summary:
        """What is left to do."""
        found = self.asking.ask(api.summarize_stages(all=self.everyone or None))
        return Summary(found.counts, found.pauses)
