from uuid import UUID

from common.db import Pool
from lumilio import failures, work
from tests.support.rows import do, row


async def test_failures_are_told_with_their_reason_and_tried_again(database_url: str, pool: Pool, asset: UUID) -> None:
    """A person sees which photo, which work and why, and one command makes all of it due again."""
    await do(
        pool, "update asset_stages set state = 'failed', next_at = null, error = 'no pixels' where stage = 'place'"
    )
    said: list[str] = []

    await failures.tell(database_url, retry=False, say=said.append)
    await failures.tell(database_url, retry=True, say=said.append)

    assert "place" in said[0]
    assert "p.jpg: no pixels" in said[0]
    assert said[-1].startswith("1 are tried again")
    assert (await row(pool, asset))["state"] == "pending"


async def test_no_failure_is_told_as_such(database_url: str, asset: UUID) -> None:
    """Silence would leave people wondering."""
    said: list[str] = []

    await failures.tell(database_url, retry=True, say=said.append)

    assert said == ["nothing has failed"]


async def test_what_is_left_to_do_is_told(database_url: str, pool: Pool, asset: UUID) -> None:
    """An operator sees what waits and since when, what is paused by whom and why, and what failed for which reason."""
    await do(pool, "update asset_stages set next_at = now() - interval '1 hour' where stage = 'place'")
    await do(pool, "update asset_stages set state = 'failed', error = 'no pixels' where stage = 'render'")
    await do(pool, "insert into stage_pauses values ('render', 1, 'a new disk', now(), now() + interval '1 hour')")
    said: list[str] = []

    await work.tell(database_url, say=said.append)

    waits, failed, paused, why = said
    assert waits.split() == ["place", "pending", "1", "people", "wait", "for", "it,", "due", "for", "60", "min"]
    assert failed.split()[:3] == ["render", "failed", "1"]
    assert paused.startswith("render   is paused until")
    assert paused.endswith("by anna: a new disk")
    assert why.split() == ["render", "failed", "1", "no", "pixels"]


async def test_that_all_is_done_is_told(database_url: str, pool: Pool) -> None:
    """An empty answer would leave people wondering."""
    said: list[str] = []

    await work.tell(database_url, say=said.append)

    assert said == ["nothing is left to do"]
