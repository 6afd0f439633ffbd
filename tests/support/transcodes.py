"""Transcodes that take a while: films of which ffmpeg reads a second in a second."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from common import queries
from common.db import Pool
from common.rendering import Policy
from common.stages import Stage
from processor import ffmpeg
from processor.ffmpeg import Ffmpeg
from processor.transcoding import Transcoder
from tests.support import films, placing, sandboxes
from tests.support.given import Repository, User


class Slow(Ffmpeg):
    """It reads no faster than one would watch."""

    async def run(self, arguments: Sequence[str], **more: Any) -> str:
        return await super().run(["-re", *arguments], **more)


@asynccontextmanager
async def transcoder(pool: Pool, *, slow: bool = False, **more: Any) -> AsyncIterator[Transcoder]:
    """The work of the transcode stage, at the speed of a film where it is to be slow."""
    async with ffmpeg.opened() as program:
        known = Slow(program.program, program.folder) if slow else program
        yield Transcoder(pool, sandboxes.lent(), known, **more)


def film(seconds: float) -> bytes:
    """A tiny film that no browser plays."""
    return films.film("avi", "mpeg4", size=(64, 48), seconds=seconds, rate=10)


async def transcodable(pool: Pool, repository: Repository, user: User, content: bytes, name: str = "film.avi") -> UUID:
    """An asset whose transcode stage is due."""
    asset = await placing.placed(pool, repository, user, content, name)
    async with pool.connection() as conn:
        await queries.follow(conn, asset, Stage.TRANSCODE, owner=user.user_id, lane=0)
    return asset


async def wish(pool: Pool, asset: UUID, policy: Policy) -> None:
    """What a person says of it, as the gateway writes it down."""
    async with pool.connection() as conn:
        cursor = await conn.execute("select owner_id from assets where asset_id = %s", (asset,))
        ((owner,),) = await cursor.fetchall()
        await queries.demand(conn, asset, Stage.TRANSCODE, owner=owner)
        await conn.execute("update assets set web_policy = %s where asset_id = %s", (policy, asset))


def made(repository: Repository) -> list[str]:
    """The files below the folder of versions for browsers, finished or not."""
    return sorted(placing.paths(repository, b".lumilio/assets/videos/web"))
