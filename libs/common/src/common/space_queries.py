"""The SQL of embedding spaces and of the stages of meaning: which there are, how far each is, and which one counts."""

from collections.abc import Sequence

from msgspec import Struct

from common.db import Connection, struct_row


class Space(Struct, frozen=True, kw_only=True):
    """A model of one dimension, whose vectors are compared with each other only."""

    space_id: int
    model: str
    dimension: int
    state: str


async def list_spaces(conn: Connection) -> list[Space]:
    """All spaces, the current one first."""
    async with conn.cursor(row_factory=struct_row(Space)) as cursor:
        await cursor.execute(
            """
            select space_id, model, dimension, state
            from embedding_spaces
            order by state <> 'current', space_id
            """
        )
        return await cursor.fetchall()


async def lock_spaces(conn: Connection) -> dict[int, str]:
    """The states of all spaces, which nobody else changes until the transaction ends."""
    cursor = await conn.execute("select space_id, state from embedding_spaces order by space_id for update")
    return dict(await cursor.fetchall())


async def make_current(conn: Connection, space_id: int) -> None:
    """Have a space be the one that counts, and the one before it retired; its stage is not wanted any more."""
    await conn.execute(
        """
        with retired as (
            update embedding_spaces set state = 'retired', since = now() where state = 'current' returning space_id
        )
        update inference_stages set is_wanted = false from retired where stage = 'embed:' || space_id
        """,
        (),
    )
    await conn.execute("update embedding_spaces set state = 'current', since = now() where space_id = %s", (space_id,))


async def fill_again(conn: Connection, space_id: int) -> None:
    """Have a retired space filled, to count again once it is complete."""
    await conn.execute(
        "update embedding_spaces set state = 'filling', since = now() where space_id = %s and state = 'retired'",
        (space_id,),
    )


async def ensure_stage(conn: Connection, stage: str, *, kinds: Sequence[str]) -> None:
    """Have a stage made for every asset of some kinds, from now on and of those that there are."""
    await conn.execute(
        """
        insert into inference_stages (stage, kinds) values (%s, %s)
        on conflict (stage) do update
        set is_wanted = true, wanted_at = now(), begun_at = now(), filled_at = null, filled_to = null
        where not inference_stages.is_wanted
        """,
        (stage, list(kinds)),
    )


async def walk_again(conn: Connection, stages: Sequence[str]) -> list[str]:
    """Have all assets looked at anew for what they lack of wanted stages; returns those there are."""
    cursor = await conn.execute(
        """
        update inference_stages
        set begun_at = now(), filled_at = null, filled_to = null
        where stage = any(%s) and is_wanted
        returning stage
        """,
        (list(stages),),
    )
    return sorted(row[0] for row in await cursor.fetchall())


async def list_wanted(conn: Connection) -> list[str]:
    """The stages that are made for assets."""
    cursor = await conn.execute("select stage from inference_stages where is_wanted order by stage")
    return [row[0] for row in await cursor.fetchall()]
