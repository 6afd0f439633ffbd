"""Several of each service on one database and one bus, as a cluster runs them, each replaced while all work on."""

from asyncio import gather
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx
from blake3 import blake3

from lumilio import ports, probe
from lumilio.verify import Ack
from tests.support import forked
from tests.support.given import User
from tests.support.stack import QUICK
from tests.support.waiting import until

START_SECONDS = 120.0
STOP_SECONDS = 60.0
# What one that ends leaves behind, nobody takes within a test; what it has in hand it finishes, also if that is slow.
PATIENT = {
    "LUMILIO_LEASE_SECONDS": "600",
    "LUMILIO_STOP_SECONDS": "30",
    "LUMILIO_WORKERS": "1",
    "LUMILIO_TRANSCODES": "0",
    "LUMILIO_HARDWARE_ENCODER": "none",
    "LUMILIO_JWT_SECRET": "a secret that the gateways of a test share",
}


@dataclass(frozen=True)
class Replica:
    """One of several processes of a service."""

    process: BaseProcess
    port: int
    log: Path

    async def serves(self, port: int, path: str) -> bool:
        """Whether it answers there; AssertionError if it has ended."""
        assert self.process.exitcode is None, self.log.read_text()[-4000:]
        return await probe.is_well("127.0.0.1", port, path)

    async def end(self) -> int | None:
        """Wait for its end; returns its exit code. One that does not end is killed, and that is an AssertionError."""
        try:
            await until(lambda: self.process.exitcode is not None, seconds=STOP_SECONDS, what=f"{self.log.stem} ended")
        finally:
            self.process.kill()
        return self.process.exitcode


@dataclass
class Fleet:
    """The replicas that run, by their service, the oldest first."""

    folder: Path
    environment: Mapping[str, str]
    replicas: dict[str, list[Replica]] = field(default_factory=dict)
    acks: list[Ack] = field(default_factory=list)
    refused: int = 0
    _turns: "count[int]" = field(default_factory=count)

    async def start(self, name: str) -> None:
        """One more of a service, which is ready."""
        port, health = ports.choose(0), ports.choose(0)
        own = {"LUMILIO_PORT": str(port), "LUMILIO_HEALTH_PORT": str(health)}
        log = self.folder / f"{name}-{port}.log"
        replica = Replica(forked.start(name, {**QUICK, **PATIENT, **self.environment, **own}, str(log)), port, log)
        self.replicas.setdefault(name, []).append(replica)
        # The database of tests may lose what a power cut takes, so nobody calls itself ready there.
        where = (port, "/api/v1/health") if name == "gateway" else (health, "/live")
        await until(lambda: replica.serves(*where), seconds=START_SECONDS, what=f"{name} is ready")

    async def stop(self, name: str) -> None:
        """The oldest of a service ends as it is asked to."""
        replica = self.replicas[name].pop(0)
        replica.process.terminate()
        assert await replica.end() == 0, replica.log.read_text()[-4000:]

    async def stop_all(self) -> None:
        """All of them end as they are asked to, at the same time."""
        await gather(*(self.stop(name) for name, many in self.replicas.items() for _ in list(many)))

    async def kill(self, name: str) -> None:
        """The oldest of a service ends as a crash ends it."""
        replica = self.replicas[name].pop(0)
        replica.process.kill()
        await replica.end()

    async def lose(self, name: str) -> None:
        """The oldest of a service ends as a crash ends it, and a new one comes."""
        await self.kill(name)
        await self.start(name)

    async def replace(self, name: str) -> None:
        """A new one takes over from the oldest of a service."""
        await self.start(name)
        await self.stop(name)

    async def send(self, http: httpx.AsyncClient, content: bytes, name: str) -> None:
        """Send to one gateway after the other until one acknowledges; what it answers must be about these bytes."""

        async def attempt() -> httpx.Response | None:
            gateways = self.replicas["gateway"]
            url = f"http://127.0.0.1:{gateways[next(self._turns) % len(gateways)].port}/api/v1/assets"
            try:
                answer = await http.post(url, files={"file": (name, content)})
            except httpx.TransportError:
                self.refused += 1
                return None
            return answer if answer.status_code == 200 else None

        answer = await until(attempt, seconds=60, what=f"{name} is acknowledged")
        assert answer is not None
        told = answer.json()["data"]
        assert told["content_hash"] == blake3(content).hexdigest()
        self.acks.append(Ack(asset_id=told["asset_id"], content_hash=told["content_hash"]))

    @asynccontextmanager
    async def entered(self, user: User) -> AsyncIterator[httpx.AsyncClient]:
        """A client that is signed in at all gateways, since it is at one."""
        async with httpx.AsyncClient(timeout=20) as http:
            url = f"http://127.0.0.1:{self.replicas['gateway'][0].port}/api/v1/auth/login"
            answer = await http.post(url, json={"username": user.username, "password": user.password})
            http.headers["Authorization"] = f"Bearer {answer.json()['data']['token']}"
            yield http


@asynccontextmanager
async def fleet(
    services: Sequence[str], folder: Path, environment: Mapping[str, str], *, each: int = 2
) -> AsyncIterator[Fleet]:
    """So many of each service, whose logs lie in a folder; whatever still runs in the end is killed."""
    found = Fleet(folder, environment)
    try:
        await gather(*(found.start(name) for name in services for _ in range(each)))
        yield found
    finally:
        for replica in [one for many in found.replicas.values() for one in many]:
            replica.process.kill()
            replica.process.join()
