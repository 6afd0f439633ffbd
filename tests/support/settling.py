"""Whether a stack has nothing left to do, and what its record counts."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Protocol

import psycopg

from lumilio.verify import Ack, verify
from tests.support.waiting import until


class Recorded(Protocol):
    """A server that keeps a record."""

    @property
    def database_url(self) -> str: ...

    @property
    def repository(self) -> Path: ...


async def is_settled(server: Recorded, *, stages: Sequence[str] = ("place", "render")) -> bool:
    """Whether nothing is left to do or to tell, and every upload has its end; failures count as ends."""
    question = """
        select (select count(*) from asset_stages where state not in ('done', 'failed') and stage = any(%s))
             + (select count(*) from uploads where state = 'staged')
             + (select count(*) from outbox where published_at is null)
        """
    with suppress(psycopg.OperationalError):
        return await count(server, question, list(stages)) == 0
    return False


async def until_settled(
    server: Recorded, *, stages: Sequence[str] = ("place", "render"), seconds: float, every: float = 0.05, what: str
) -> None:
    """Wait until a server is settled; where it is not in time, the error tells what remains to be done."""
    try:
        await until(partial(is_settled, server, stages=stages), seconds=seconds, every=every, what=what)
    except AssertionError as error:
        error.add_note("\n".join(await _remains(server, stages)))
        raise


async def _remains(server: Recorded, stages: Sequence[str]) -> list[str]:
    """A line for each stage, upload and event that has no end."""
    async with await psycopg.AsyncConnection.connect(server.database_url) as conn:
        rows = await conn.execute(
            """
            select row_to_json(s)::text from asset_stages s where state not in ('done', 'failed') and stage = any(%s)
            union all
            select row_to_json(u)::text from uploads u where state = 'staged'
            union all
            select row_to_json(o)::text from outbox o where published_at is null
            """,
            [list(stages)],
        )
        return [row[0] for row in await rows.fetchall()]


def is_tidy(server: Recorded) -> bool:
    """Whether nothing lies in staging; what a dead server leaves there, its successor clears away within seconds."""
    return not any((server.repository / ".lumilio/staging/incoming").iterdir())


async def until_sound(server: Recorded, acks: Sequence[Ack], *, seconds: float = 120) -> None:
    """Everything that was acknowledged is ready, and disk and record agree."""
    await until_settled(server, seconds=seconds, what="every photo is ready")
    await until(partial(is_tidy, server), seconds=seconds, what="staging is empty")
    said: list[str] = []
    assert await verify(server.database_url, acks=acks, say=said.append), "\n".join(said)


async def count(server: Recorded, question: str, *parameters: object) -> int:
    """The number that a question is answered with."""
    async with await psycopg.AsyncConnection.connect(server.database_url) as conn:
        row = await (await conn.execute(question.encode(), parameters)).fetchone()
    assert row is not None
    return int(row[0])


async def failures(server: Recorded) -> list[str]:
    """What failed for good, each in words."""
    async with await psycopg.AsyncConnection.connect(server.database_url) as conn:
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
