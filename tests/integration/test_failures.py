from uuid import UUID

from common.db import Pool
from lumilio import failures
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
