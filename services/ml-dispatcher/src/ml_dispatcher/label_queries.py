"""The SQL of labels: each is said by the surest, and what others say in the same words waits behind it."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from common.db import Connection

LEARNT = "learnt"
"""The source of what people taught; every other one is a model's."""


class Said(NamedTuple):
    """A label that is said of an asset, and how surely."""

    asset_id: UUID
    label: str
    score: float


async def say(conn: Connection, said: Sequence[Said], *, owner: int, source: str, model: str) -> None:
    """A source says this of assets of the owner, which are held, and has taken back what it said before."""
    await conn.execute(
        """
        with given as materialized (
            select a.asset_id, given.label, given.score, a.owner_id, a.sort_at
            from unnest(%(assets)s::uuid[], %(labels)s::text[], %(scores)s::real[]) given (asset_id, label, score)
            join assets a on a.asset_id = given.asset_id
            where a.owner_id = %(owner)s
        ), surest as (
            insert into labels as l (asset_id, label, owner_id, sort_at, score, source, model)
            select asset_id, label, owner_id, sort_at, score, %(source)s, %(model)s
            from given
            order by asset_id, label
            on conflict (asset_id, label) do update
            set score = excluded.score, source = excluded.source, model = excluded.model
            where excluded.score > l.score
            returning asset_id, label
        )
        insert into lesser_labels (asset_id, label, source, score, model)
        select asset_id, label, %(source)s, score, %(model)s
        from given
        where (asset_id, label) not in (select asset_id, label from surest)
        on conflict (asset_id, label, source) do update
        set score = excluded.score, model = excluded.model
        """,
        {
            "assets": [one.asset_id for one in said],
            "labels": [one.label for one in said],
            "scores": [one.score for one in said],
            "owner": owner,
            "source": source,
            "model": model,
        },
    )


async def take_back_seen(conn: Connection, asset_ids: Sequence[UUID]) -> None:
    """No model says anything of these assets, which are held."""
    await conn.execute("delete from lesser_labels where asset_id = any(%s) and source <> 'learnt'", (list(asset_ids),))
    await conn.execute("delete from labels where asset_id = any(%s) and source <> 'learnt'", (list(asset_ids),))


async def take_back_learnt(conn: Connection, label: str, asset_ids: Sequence[UUID], *, owner: int) -> None:
    """A label that the owner taught is not said of these assets, which are held, unless a model says it."""
    await conn.execute(
        "delete from lesser_labels where label = %s and asset_id = any(%s) and source = 'learnt'",
        (label, list(asset_ids)),
    )
    await conn.execute(
        "delete from labels where label = %s and asset_id = any(%s) and owner_id = %s and source = 'learnt'",
        (label, list(asset_ids), owner),
    )
