"""What was given up, told to people, and tried again when they ask for it."""

from collections.abc import Callable

from psycopg import AsyncConnection

from common import retries
from lumilio import queries
from lumilio.terminal import say


async def tell(database_url: str, *, retry: bool, say: Callable[[str], None] = say) -> None:
    """Say what has failed and why; with `retry` it is all due again."""
    async with await AsyncConnection.connect(database_url, autocommit=True) as conn:
        failed = await queries.list_failed(conn)
        for one in failed:
            when = one.changed_at.astimezone().strftime("%Y-%m-%d %H:%M")
            say(f"{when}  {one.stage:<8} {one.original_filename}: {one.error} (asset {one.asset_id})")
        if not failed:
            say("nothing has failed")
        elif retry:
            say(f"{await retries.retry(conn)} are tried again within seconds")
        else:
            say("try them again with --retry, once their cause is gone")
