"""Where and when one repository is to be looked at unasked: by what is heard of it, and by its schedule."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from common import layout, log
from common.db import Pool, glance
from common.marker import Marker
from syncer import ignoring, listening, schedule
from syncer.hints import Hints
from syncer.listening import Listening, Watch, Wish
from syncer.queries import operations
from syncer.queries.operations import Tended
from syncer.schedule import Due, Last, Rhythm, Run
from syncer.watching import Watched

MISSED_REST = 20
"""So many times as long as a whole scan took, nobody does another because files are missing."""


@dataclass
class Noticing:
    """What is known of a repository's changes before anybody looks; `close` it at the end."""

    pool: Pool
    repository: Tended
    hints: Hints = field(default_factory=Hints)
    last: Last = field(default_factory=Last)
    was_away: bool = False
    missed_rest: timedelta = timedelta(seconds=10)
    _missed_at: datetime | None = None
    _told: Watched | None = None
    _rhythm: Rhythm = field(default_factory=lambda: schedule.rhythm("", ""))

    def __post_init__(self) -> None:
        self._listening = Listening(self.repository.root, self.hints)

    async def attend(self, rules: Marker) -> None:
        """Listen and keep time as the marker says from now on, and tell people how; to be called before each scan."""
        settings = rules.sync_settings
        watch, wrong = listening.wished(settings.watch)
        state = await self._listening.attend(self._wish(rules, watch))
        is_polled = state.mode in {"polling", "partly"}
        self._rhythm = schedule.rhythm(settings.quick_scan_interval, settings.full_scan_interval, is_polled=is_polled)
        await self._tell(state, [*wrong, *self._rhythm.warnings])

    def due(self, now: datetime) -> Due:
        """The next scan, be it overdue; a repository that was away is looked at as a whole, at once."""
        if self.was_away and self.last.full is not None:
            return Due(now, "return")
        due = schedule.next_due(self._rhythm, self.last, repository_id=self.repository.repository_id, now=now)
        if self._missed_at is not None and self._missed_at < due.at:
            return Due(self._missed_at, "vanished")
        return due

    def missed(self, now: datetime) -> None:
        """A scan of some folders did not find files; soon one of all is to say whether they are anywhere."""
        took = self.last.full.took if self.last.full else timedelta(0)
        self._missed_at = self._missed_at or now + max(self.missed_rest, MISSED_REST * took)

    def ended(self, now: datetime, took: timedelta, *, is_quick: bool) -> None:
        """A scan of all has ended."""
        run = Run(now, took)
        if is_quick:
            self.last = self.last._replace(quick=run)
            return
        self.last, self.was_away, self._missed_at = self.last._replace(full=run), False, None
        self._listening.go_round()

    async def close(self) -> None:
        """Listen no more."""
        await self._listening.close()

    def _wish(self, rules: Marker, watch: Watch) -> Wish:
        patterns = tuple(rules.sync_settings.ignore_patterns)
        ignored = ignoring.compiled(patterns)
        has_inbox = self.repository.private_root is None

        def is_passed_over(path: bytes) -> bool:
            return (has_inbox and path == layout.INBOX) or ignored.fits(path.rpartition(b"/")[2])

        return Wish(watch, patterns, is_passed_over)

    async def _tell(self, state: Watched, warnings: list[str]) -> None:
        notes = [*filter(None, [state.note]), *warnings]
        state = msgspec.structs.replace(state, note="; ".join(notes) or None)
        if state == self._told:
            return
        if self._told is None or (state.mode, state.note) != (self._told.mode, self._told.note):
            log.get().info("watching", repository=str(self.repository.repository_id), mode=state.mode, note=state.note)
        async with glance(self.pool) as conn:
            await operations.save_watched(conn, self.repository.repository_id, msgspec.json.encode(state).decode())
        self._told = state
