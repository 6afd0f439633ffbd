"""Has every stage worked off for which a server is there: workers come and go with what servers offer."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import psycopg

from common import log, space_queries, streams
from common.db import Connection, glance
from common.process import Core
from common.settings import Settings
from common.stages import Work
from common.streams import Durable
from common.worker import Worker
from ml_dispatcher import model_queries, spaces
from ml_dispatcher.handlers import Meaning
from ml_dispatcher.servers import Servers
from ml_dispatcher.spaces import SEEN
from ml_dispatcher.tasks import Task

READ = ("photo",)


class Job(NamedTuple):
    """A stage that can be worked off at the moment, and how many rows of it at once."""

    stage: str
    durable: Durable
    work: Work
    slots: int


class Post(NamedTuple):
    """A worker at its stage, and how it is told to leave."""

    job: Job
    ending: asyncio.Event


@dataclass
class Staff:
    """Workers for what can be done; `hired` is set when that is more than before."""

    core: Core
    servers: Servers
    config: Settings
    hired: asyncio.Event = field(default_factory=asyncio.Event)
    _posts: dict[str, Post] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._meaning = Meaning(self.core.pool, self.servers)

    async def run(self, stop: asyncio.Event) -> None:
        """Have done what can be done, until told to stop."""
        async with asyncio.TaskGroup() as tasks:
            while not stop.is_set():
                self.servers.changed.clear()
                with suppress(psycopg.Error):  # whoever works keeps working
                    async with glance(self.core.pool) as conn:
                        jobs = await self._jobs(conn)
                    self._adjust(jobs, lambda worker, ending: tasks.create_task(worker.run(ending)))
                await self._rest(stop)
            for post in self._posts.values():
                post.ending.set()

    async def _jobs(self, conn: Connection) -> list[Job]:
        """What servers offer to do, and the stages of it; a model that is offered for the first time gets its space."""
        meaning, jobs = self._meaning, []
        for model in self.servers.models():
            space = await spaces.find(conn, model)
            if space is not None:
                durable = streams.EMBED if space.state == "current" else streams.FILL
                slots = self.servers.slots(Task.EMBED_IMAGE, model=model)
                jobs.append(Job(spaces.stage(space), durable, partial(meaning.embed, space), slots))
        for task, kinds, durable, work in (
            (Task.CLASSIFY, SEEN, streams.CLASSIFY, meaning.classify),
            (Task.FACES, READ, streams.FACES, partial(meaning.look, Task.FACES)),
            (Task.TEXTS, READ, streams.TEXTS, partial(meaning.look, Task.TEXTS)),
        ):
            if slots := self.servers.slots(task):
                await self._ensure(conn, task.value, kinds)
                jobs.append(Job(task.value, durable, work, slots))
        return jobs

    async def _ensure(self, conn: Connection, stage: str, kinds: tuple[str, ...]) -> None:
        if stage not in self._posts:
            await space_queries.ensure_stage(conn, stage, kinds=kinds)
        if stage == Task.CLASSIFY and stage not in self._posts:  # by another model than before, perhaps
            await model_queries.look_once_more(conn, stage)

    def _adjust(self, jobs: list[Job], start: Callable[[Worker, asyncio.Event], object]) -> None:
        wanted = {job.stage: job for job in jobs if job.slots}
        for stage, post in list(self._posts.items()):
            if stage not in wanted or (wanted[stage].slots, wanted[stage].durable) != (
                post.job.slots,
                post.job.durable,
            ):
                post.ending.set()
                del self._posts[stage]
        for stage, job in wanted.items():
            if stage not in self._posts:
                self._posts[stage] = post = Post(job, asyncio.Event())
                core = self.core
                worker = Worker(core.pool, core.bus, core.relay, self.config, job.durable, stage, job.work, job.slots)
                start(worker, post.ending)
                log.get().info("stage is worked off", stage=stage, slots=job.slots)
                self.hired.set()

    async def _rest(self, stop: asyncio.Event) -> None:
        waiting = [asyncio.create_task(stop.wait()), asyncio.create_task(self.servers.changed.wait())]
        await asyncio.wait(waiting, timeout=self.config.poll_seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
