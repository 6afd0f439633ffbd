"""Whether a stack has nothing left to do, and what its record counts."""

from contextlib import suppress

import psycopg

from tests.support.stack import Stack


async def is_settled(stack: Stack) -> bool:
    """Whether nothing is left to do or to tell, and every upload has its end; failures count as ends."""
    with suppress(psycopg.OperationalError):
        question = """
            select (select count(*) from asset_stages where state not in ('done', 'failed'))
                 + (select count(*) from uploads where state = 'staged')
                 + (select count(*) from outbox where published_at is null)
            """
        return await count(stack, question) == 0
    return False


async def count(stack: Stack, question: str) -> int:
    """The number that a question is answered with."""
    async with await psycopg.AsyncConnection.connect(stack.database_url) as conn:
        row = await (await conn.execute(question.encode())).fetchone()
    assert row is not None
    return int(row[0])


async def failures(stack: Stack) -> list[str]:
    """What failed for good, each in words."""
    async with await psycopg.AsyncConnection.connect(stack.database_url) as conn:
        rows = await conn.execute(
            """
            select stage || ' of ' || original_filename || ': ' || error_class || ': ' || error
            from asset_stages
            join assets using (asset_id)
            where state = 'failed'
            order by 1
            """
        )
        return [row[0] for row in await rows.fetchall()]
