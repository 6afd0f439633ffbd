"""The stages of meaning: each has servers look at what was rendered of an asset, and keeps what they answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import compress
from typing import NamedTuple, TypeVar
from uuid import UUID

from common import outbox, stages
from common.db import Pool
from common.messages import AssetClassified, AssetEmbedded
from common.stages import Claim, LeaseLost
from common.together import Together
from ml_dispatcher import answers, pictures, queries, sightings
from ml_dispatcher.queries import Labelled, Picture, Placed, Space, Vector
from ml_dispatcher.servers import Heard, Servers
from ml_dispatcher.tasks import Model, Task

T = TypeVar("T")

SMALL, MEDIUM = "small", "medium"
GATHER_SECONDS = 0.02
"""Answers for pictures that a server looked at together arrive within so long."""


class Told(NamedTuple):
    """What came of a claim, and the event that announces it."""

    claim: Claim
    event: AssetEmbedded | AssetClassified
    placed: Placed | None = None
    labelled: Labelled | None = None


@dataclass(eq=False)
class Meaning:
    """What is needed to have pictures looked at; what many need of the database at the same time is asked at once."""

    pool: Pool
    servers: Servers

    def __post_init__(self) -> None:
        self._small = Together(partial(pictures.found, self.pool, SMALL))
        self._medium = Together(partial(pictures.found, self.pool, MEDIUM))
        self._keeping = Together(self._keep, gather_seconds=GATHER_SECONDS)

    async def embed(self, space: Space, claim: Claim) -> None:
        """Have a picture, and the frames of a film, put into a space: all of them, or none."""
        seen = await self._small.ask(claim.asset_id)
        vectors = [await self._vector(space, claim, picture) for picture in seen]
        placed = Placed(asset_id=claim.asset_id, space_id=space.space_id, owner_id=claim.owner_id, vectors=vectors)
        told = Told(claim, AssetEmbedded(owner_id=claim.owner_id, asset_id=claim.asset_id), placed=placed)
        await self._keeping.ask(told)

    async def classify(self, claim: Claim) -> None:
        """Have said what a picture, or the poster of a film, shows."""
        seen = await self._small.ask(claim.asset_id)
        heard = await self._hear(Task.CLASSIFY, claim, seen[0], SMALL, sightings.labels) if seen else None
        labelled = _labelled(claim.asset_id, heard) if heard is not None else None
        told = Told(claim, AssetClassified(owner_id=claim.owner_id, asset_id=claim.asset_id), labelled=labelled)
        await self._keeping.ask(told)

    async def look(self, task: Task, claim: Claim) -> None:
        """Have found what nothing is made of yet, and keep it as it was received."""
        seen = await self._medium.ask(claim.asset_id)
        read = partial(sightings.finding, task)
        heard = await self._hear(task, claim, seen[0], MEDIUM, read) if seen else None
        async with claim.settle(self.pool) as conn:
            if heard is not None:
                told = heard.value
                await queries.save_finding(
                    conn, claim.asset_id, claim.stage, told.found, owner=claim.owner_id, model=told.model
                )

    async def _keep(self, told: Sequence[Told]) -> list[LeaseLost | None]:
        """Save what is still wanted; a server answers for several pictures at once, so one transaction does for all."""
        async with stages.settle_all(self.pool, [one.claim for one in told]) as (conn, held):
            kept = list(compress(told, held))
            if placed := [one.placed for one in kept if one.placed is not None]:
                await queries.save_vectors(conn, placed)
            if labelled := [one.labelled for one in kept if one.labelled is not None]:
                await queries.save_labels(conn, labelled)
            await outbox.add(conn, *(one.event for one in kept))
        return [None if is_ours else LeaseLost() for is_ours in held]

    async def _vector(self, space: Space, claim: Claim, picture: Picture) -> Vector:
        model = Model(space.model, space.dimension)
        read = partial(answers.embedding, model=model)
        heard = await self._hear(Task.EMBED_IMAGE, claim, picture, SMALL, read, model=model)
        return Vector(frame=picture.frame, at_ms=picture.at_ms, vector=heard.value.vector)

    async def _hear(
        self,
        task: Task,
        claim: Claim,
        picture: Picture,
        size: str,
        read: Callable[[bytes], T],
        *,
        model: Model | None = None,
    ) -> Heard[T]:
        content = await pictures.read(self.pool, claim, picture, size=size)
        return await self.servers.hear(task, content, picture.mime_type, read, model=model)


def _labelled(asset_id: UUID, heard: Heard[sightings.Labels]) -> Labelled:
    told = heard.value
    return Labelled(asset_id=asset_id, source=heard.name, model=told.model, labels=told.labels)
