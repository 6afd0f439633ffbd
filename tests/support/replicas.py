"""Several of each service on one database and one bus, as a cluster runs them, each replaced while all work on."""

import os
import sys
from asyncio import create_subprocess_exec, gather, wait_for
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle

import httpx
from blake3 import blake3

from lumilio import ports, probe
from lumilio.verify import Ack
from tests.support.given import User
from tests.support.stack import QUICK
from tests.support.waiting import until

STOP_SECONDS = 40.0
FOR_EVER = "600"
"""Seconds of a lease: what one that ends leaves behind, nobody takes within a test."""
SECRET = "a secret that the gateways of a test share"


@dataclass(frozen=True)
class Replica:
    """One of several processes of a service."""

    process: Process
    port: int


@dataclass
class Fleet:
    """The replicas that run, by their service, the oldest first."""

    environment: Mapping[str, str]
    replicas: dict[str, list[Replica]] = field(default_factory=dict)
    acks: list[Ack] = field(default_factory=list)
    refused: int = 0

    async def start(self, name: str, **environment: str) -> None:
        """One more of a service, which is ready."""
        port, health = ports.choose(0), ports.choose(0)
        process = await create_subprocess_exec(
            *(sys.executable, "-m", name),
            env={
                **os.environ,
                **QUICK,
                "LUMILIO_LEASE_SECONDS": FOR_EVER,
                "LUMILIO_JWT_SECRET": SECRET,
                "LUMILIO_PORT": str(port),
                "LUMILIO_HEALTH_PORT": str(health),
                **self.environment,
                **environment,
            },
            stdout=DEVNULL,
            stderr=DEVNULL,
        )
        self.replicas.setdefault(name, []).append(Replica(process, port))
        # The database of tests may lose what a power cut takes, so nobody calls itself ready there.
        where = (port, "/api/v1/health") if name == "gateway" else (health, "/live")
        await until(lambda: probe.is_well("127.0.0.1", *where), seconds=60, what=f"{name} is ready")

    async def stop(self, name: str) -> None:
        """The oldest of a service ends as it is asked to."""
        replica = self.replicas[name].pop(0)
        replica.process.terminate()
        assert await wait_for(replica.process.wait(), STOP_SECONDS) == 0

    async def replace(self, name: str, **environment: str) -> None:
        """A new one takes over from the oldest of a service."""
        await self.start(name, **environment)
        await self.stop(name)

    async def send(self, http: httpx.AsyncClient, content: bytes, name: str) -> None:
        """Send to one gateway after the other until one acknowledges; what it answers must be about these bytes."""
        turns = cycle(range(2))

        async def attempt() -> httpx.Response | None:
            gateways = self.replicas["gateway"]
            url = f"http://127.0.0.1:{gateways[next(turns) % len(gateways)].port}/api/v1/assets"
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
async def fleet(services: Sequence[str], *, each: int = 2, **environment: str) -> AsyncIterator[Fleet]:
    """So many of each service; whatever still runs in the end is killed."""
    found = Fleet(environment)
    try:
        await gather(*(found.start(name) for name in services for _ in range(each)))
        yield found
    finally:
        for replica in [one for many in found.replicas.values() for one in many]:
            replica.process.kill()
            await replica.process.wait()
