"""The stages of meaning: each has servers look at what was rendered of an asset, and keeps what they answer."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from common import outbox
from common.db import Pool
from common.messages import AssetClassified, AssetEmbedded
from common.stages import Claim
from ml_dispatcher import answers, pictures, queries, sightings
from ml_dispatcher.queries import Picture, Space, Vector
from ml_dispatcher.servers import Heard, Servers
from ml_dispatcher.tasks import Model, Task

T = TypeVar("T")

SMALL, MEDIUM = "small", "medium"


@dataclass(frozen=True)
class Meaning:
    """What is needed to have pictures looked at."""

    pool: Pool
    servers: Servers

    async def embed(self, space: Space, claim: Claim) -> None:
        """Have a picture, and the frames of a film, put into a space: all of them, or none."""
        seen = await pictures.found(self.pool, claim, size=SMALL)
        vectors = [await self._vector(space, claim, picture) for picture in seen]
        async with claim.settle(self.pool) as conn:
            await queries.save_vectors(conn, claim.asset_id, space.space_id, owner=claim.owner_id, vectors=vectors)
            await outbox.add(conn, AssetEmbedded(owner_id=claim.owner_id, asset_id=claim.asset_id))

    async def classify(self, claim: Claim) -> None:
        """Have said what a picture, or the poster of a film, shows."""
        seen = await pictures.found(self.pool, claim, size=SMALL)
        heard = await self._hear(Task.CLASSIFY, claim, seen[0], SMALL, sightings.labels) if seen else None
        async with claim.settle(self.pool) as conn:
            if heard is not None:
                told = heard.value
                await queries.save_labels(conn, claim.asset_id, told.labels, source=heard.name, model=told.model)
            await outbox.add(conn, AssetClassified(owner_id=claim.owner_id, asset_id=claim.asset_id))

    async def look(self, task: Task, claim: Claim) -> None:
        """Have found what nothing is made of yet, and keep it as it was received."""
        seen = await pictures.found(self.pool, claim, size=MEDIUM)
        read = partial(sightings.finding, task)
        heard = await self._hear(task, claim, seen[0], MEDIUM, read) if seen else None
        async with claim.settle(self.pool) as conn:
            if heard is not None:
                told = heard.value
                await queries.save_finding(
                    conn, claim.asset_id, claim.stage, told.found, owner=claim.owner_id, model=told.model
                )

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
