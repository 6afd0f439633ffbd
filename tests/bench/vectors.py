"""What is nearest, for owners of a thousandth of all vectors up to half: how long it takes, and what is missed."""

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import LiteralString, NamedTuple
from uuid import UUID, uuid4

import numpy as np
from psycopg.sql import SQL

from common import db
from common import lease_queries as leases
from common.db import Connection
from gateway.filter_schemas import AssetFilter
from gateway.queries import vectors as queries
from gateway.queries.vectors import Space
from ml_dispatcher import index_queries, indexes
from tests.bench.figures import Bench, Results
from tests.support.vectors import Vectors, clustered, embed, new_assets, new_space

COUNT = int(os.environ.get("LUMILIO_BENCH_VECTORS", "100000"))
"""Whoever has an hour and 16 GB asks for a million."""
DIMENSION, ASKED, WANTED, ADDED = 512, 300, 10, 300
SHARES = {"0.1 %": 0.001, "1 %": 0.01, "10 %": 0.1, "50 %": 0.5, "the rest": 0.389}
MARKS = {"0.1 %": 15, "1 %": 15, "10 %": 15, "50 %": 25}
AT_ONCE = 20_000

KINDS: dict[str, tuple[LiteralString, LiteralString]] = {
    "vector": ("(vector::vector(512)) vector_cosine_ops", "vector::vector(512) <=> %(sought)s::vector(512)"),
    "halfvec": ("(vector::halfvec(512)) halfvec_cosine_ops", "vector::halfvec(512) <=> %(sought)s::halfvec(512)"),
    "binary": (
        "(binary_quantize(vector::halfvec(512))::bit(512)) bit_hamming_ops",
        "binary_quantize(vector::halfvec(512))::bit(512) <~> binary_quantize(%(sought)s::halfvec(512))",
    ),
}
"""What each kind of index has, and by what it tells the nearest."""
RANKED: LiteralString = """
    select asset_id
    from (select asset_id, vector from embeddings order by {order} limit 200) near
    order by near.vector <=> %(sought)s::halfvec(512)
    limit 10
"""
INSERT = "insert into embeddings (asset_id, space_id, owner_id, vector) values (%s, %s, %s, %s::halfvec)"

Figures = AsyncIterator[tuple[str, float]]


class Library(NamedTuple):
    """All vectors and whose they are, and what is looked for."""

    space: Space
    owners: dict[str, int]
    whose: Vectors
    assets: list[UUID]
    vectors: Vectors
    sought: Vectors

    def nearest(self, owner: int | None = None) -> list[set[UUID]]:
        """For all that is looked for, by comparing everything."""
        mine = np.flatnonzero(self.whose == owner) if owner else np.arange(len(self.assets))
        likeness = self.vectors[mine] @ self.sought.T
        best = mine[np.argsort(-likeness, axis=0)[:WANTED]]
        return [{self.assets[number] for number in column} for column in best.T]


async def vectors(bench: Bench) -> Results:
    """Searches for every owner beside the exact answers, and what each kind of index would cost."""
    async with db.alone(bench.stack.database_url) as conn, _without_dispatcher(conn):
        library = await _fill(conn)
        results = {name: value async for name, value in _kinds(conn, library)}
        results |= {name: value async for name, value in _adding(conn, library, "without an index")}
        began = time.monotonic()
        for many in await index_queries.list_many(conn, least=indexes.LEAST):
            if many.owner_id != library.owners["the rest"]:
                await indexes.build(conn, many)
        results["vectors: indexes of the owners of 10 and of 50 %, s"] = time.monotonic() - began
        results |= {name: value async for name, value in _searches(conn, library)}
        return results | {name: value async for name, value in _adding(conn, library, "with an index")}


@asynccontextmanager
async def _without_dispatcher(conn: Connection) -> AsyncIterator[None]:
    """Indexes are built when we measure it."""
    holder = uuid4()
    assert await leases.take(conn, indexes.LEASE, holder, seconds=7200)
    yield
    await leases.give(conn, indexes.LEASE, holder)


async def _fill(conn: Connection) -> Library:
    """Everybody's pictures in the order of nobody's, so that an owner's lie all over the table."""
    made = clustered(COUNT + ASKED, dimension=DIMENSION)
    owners = {name: await _user(conn, name) for name in SHARES}
    whose = np.repeat(list(owners.values()), [round(share * COUNT) for share in SHARES.values()])
    np.random.default_rng(1).shuffle(whose)
    space = Space(space_id=await new_space(conn, dimension=DIMENSION), dimension=DIMENSION, model="test")
    assets: list[UUID] = []
    for start in range(0, COUNT, AT_ONCE):
        some = slice(start, min(start + AT_ONCE, COUNT))
        assets += await new_assets(conn, whose[some].tolist())
        await embed(conn, space.space_id, assets[some], whose[some].tolist(), made[some])
    await conn.execute("vacuum analyze")
    return Library(space, owners, whose, assets, made[:COUNT], made[COUNT:])


async def _user(conn: Connection, name: str) -> int:
    statement = (
        "insert into users (username, email, password_hash) values (%s, %s || '@localhost', 'x') returning user_id"
    )
    return int((await (await conn.execute(statement, (name, name))).fetchall())[0][0])


