"""The SQL of vector indexes: which owners need one of their own, which there are, and making and dropping them."""

from typing import LiteralString

from msgspec import Struct
from psycopg.sql import SQL, Composed, Identifier
from psycopg.sql import Literal as Value

from common.db import Connection, struct_row

# The expression and the condition stand in the gateway's search word for word: else it would not be taken.
CREATE: LiteralString = """
    create index concurrently {name} on embeddings
    using hnsw ((vector::halfvec({dimension})) halfvec_cosine_ops)
    where space_id = {space} and owner_id = {owner}
"""


class Many(Struct, frozen=True, kw_only=True):
    """An owner with many vectors of one space; it is settled when no more are expected soon."""

    space_id: int
    dimension: int
    owner_id: int
    is_settled: bool

    @property
    def index(self) -> str:
        """The name of their index."""
        return f"embeddings_hnsw_{self.space_id}_{self.owner_id}"


class Index(Struct, frozen=True, kw_only=True):
    """An index that there is: whole, at work, or left over by a build that ended halfway."""

    name: str
    is_whole: bool
    is_building: bool


class Progress(Struct, frozen=True, kw_only=True):
    """How far the index is that is being built: what is being done, and percent of it where that is known."""

    name: str
    phase: str
    percent: int | None


async def list_many(conn: Connection, *, least: int) -> list[Many]:
    """Who has so many vectors in a space that is searched or filled."""
    async with conn.cursor(row_factory=struct_row(Many)) as cursor:
        await cursor.execute(
            """
            select s.space_id, s.dimension, u.user_id as owner_id,
                   s.state = 'current' or not exists (
                       select
                       from asset_stages t
                       where t.owner_id = u.user_id
                         and t.pile = 'open'
                         and t.stage = 'embed:' || s.space_id
                   ) as is_settled
            from embedding_spaces s
            cross join users u
            where s.state <> 'retired'
              and exists (
                  select
                  from embeddings e
                  where e.owner_id = u.user_id
                    and e.space_id = s.space_id
                  offset %(others)s
              )
            order by s.state, s.space_id, u.user_id
            """,
            {"others": least - 1},
        )
        return await cursor.fetchall()


async def list_indexes(conn: Connection) -> list[Index]:
    """The owners' indexes."""
    async with conn.cursor(row_factory=struct_row(Index)) as cursor:
        await cursor.execute(
            """
            select c.relname as name, i.indisvalid as is_whole, p.pid is not null as is_building
            from pg_index i
            join pg_class c on c.oid = i.indexrelid
            left join pg_stat_progress_create_index p
              on p.index_relid = i.indexrelid and p.datname = current_database()
            where i.indrelid = 'embeddings'::regclass
              and c.relname ~ '^embeddings_hnsw_[0-9]+_[0-9]+$'
            order by c.relname
            """
        )
        return await cursor.fetchall()


async def find_progress(conn: Connection) -> Progress | None:
    """How far the index is that is being built now; None where none is."""
    async with conn.cursor(row_factory=struct_row(Progress)) as cursor:
        await cursor.execute(
            """
            select coalesce(c.relname, '') as name, p.phase,
                   (100 * p.blocks_done / nullif(p.blocks_total, 0))::int as percent
            from pg_stat_progress_create_index p
            left join pg_class c on c.oid = p.index_relid
            where p.relid = 'embeddings'::regclass
              and p.datname = current_database()
            """
        )
        return await cursor.fetchone()


async def count_vectors(conn: Connection, wanted: Many) -> int:
    """How many vectors an index will have."""
    cursor = await conn.execute(
        "select count(*) from embeddings where owner_id = %s and space_id = %s", (wanted.owner_id, wanted.space_id)
    )
    return int((await cursor.fetchall())[0][0])


async def equip(conn: Connection, *, megabytes: int, workers: int) -> None:
    """Let this session build an index in memory, with helpers; it ends soon after whoever waits for it is gone."""
    await conn.execute(
        """
        select set_config('maintenance_work_mem', %s, false),
               set_config('max_parallel_maintenance_workers', %s::text, false),
               set_config('client_connection_check_interval', '5s', false)
        """,
        (f"{megabytes}MB", workers),
    )


async def build(conn: Connection, wanted: Many) -> None:
    """Build an owner's index beside everybody who reads and writes."""
    await conn.execute(_written(CREATE, wanted))


async def drop(conn: Connection, name: str) -> None:
    """Take an index away, when nobody is at it any more."""
    await conn.execute(SQL("drop index concurrently if exists {}").format(Identifier(name)))


def _written(text: LiteralString, wanted: Many) -> Composed:
    return SQL(text).format(
        name=Identifier(wanted.index),
        dimension=Value(wanted.dimension),
        space=Value(wanted.space_id),
        owner=Value(wanted.owner_id),
    )
