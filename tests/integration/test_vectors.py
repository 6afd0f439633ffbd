"""What is nearest is true for every owner, whatever is filtered, and an owner of many is answered by their index."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import pytest
from psycopg.sql import SQL, Composed

from common import db
from common.db import Connection, Pool
from gateway.filter_schemas import AssetFilter, FileName
from gateway.queries import vectors
from gateway.queries.vectors import Asked, Space
from ml_dispatcher import indexes
from tests.support import given
from tests.support.vectors import Vectors, clustered, embed, new_assets, new_space

DIMENSION = 32
MANY, FEW, LEAST = 1500, 50, 500
SOUGHT = clustered(20, dimension=DIMENSION, clusters=40, seed=9)
EVERYTHING = AssetFilter()
NAMED = AssetFilter(filename=FileName(value="IMG_1", mode="startswith"))


@dataclass(frozen=True)
class Library:
    """An owner of many assets, one of few, and where each frame of them lies; every tenth is a film of three."""

    conn: Connection
    space: Space
    owners: list[int]
    assets: list[UUID]
    frames: Vectors

    async def nearest(
        self, sought: Vectors, owner: int, wanted: AssetFilter = EVERYTHING, *, limit: int = 10, offset: int = 0
    ) -> list[tuple[UUID, float]]:
        """What is found."""
        return await vectors.nearest(
            self.conn, self.space, sought.tolist(), wanted, owner=owner, limit=limit, offset=offset
        )

    def truth(self, sought: Vectors, among: Iterable[UUID]) -> list[tuple[UUID, float]]:
        """Some assets by the distance of their nearest frames."""
        distances = dict(zip(self.assets, (1 - self.frames @ sought).min(axis=1).tolist(), strict=True))
        return sorted(((asset, distances[asset]) for asset in among), key=lambda one: (one[1], one[0]))

    async def change(self, statement: str, assets: list[UUID]) -> None:
        """Change some assets."""
        await self.conn.execute(statement.encode(), (assets,))


@pytest.fixture
async def library(pool: Pool, database_url: str) -> AsyncIterator[Library]:
    """Two libraries of one space, and an index where there are many."""
    users = [(await given.new_user(pool, name, "x", password_hash="x")).user_id for name in ("many", "few")]
    owners = [users[0]] * MANY + [users[1]] * FEW
    frames = clustered(3 * len(owners), dimension=DIMENSION, clusters=40).reshape(-1, 3, DIMENSION)
    frames[np.arange(len(owners)) % 10 > 0] = frames[np.arange(len(owners)) % 10 > 0][:, :1]
    async with db.alone(database_url) as conn:
        space = Space(space_id=await new_space(conn, dimension=DIMENSION), dimension=DIMENSION, model="test")
        assets = await new_assets(conn, owners)
        await embed(conn, space.space_id, assets, owners, frames[:, 0])
        for frame in (1, 2):
            await embed(conn, space.space_id, assets[::10], owners[::10], frames[::10, frame], frame=frame)
        await conn.execute("analyze")
        await indexes.tend(pool, database_url, least=LEAST)
        yield Library(conn, space, users, assets, frames)


def same(found: list[tuple[UUID, float]], truth: list[tuple[UUID, float]]) -> bool:
    """Whether as near ones were found as there are, each where it is; a last digit may change places."""
    return [asset for asset, _ in found] == [asset for asset, _ in truth] or (
        {asset for asset, _ in found} == {asset for asset, _ in truth}
        and np.allclose([distance for _, distance in found], [distance for _, distance in truth], atol=1e-5)
    )


async def test_an_owner_of_few_gets_the_very_nearest(library: Library) -> None:
    """An asset is as near as its nearest frame, a page goes on where another ended, and what is hidden is not there."""
    owner, assets = library.owners[1], library.assets[MANY:]
    for sought in SOUGHT:
        truth = library.truth(sought, assets)
        assert same(await library.nearest(sought, owner), truth[:10])
        assert same(await library.nearest(sought, owner, limit=100, offset=30), truth[30:])

    await library.change("update assets set trashed_at = now() where asset_id = any(%s)", assets[:10])
    await library.change("update assets set archived_at = now() where asset_id = any(%s)", assets[10:20])
    for sought in SOUGHT:
        assert same(await library.nearest(sought, owner, limit=50), library.truth(sought, assets[20:]))
        archived = await library.nearest(sought, owner, AssetFilter(archived="only"))
        assert same(archived, library.truth(sought, assets[10:20]))
        assert same(await library.nearest(sought, owner, AssetFilter(trashed=True)), library.truth(sought, assets[:10]))


async def test_an_owner_of_many_gets_nearly_all_of_the_nearest(library: Library) -> None:
    """On the first page as on a late one; and the very nearest where a filter leaves few, or no index is there yet."""
    owner, assets = library.owners[0], library.assets[:MANY]
    some = [asset for number, asset in enumerate(assets) if number % 25 == 3]
    hits = late_hits = 0
    for sought in SOUGHT:
        truth = library.truth(sought, assets)
        hits += len(ids(truth[:10]) & ids(await library.nearest(sought, owner)))
        late_hits += len(ids(truth[900:1000]) & ids(await library.nearest(sought, owner, limit=100, offset=900)))
        few = await library.nearest(sought, owner, AssetFilter(ids=some), limit=20)
        assert same(few, library.truth(sought, some)[:20])
    assert hits >= 0.97 * 10 * len(SOUGHT)
    assert late_hits >= 0.97 * 100 * len(SOUGHT)

    await library.conn.execute(f"drop index {index_of(library)}".encode())
    for sought in SOUGHT:
        assert same(await library.nearest(sought, owner), library.truth(sought, assets)[:10])


async def test_what_is_hidden_or_filtered_makes_no_page_short(library: Library) -> None:
    """Though all that an index tells first is trashed, in the archive, or not what is wanted."""
    owner, sought = library.owners[0], SOUGHT[0]
    truth = library.truth(sought, library.assets[:MANY])
    await library.change(
        "update assets set trashed_at = now() where asset_id = any(%s)", [one for one, _ in truth[:700]]
    )
    await library.change("update assets set liked = true where asset_id = any(%s)", [one for one, _ in truth[800:]])

    assert same(await library.nearest(sought, owner), truth[700:710])
    assert same(await library.nearest(sought, owner, AssetFilter(liked=True)), truth[800:810])
    assert same(await library.nearest(sought, owner, AssetFilter(liked=True, trashed=True)), [])


async def test_equally_near_ones_have_an_order(library: Library) -> None:
    """The same one on every page, so that none is shown twice and none left out."""
    owner, other = library.owners
    copies = np.repeat(SOUGHT[:1], 60, axis=0)
    for someone in (owner, other):
        twins = await new_assets(library.conn, [someone] * 60)
        await embed(library.conn, library.space.space_id, twins, [someone] * 60, copies)
        pages = [await library.nearest(SOUGHT[0], someone, limit=20, offset=offset) for offset in (0, 20, 40)]
        assert [asset for page in pages for asset, _ in page] == sorted(twins)
        assert {round(distance, 3) for page in pages for _, distance in page} == {0}


async def test_two_spaces_are_never_mixed(library: Library) -> None:
    """Even where they have the same dimension: what is nearest is so in the space that is asked."""
    owner, assets = library.owners[1], library.assets[MANY:]
    second = await new_space(library.conn, model="another", dimension=DIMENSION, state="filling")
    elsewhere = clustered(len(assets), dimension=DIMENSION, clusters=40, seed=5)
    await embed(library.conn, second, assets, [owner] * len(assets), elsewhere)
    space = Space(space_id=second, dimension=DIMENSION, model="another")

    there = [
        await vectors.nearest(library.conn, space, one.tolist(), AssetFilter(), owner=owner, limit=1)
        for one in elsewhere
    ]

    assert [found[0][0] for found in there] == assets
    assert same(await library.nearest(SOUGHT[0], owner), library.truth(SOUGHT[0], assets)[:10])
    assert await vectors.find_current_space(library.conn) == library.space


async def test_the_plans_are_those_that_are_meant(library: Library) -> None:
    """The index tells the nearest whatever is filtered after it; what is compared one by one is found by indexes."""
    for wanted in (AssetFilter(), AssetFilter(liked=True), NAMED, AssetFilter(archived="any", untagged=True)):
        asked = Asked(library.space, str(SOUGHT[0].tolist()), wanted, library.owners[0], 20, 0)
        plan = await explained(library.conn, *vectors.near(asked, 200))
        assert f"Index Scan using {index_of(library)}" in plan, plan

        for owner in library.owners:
            plan = await explained(library.conn, *vectors.all_of(asked._replace(owner=owner)))
            assert index_of(library) not in plan, plan
        assert "Seq Scan on embeddings" not in plan, plan


async def explained(conn: Connection, statement: Composed, values: dict[str, object]) -> str:
    rows = await (await conn.execute(SQL("explain (costs off) {}").format(statement), values, prepare=False)).fetchall()
    return "\n".join(row[0] for row in rows if "halfvec" not in row[0])


def index_of(library: Library) -> str:
    return f"embeddings_hnsw_{library.space.space_id}_{library.owners[0]}"


def ids(found: list[tuple[UUID, float]]) -> set[UUID]:
    return {asset for asset, _ in found}
