"""The stages of meaning: each has servers look at what was rendered of an asset, and keeps what they answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import compress
from typing import TypeVar

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


@dataclass(eq=False)
class Meaning:
    """What is needed to have pictures looked at; what many need of the database at the same time is asked at once."""

    pool: Pool
    servers: Servers

    def __post_init__(self) -> None:
        self._small = Together(partial(pictures.found, self.pool, SMALL))
        self._medium = Together(partial(pictures.found, self.pool, MEDIUM))
        self._placing = Together(self._place)
        self._labelling = Together(self._label)

    async def embed(self, space: Space, claim: Claim) -> None:
        """Have a picture, and the frames of a film, put into a space: all of them, or none."""
        seen = await self._small.ask(claim.asset_id)
        vectors = [await self._vector(space, claim, picture) for picture in seen]
        placed = Placed(asset_id=claim.asset_id, space_id=space.space_id, owner_id=claim.owner_id, vectors=vectors)
        await self._placing.ask((claim, placed))

    async def classify(self, claim: Claim) -> None:
        """Have said what a picture, or the poster of a film, shows."""
        seen = await self._small.ask(claim.asset_id)
        heard = await self._hear(Task.CLASSIFY, claim, seen[0], SMALL, sightings.labels) if seen else None
        if heard is None:
            await self._labelling.ask((claim, None))
        else:
            told = heard.value
            labelled = Labelled(asset_id=claim.asset_id, source=heard.name, model=told.model, labels=told.labels)
            await self._labelling.ask((claim, labelled))

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

    async def _place(self, told: Sequence[tuple[Claim, Placed]]) -> list[LeaseLost | None]:
        async with stages.settle_all(self.pool, [claim for claim, _ in told]) as (conn, held):
            kept = list(compress(told, held))
            await queries.save_vectors(conn, [placed for _, placed in kept])
            await outbox.add(conn, *(AssetEmbedded(owner_id=of.owner_id, asset_id=of.asset_id) for of, _ in kept))
        return _lost(held)

    async def _label(self, told: Sequence[tuple[Claim, Labelled | None]]) -> list[LeaseLost | None]:
        async with stages.settle_all(self.pool, [claim for claim, _ in told]) as (conn, held):
            kept = list(compress(told, held))
            await queries.save_labels(conn, [labelled for _, labelled in kept if labelled is not None])
            await outbox.add(conn, *(AssetClassified(owner_id=of.owner_id, asset_id=of.asset_id) for of, _ in kept))
        return _lost(held)

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


def _lost(held: Sequence[bool]) -> list[LeaseLost | None]:
    """What is told to whoever asked for it to be saved."""
    return [None if is_ours else LeaseLost() for is_ours in held]
