"""The transcode stage: a video or a recording gets a version that every browser plays, where it needs one."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from common import derived_files, files, layout, log, marker, outbox, rendering, tasks
from common import queries as core
from common.db import OUTAGES, Pool, glance
from common.formats import BY_MIME
from common.marker import Marker
from common.messages import AssetTranscoded
from common.queries import Progress
from common.rendering import Policy
from common.stages import Claim, Died, LeaseLost, Reject, Superseded, Wait
from processor import budgets, commands, complaints, ffmpeg, probes, queries, recipes, reports, sandbox, sources
from processor.encoders import SOFTWARE, Encoder
from processor.ffmpeg import Ffmpeg, Said
from processor.narrow import Priority
from processor.probes import Probe
from processor.queries import Original, Rendition
from processor.recipes import Recipe
from processor.sandbox import Sandbox
from processor.sources import AWAY_RETRY_SECONDS, MISSING_RETRY_SECONDS, Source

WEB = "web"
FULL_RETRY_SECONDS = 300.0
SETTLE_SECONDS = 3600.0
FOLDERS = {"video": layout.WEB_VIDEOS, "audio": layout.WEB_AUDIOS}

T = TypeVar("T")


@dataclass(frozen=True)
class Film:
    """A video or a recording that is open: whose work it is, what is in it, and its size in bytes."""

    claim: Claim
    original: Original
    source: Source
    probe: Probe
    size: int


@dataclass(frozen=True)
class Transcoder:
    """Everything that transcoding needs; `policy` counts where neither a person nor a repository says otherwise."""

    pool: Pool
    sandbox: Sandbox
    ffmpeg: Ffmpeg
    policy: Policy = "smart"
    threads: int = 1
    spare: int = 0
    priority: Priority = "low"
    hardware: Encoder | None = None

    async def transcode(self, claim: Claim) -> None:
        """Have the version for browsers on the disk that is wanted, or none."""
        async with glance(self.pool) as conn:
            original = await queries.find_original(conn, claim.asset_id)
            wish = await queries.find_wish(conn, claim.asset_id)
            standing = await queries.find_rendition(conn, claim.asset_id, WEB)
        if wish is None:  # and its stages with it
            raise LeaseLost
        if wish.policy == "never":  # whatever became of the original
            await self._remove(claim, standing)
            return
        if wish.is_trashed:  # whoever takes it back has this done again
            raise Superseded
        if original is None:
            raise Wait("the original is not there at the moment", after=MISSING_RETRY_SECONDS)

        try:
            made = await self._made(claim, original, wish.policy, standing)
        except (files.Offline, FileNotFoundError) as outage:
            raise Wait(str(outage), after=AWAY_RETRY_SECONDS) from None
        await self._settle(claim, original, made)
        if standing is not None and standing not in made:  # no row names it now; whoever reads it has it open
            await asyncio.to_thread(files.forget, original.home, standing.path)

    async def _remove(self, claim: Claim, standing: Rendition | None) -> None:
        async with claim.settle(self.pool) as conn:
            await queries.forget_renditions(conn, claim.asset_id, of=[WEB])
            await outbox.add(conn, AssetTranscoded(owner_id=claim.owner_id, asset_id=claim.asset_id))
        if standing is not None and standing.home is not None:
            await asyncio.to_thread(files.forget, standing.home, standing.path)

    async def _settle(self, claim: Claim, original: Original, made: list[Rendition]) -> None:
        """Save what took so long to make, also after an outage of the database."""
        deadline, is_certain = time.monotonic() + SETTLE_SECONDS, True
        while True:
            try:
                async with claim.settle(self.pool) as conn:
                    await queries.save_renditions(conn, claim.asset_id, original.repository_id, made, of=[WEB])
                    await outbox.add(conn, AssetTranscoded(owner_id=claim.owner_id, asset_id=claim.asset_id))
            except OUTAGES:
                if time.monotonic() > deadline:
                    raise
                is_certain = False  # it may have been saved all the same
                await asyncio.sleep(1)
            except LeaseLost:
                for one in made if is_certain else ():
                    await self._forget_own(claim, original, one)
                raise
            else:
                return

    async def _forget_own(self, claim: Claim, original: Original, one: Rendition) -> None:
        """A file of this claim's name is nobody else's."""
        found = layout.made_by(one.path)
        if found is not None and found.epoch == claim.epoch:
            await asyncio.to_thread(files.forget, original.home, one.path)

    async def _made(
        self, claim: Claim, original: Original, wish: Policy | None, standing: Rendition | None
    ) -> list[Rendition]:
        source = await tasks.opened(sources.open_source, original, self.spare, close=Source.close)
        try:
            probe = await self._probe(claim, original, source)
            recipe = recipes.choose(probe, self._policy(wish, source.rules))
            if recipe is None:
                return []
            if standing is not None and standing.recipe == recipe.name and await _stands(original, standing):
                return [standing]
            size = os.fstat(source.file).st_size
            made = await self._make(Film(claim, original, source, probe, size), recipe)
            if not await _stands(original, made):
                raise files.Offline("the repository was away while it was made")
            return [made]
        finally:
            source.close()

    def _policy(self, wish: Policy | None, rules: Marker) -> Policy:
        return wish or rendering.read(rules.rendering)[0].web_policy or self.policy

    async def _probe(self, claim: Claim, original: Original, source: Source) -> Probe:
        with sandbox.outcomes():
            return await self.sandbox.run(
                *(probes.probe, source.file, original.mime_type),
                owner=claim.owner_id,
                limits=sandbox.limits_of(original.mime_type),
            )

    async def _make(self, film: Film, recipe: Recipe) -> Rendition:
        home, named = film.original.home, (film.original.content_hash, film.claim.owner_id, film.claim.epoch)
        path = layout.derived(FOLDERS[film.original.kind], *named, BY_MIME[recipe.mime].extension)
        # A disk that would be full before the end is known to be before the beginning.
        await self._check_room(film, budgets.room(film.probe.duration, film.size, encodes=recipe.video == "encode"))
        with files.outages(), derived_files.making(home, path) as (target, reading):
            await self._run(film, recipe, target=target, reading=reading)
            await _apart(os.fsync, target)
            digest = await _apart(files.hash_open, reading)
            length = os.fstat(reading).st_size
        return Rendition(kind=WEB, path=path, mime_type=recipe.mime, length=length, hash=digest, recipe=recipe.name)

    async def _check_room(self, film: Film, needed: int = 0) -> None:
        try:
            await asyncio.to_thread(files.check_room, film.original.home, self.spare + needed)
        except files.Offline as full:
            raise Wait(str(full), after=FULL_RETRY_SECONDS) from None

    async def _run(self, film: Film, recipe: Recipe, *, target: int, reading: int) -> None:
        async def run(encoder: Encoder) -> str:
            for descriptor in (film.source.file, target, reading):  # wherever the probe or another encoder left off
                os.lseek(descriptor, 0, os.SEEK_SET)
            source = film.source.file
            arguments = commands.compose(
                recipe, film.probe, source=source, target=target, threads=self.threads, encoder=encoder
            )
            return await self.ffmpeg.run(
                arguments,
                standard_input=reading,
                descriptors=[source, target],
                told=partial(self._hear, film, recipe),
                limits=budgets.limits(film.probe.duration, film.size, priority=self.priority),
                devices=encoder.devices,
            )

        async with _outcomes(film.source, film.original):
            complaint = await self._encoded(run, recipe, target)
        if complaints.BROKEN in complaint:  # it takes that for the end of the file
            await _read_again(film.source, film.original)

    async def _encoded(self, run: Callable[[Encoder], Awaitable[str]], recipe: Recipe, target: int) -> str:
        """What was complained of; what an encoder in hardware does not manage is done in software."""
        if self.hardware is not None and recipe.video == "encode":
            try:
                return await run(self.hardware)
            except (ffmpeg.Failed, ffmpeg.Killed, ffmpeg.Endless, ffmpeg.NotBegun) as failure:
                log.get().warning("encoding in software", encoder=self.hardware.name, reason=str(failure))
            os.ftruncate(target, 0)
        return await run(SOFTWARE)

    async def _hear(self, film: Film, recipe: Recipe, said: Said) -> None:
        """Tell how far it is, and end what knows no end, takes the last room of a disk, or is no longer wanted so."""
        if reports.seconds_made(said) > budgets.longest(film.probe.duration, film.size):
            raise ffmpeg.Endless("it goes on far longer than there is anything in it")
        await self._check_room(film)
        is_again = await self._report(film.claim, reports.progress(said, film.probe.duration))
        if is_again and not await self._is_wanted(film, recipe):
            raise Superseded

    async def _report(self, claim: Claim, told: Progress) -> bool:
        """Say how far it is; returns whether it is to be done again. While the database is away the work goes on."""
        try:
            async with glance(self.pool) as conn:
                again = await core.report(conn, claim.asset_id, claim.stage, epoch=claim.epoch, progress=told)
        except OUTAGES:
            return False
        if again is None:
            raise LeaseLost
        return again

    async def _is_wanted(self, film: Film, recipe: Recipe) -> bool:
        """Whether a run from now on would do the same, so that hours of work are not thrown away for nothing."""
        rules = await asyncio.to_thread(marker.read, film.original.private_root or film.original.root)
        try:
            async with glance(self.pool) as conn:
                wish = await queries.find_wish(conn, film.claim.asset_id)
        except OUTAGES:
            return True
        if wish is None or wish.is_trashed:
            return False
        return recipes.choose(film.probe, self._policy(wish.policy, rules)) == recipe


async def _stands(original: Original, standing: Rendition) -> bool:
    """Whether a file lies where its row says, as long as it was."""
    with files.outages():
        seen = await asyncio.to_thread(files.see, original.home, standing.path)
    return seen is not None and seen.size == standing.length


@asynccontextmanager
async def _outcomes(source: Source, original: Original) -> AsyncIterator[None]:
    """What ends ffmpeg, as what it means for the film."""
    try:
        yield
    except ffmpeg.Failed as failure:
        await _read_again(source, original)
        raise Reject(str(failure)) from None
    except ffmpeg.Endless as end:
        raise Reject(str(end)) from None
    except ffmpeg.NoRoom as full:
        raise Wait(str(full), after=FULL_RETRY_SECONDS) from None
    except ffmpeg.Stopped as stop:
        raise Wait(str(stop), after=AWAY_RETRY_SECONDS) from None
    except ffmpeg.Killed as death:
        raise Died(str(death)) from None


async def _read_again(source: Source, original: Original) -> None:
    """An outage where it was the disk that failed, and not the file."""
    with files.outages():
        await _apart(partial(sources.check_bytes, original), source.file)


async def _apart(function: Callable[[int], T], descriptor: int) -> T:
    """Slow work in a thread on an opening of its own, for whoever is cancelled closes theirs at once."""

    def work() -> T:
        with own:
            return function(own.fileno())

    own = open(os.dup(descriptor), "rb", buffering=0)  # noqa: SIM115  # the thread closes it
    return await asyncio.to_thread(work)
