"""The transcode stage: a video or a recording gets a version that every browser plays, where it needs one."""

import asyncio
import os
from dataclasses import dataclass

from common import files, layout, outbox, rendering
from common import queries as core
from common.db import Pool, glance
from common.formats import BY_MIME
from common.messages import AssetTranscoded
from common.queries import Progress
from common.rendering import Policy
from common.stages import Claim, Died, LeaseLost, Reject, Wait
from processor import commands, ffmpeg, probes, queries, recipes, sandbox, sources
from processor.ffmpeg import Ffmpeg
from processor.handlers import AWAY_RETRY_SECONDS
from processor.probes import Probe
from processor.queries import Original, Rendition
from processor.recipes import Recipe
from processor.sandbox import Sandbox
from processor.sources import Source
from processor.unreadable import Unreadable

WEB = "web"
FOLDERS = {"video": layout.WEB_VIDEOS, "audio": layout.WEB_AUDIOS}


class Superseded(Exception):
    """Somebody wants it done another way, so what is being made is of no use."""


@dataclass(frozen=True)
class Transcoder:
    """Everything that transcoding needs; `policy` counts where neither a person nor a repository says otherwise."""

    pool: Pool
    sandbox: Sandbox
    ffmpeg: Ffmpeg
    policy: Policy = "smart"
    threads: int = 1
    spare: int = 0

    async def transcode(self, claim: Claim) -> None:
        """Have the version for browsers on the disk that is wanted, or none."""
        async with glance(self.pool) as conn:
            original = await queries.find_original(conn, claim.asset_id)
            wish = await queries.find_wish(conn, claim.asset_id)
            standing = await queries.find_rendition(conn, claim.asset_id, WEB)
        if original is None:
            raise Wait("the original is not there at the moment", after=AWAY_RETRY_SECONDS)

        try:
            made = await self._made(claim, original, wish, standing)
        except (files.Offline, FileNotFoundError) as outage:
            raise Wait(str(outage), after=AWAY_RETRY_SECONDS) from None
        except Superseded:
            made = [standing] if standing else []

        try:
            async with claim.settle(self.pool) as conn:
                await queries.save_renditions(conn, claim.asset_id, original.repository_id, made, of=[WEB])
                await outbox.add(conn, AssetTranscoded(owner_id=claim.owner_id, asset_id=claim.asset_id))
        except LeaseLost:
            for one in made:
                if one != standing:
                    await asyncio.to_thread(files.forget, original.home, one.path)
            raise

    async def _made(
        self, claim: Claim, original: Original, wish: Policy | None, standing: Rendition | None
    ) -> list[Rendition]:
        source = await asyncio.to_thread(sources.open_source, original, self.spare)
        try:
            probe = await self._probe(claim, original, source)
            policy = wish or rendering.read(source.rules.rendering)[0].web_policy or self.policy
            recipe = recipes.choose(probe, policy)
            if recipe is None:
                return []
            if standing is not None and standing.recipe == recipe.name:
                return [standing]
            return [await self._make(claim, original, source, probe, recipe)]
        finally:
            source.close()

    async def _probe(self, claim: Claim, original: Original, source: Source) -> Probe:
        try:
            return await self.sandbox.run(
                *(probes.probe, source.file, original.mime_type),
                owner=claim.owner_id,
                limits=sandbox.limits_of(original.mime_type),
            )
        except Unreadable as error:
            raise Reject(str(error)) from None
        except sandbox.Died as error:
            raise Died(str(error)) from None

    async def _make(self, claim: Claim, original: Original, source: Source, probe: Probe, recipe: Recipe) -> Rendition:
        named = (original.content_hash, claim.owner_id, claim.epoch, BY_MIME[recipe.mime].extension)
        path = layout.derived(FOLDERS[original.kind], *named)

        async def told(said: dict[str, str]) -> None:
            await self._report(claim, progress(said, probe.duration))

        with files.outages(), files.making(original.home, path) as (target, reading):
            os.lseek(source.file, 0, os.SEEK_SET)  # where the probe left off says nothing to whoever reads it next
            arguments = commands.compose(recipe, probe, source=source.file, target=target, threads=self.threads)
            try:
                await self.ffmpeg.run(arguments, standard_input=reading, descriptors=[source.file, target], told=told)
            except ffmpeg.Failed as failure:
                raise Reject(str(failure)) from None
            except ffmpeg.Killed as death:
                raise Died(str(death)) from None
            await asyncio.to_thread(os.fsync, target)
            digest = await asyncio.to_thread(files.hash_open, reading)
            length = os.fstat(reading).st_size
        return Rendition(kind=WEB, path=path, mime_type=recipe.mime, length=length, hash=digest, recipe=recipe.name)

    async def _report(self, claim: Claim, told: Progress) -> None:
        async with glance(self.pool) as conn:
            again = await core.report(conn, claim.asset_id, claim.stage, epoch=claim.epoch, progress=told)
        if again is None:
            raise LeaseLost
        if again:
            raise Superseded


def progress(said: dict[str, str], duration: float | None) -> Progress:
    """What ffmpeg says, as people want to know it."""
    done = _number(said.get("out_time_us", "")) / 1_000_000
    speed = _number(said.get("speed", "").removesuffix("x"))
    is_known = duration is not None and duration > 0
    percent = min(100 * done / duration, 100.0) if is_known and duration else 0.0
    left = max(duration - done, 0) / speed if is_known and duration and speed else None
    return Progress(percent=round(percent, 1), speed=speed or None, seconds_left=None if left is None else round(left))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
