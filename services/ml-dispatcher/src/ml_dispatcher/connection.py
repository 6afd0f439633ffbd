"""Keeps in touch with a server: notices that it comes, what it says of itself, and that it is gone."""

import asyncio
import random
from dataclasses import dataclass
from time import monotonic

import grpc
from google.protobuf.empty_pb2 import Empty
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from common import tasks
from home_native.v1.ml_service_pb2 import Capability
from home_native.v1.ml_service_pb2_grpc import InferenceStub
from ml_dispatcher import answers, capabilities, failures
from ml_dispatcher.answers import Bad
from ml_dispatcher.capabilities import Offer, Service
from ml_dispatcher.dialling import Dial
from ml_dispatcher.failures import Away, Broken, Busy, Lacking, Late
from ml_dispatcher.rooms import LONGEST_LEAVE, backoff
from ml_dispatcher.samples import SAMPLES
from ml_dispatcher.server import Server
from ml_dispatcher.tasks import EMBEDDING, Task

READY = grpc.ChannelConnectivity.READY
LISTEN_SECONDS = 300.0
QUIET_SECONDS = 0.02
"""Changes that come one after another are heard no faster."""
MISSES = 2


@dataclass
class Connection:
    """The way to a server, from one breaking of it to the next."""

    server: Server
    channel: grpc.aio.Channel
    is_silent: bool = False

    def __post_init__(self) -> None:
        self._stub: InferenceStub = InferenceStub(self.channel)  # type: ignore[no-untyped-call]
        self._times = self.server.times

    async def use(self) -> None:
        """Be there as long as the server is, again and again, until it falls silent and is to be dialled anew."""
        while not self.is_silent:
            await self._reach()
            self.server.stub = self._stub
            reason = await self._stay()
            self.server.stub = None
            self.server.lose(reason)
            await self._rest()

    async def _reach(self) -> None:
        try:
            async with asyncio.timeout(self._times.connect):
                await self.channel.channel_ready()
        except TimeoutError:
            self.server.state, self.server.error = "cannot be reached", await self._why()
            await self.channel.channel_ready()
        self.server.state = "connected, and not ready yet"

    async def _why(self) -> str:
        try:
            await self._stub.Health(Empty(), timeout=self._times.connect)
        except grpc.aio.AioRpcError as error:
            return str(failures.by_status(error))
        return ""

    async def _stay(self) -> str:
        """Watch the server until it is lost; returns why it is."""
        watchers = (self._listen(), self._meet(), self._beat(), self._break())
        watching = [asyncio.create_task(watcher) for watcher in watchers]
        try:
            await asyncio.wait(watching, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await tasks.cancel(*watching)
        return next(task.result() for task in watching if not task.cancelled())

    async def _listen(self) -> str:
        """Hear what the server tells of itself, and ask again when it says no more."""
        try:
            while told := await self._told():
                self.server.learn(told.values())  # what it told before, and not now, is no more
                await asyncio.sleep(self._times.listen)
        except Bad as error:
            return str(error)
        except grpc.aio.AioRpcError as error:
            return str(failures.by_status(error))
        return "it does not tell what it offers"

    async def _told(self) -> dict[str, Service]:
        told: dict[str, Service] = {}
        try:
            async for capability in self._stub.StreamCapabilities(Empty(), timeout=LISTEN_SECONDS):
                await self._hear(capability, told)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                await self._hear(await self._stub.GetCapabilities(Empty(), timeout=self._times.answer), told)
            elif error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED and self.server.services and not told:
                return self.server.services  # it has no time to tell anything else
            elif error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED or not told:
                raise
        return told

    async def _hear(self, capability: Capability, told: dict[str, Service]) -> None:
        service = capabilities.service(capability)
        told[service.name] = service
        self.server.learn({**self.server.services, **told}.values())
        await asyncio.sleep(QUIET_SECONDS)

    async def _meet(self) -> str:
        """Learn of which model the vectors are, whenever that is not known."""
        while True:
            await self.server.unmet.wait()
            self.server.unmet.clear()
            for task in EMBEDDING:
                for offer in self.server.offers.get(task, ()):
                    try:
                        await self._try(task, offer)
                    except Away as error:
                        return str(error)
                    except (Broken, Busy, Lacking, Late, Bad) as error:
                        self.server.error = f"{task.replace('_', ' ')}: {error}"

    async def _try(self, task: Task, offer: Offer) -> None:
        if offer in self.server.models or offer not in self.server.offers.get(task, ()):
            return
        seat = self.server.seat_of(offer)
        with seat.room.place():
            model = answers.embedding(await self.server.ask(seat, task, *SAMPLES[task])).model
        seat.room.answer()
        if offer in self.server.offers.get(task, ()):
            self.server.models[offer] = model
            self.server.changed()

    async def _beat(self) -> str:
        """Ask now and then whether it is alive: a machine that is switched off ends no connection."""
        misses = 0
        while misses < MISSES:
            await asyncio.sleep(self._times.beat)
            asked = monotonic()
            try:
                await self._stub.Health(Empty(), timeout=self._times.answer)
                misses = 0
            except grpc.aio.AioRpcError as error:  # any other refusal is a sign of life
                is_late = error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
                misses = misses + 1 if is_late and not self.server.answered_since(asked) else 0
        self.is_silent = True
        return "it does not answer any more"

    async def _break(self) -> str:
        await self.channel.wait_for_state_change(READY)
        return "the connection broke"

    async def _rest(self) -> None:
        """Leave it alone for a while, that is over as soon as it connects again or says that it is well again."""
        seconds = backoff(self._times.leave, LONGEST_LEAVE, self.server.losses)
        self.server.losses += 1
        await asyncio.sleep(self._times.leave * random.uniform(0.5, 0.7))  # noqa: S311  # only spreads load
        recovery = asyncio.create_task(_recovery(self.channel))
        try:
            await asyncio.wait({recovery}, timeout=seconds)
        finally:
            await tasks.cancel(recovery)


async def keep(server: Server, dial: Dial) -> None:
    """Know what a server offers, until cancelled."""
    while True:
        async with dial(server.address) as channel:
            await Connection(server, channel).use()


async def _recovery(channel: grpc.aio.Channel) -> None:
    """Until a server that was gone is there, or one that said it is not well says that it is."""
    try:
        if await _is_well_again(channel):
            return
    except grpc.aio.AioRpcError:
        pass  # it is gone, or has no such word
    if channel.get_state() is READY:
        await asyncio.Event().wait()
    await channel.channel_ready()


async def _is_well_again(channel: grpc.aio.Channel) -> bool:
    was_unwell = False
    async for told in HealthStub(channel).Watch(HealthCheckRequest()):
        is_well = told.status == HealthCheckResponse.SERVING
        if is_well and was_unwell:
            return True
        was_unwell = not is_well
    return False
