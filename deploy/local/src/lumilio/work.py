"""What is left to do, told to operators: how much waits and since when, what is paused, and what failed why."""

from collections.abc import Callable

from psycopg import AsyncConnection

from common import stage_queries as queries
from lumilio.terminal import say

REASONS = 20
LANES = ("people wait for it", "bulk")


async def tell(database_url: str, *, say: Callable[[str], None] = say) -> None:
    """Say it in a line each, and say so when nothing is left."""
    async with await AsyncConnection.connect(database_url) as conn:
        counts = await queries.count(conn, owner=None)
        pauses = await queries.list_pauses(conn)
        reasons = await queries.list_reasons(conn, limit=REASONS)
    for count in counts:
        due = "" if count.oldest_due_seconds is None else f", due for {_duration(count.oldest_due_seconds)}"
        say(f"{count.stage:<8} {count.state:<8} {count.count:>9,}  {LANES[min(count.lane, 1)]}{due}")
    for pause in pauses:
        until = pause.until.astimezone().strftime("%Y-%m-%d %H:%M")
        say(f"{pause.stage:<8} is paused until {until} by {pause.paused_by}: {pause.reason}")
    for reason in reasons:
        say(f"{reason.stage:<8} failed   {reason.count:>9,}  {reason.error}")
    if not counts:
        say("nothing is left to do")


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
