"""What tests ask and do with rows."""

from typing import Any
from uuid import UUID

from common import stages
from common.db import Pool
from common.stages import Claim, Stage

_WAITING = "from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
WHO_WAITS = f"select pid {_WAITING}"
END_WHO_WAITS = f"select pg_terminate_backend(pid) {_WAITING}"


async def ask(pool: Pool, question: str) -> list[Any]:
    """The rows of an answer; rows of one column are their values."""
    async with pool.connection() as conn:
        rows = await (await conn.execute(question)).fetchall()
    return [row[0] if len(row) == 1 else row for row in rows]


async def do(pool: Pool, statement: str) -> None:
    """Change rows behind the back of the code under test, and past the database's own rules for stages."""
    async with pool.connection() as conn:
        await conn.execute("alter table asset_stages disable trigger user")
        await conn.execute(statement)
        await conn.execute("alter table asset_stages enable trigger user")


async def claim_next(pool: Pool, stage: str, *, seconds: float = 60) -> Claim | None:
    """The claim of the row that is due first, if any is."""
    return next(iter(await stages.claim(pool, stage, lease_seconds=seconds)), None)


async def claim(pool: Pool, stage: str, *, seconds: float = 60) -> Claim:
    """The claim of a row that is due."""
    found = await claim_next(pool, stage, seconds=seconds)
    assert found is not None
    return found


async def expire(pool: Pool) -> None:
    """As if every lease had run out, by the only clock that counts."""
    await do(pool, "update asset_stages set lease_until = now() - interval '1 s' where state = 'running'")


async def row(pool: Pool, asset: UUID, stage_name: str = Stage.PLACE) -> dict[str, Any]:
    """What the row of a stage says; `later` tells a due one from one that waits."""
    async with pool.connection() as conn:
        cursor = await conn.execute(
            """
            select state, next_at > now() as later, deaths, failures, error_class, error
            from asset_stages where asset_id = %s and stage = %s
            """,
            (asset, stage_name),
        )
        names = [column.name for column in cursor.description or ()]
        return dict(zip(names, (await cursor.fetchall())[0], strict=True))