async def _kinds(conn: Connection, library: Library) -> Figures:
    """An index of all vectors, as each kind has them: what it takes, and how well it tells the nearest of all."""
    exact = library.nearest()
    for name, (column, order) in KINDS.items():
        await index_queries.equip(conn, megabytes=indexes.megabytes(COUNT, 2 * DIMENSION), workers=0)
        began = time.monotonic()
        await conn.execute(f"create index measured on embeddings using hnsw ({column})".encode())
        yield f"vectors: {name}, build of {COUNT:,}, s", time.monotonic() - began
        size = await conn.execute("select pg_relation_size('measured') / 1e6")
        yield f"vectors: {name}, size, MB", float((await size.fetchall())[0][0])
        await conn.execute("set hnsw.ef_search = 200")
        times, hits = [], 0
        for sought, truth in zip(library.sought, exact, strict=True):
            began = time.monotonic()
            values = {"sought": str(sought.tolist())}
            cursor = await conn.execute(SQL(RANKED).format(order=SQL(order)), values, prepare=False)
            found = {row[0] for row in await cursor.fetchall()}
            times.append(time.monotonic() - began)
            hits += len(found & truth)
        yield f"vectors: {name}, nearest 200 of all, ms (median)", 1000 * float(np.median(times))
        yield f"vectors: {name}, recall of {WANTED} of them", hits / WANTED / ASKED
        await conn.execute("drop index measured")


async def _searches(conn: Connection, library: Library) -> Figures:
    """As the gateway searches, each owner in turn with the others, so that none has the memory for itself."""
    names = list(MARKS)
    exact = {name: library.nearest(library.owners[name]) for name in names}
    watched = {name: Watched() for name in names}
    for number, sought in enumerate(library.sought):
        for name in names:
            found = await watched[name].search(conn, library, sought, AssetFilter(), library.owners[name])
            watched[name].hits += len(found & exact[name][number])
    for name, mark in MARKS.items():
        for figure in watched[name].figures(f"owner of {name}", f" (<= {mark})"):
            yield figure
    async for figure in _filtered(conn, library):
        yield figure


async def _filtered(conn: Connection, library: Library) -> Figures:
    """The largest owner again, who wants a hundredth or a fifth of what they have."""
    owner = library.owners["50 %"]
    mine = np.flatnonzero(library.whose == owner)
    for said, some, wanted, column in (
        ("a hundredth", mine[::100], AssetFilter(liked=True), "liked = true"),
        ("a fifth", mine[::5], AssetFilter(rating=3), "rating = 3"),
    ):
        ids = [library.assets[number] for number in some]
        await conn.execute(f"update assets set {column} where asset_id = any(%s)".encode(), (ids,))
        await conn.execute("vacuum analyze assets")
        watched = Watched()
        for sought in library.sought:
            truth = {library.assets[some[number]] for number in np.argsort(-(library.vectors[some] @ sought))[:WANTED]}
            watched.hits += len(await watched.search(conn, library, sought, wanted, owner) & truth)
        for figure in watched.figures(f"{said} of 50 %"):
            yield figure


class Watched:
    """Searches of one kind: how long they took, what they cost the database, and how much they found."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.costs: list[float] = []
        self.hits = 0

    async def search(
        self, conn: Connection, library: Library, sought: Vectors, wanted: AssetFilter, owner: int
    ) -> set[UUID]:
        """What is found."""
        began, spent = time.monotonic(), _spent(conn)
        found = await queries.nearest(conn, library.space, sought.tolist(), wanted, owner=owner, limit=WANTED)
        self.times.append(1000 * (time.monotonic() - began))
        self.costs.append(_spent(conn) - spent)
        return {asset for asset, _ in found}

    def figures(self, name: str, mark: str = "") -> list[tuple[str, float]]:
        """As they are told."""
        return [
            (f"vectors: {name}, ms (median)", float(np.median(self.times))),
            (f"vectors: {name}, ms p99{mark}", float(np.percentile(self.times, 99))),
            (f"vectors: {name}, ms of a processor (median)", float(np.median(self.costs))),
            (f"vectors: {name}, recall of {WANTED} (>= 0.97)", self.hits / WANTED / len(self.times)),
        ]


def _spent(conn: Connection) -> float:
    """Milliseconds of processor time that the database has spent on a session, which no other load changes."""
    return int(Path(f"/proc/{conn.info.backend_pid}/schedstat").read_text().split()[0]) / 1e6


async def _adding(conn: Connection, library: Library, how: str) -> Figures:
    """One new vector after the other of the largest owner, each committed."""
    owner = library.owners["50 %"]
    assets = await new_assets(conn, [owner] * ADDED)
    made = clustered(ADDED, dimension=DIMENSION, seed=2)
    began = time.monotonic()
    for asset, vector in zip(assets, made, strict=True):
        await conn.execute(INSERT, (asset, library.space.space_id, owner, str(vector.tolist())))
    yield f"vectors: added {how}, a second", ADDED / (time.monotonic() - began)
    await conn.execute("delete from assets where asset_id = any(%s)", (assets,))
