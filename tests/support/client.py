"""A client as patient as a phone: it sends a photo until the server says that it is safe."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx
from blake3 import blake3

from lumilio.verify import Ack
from lumilio_client import AsyncClient, Password
from tests.support.waiting import until

PATIENCE_SECONDS = 120


class Served(Protocol):
    """A server that knows a person."""

    username: str
    password: str

    @property
    def base_url(self) -> str: ...


@dataclass
class Client:
    """A signed-in person, and what the server acknowledged to them."""

    http: httpx.AsyncClient
    acks: list[Ack] = field(default_factory=list)

    async def send(self, content: bytes, name: str) -> None:
        """Send until acknowledged; what was answered must be about these very bytes."""

        async def attempt() -> dict[str, Any] | None:
            try:
                response = await self.http.post("/assets", files={"file": (name, content)})
            except httpx.TransportError:
                return None
            return response.json()["data"] if response.status_code == 200 else None

        answer = await until(attempt, seconds=PATIENCE_SECONDS, every=0.2, what=f"{name} is acknowledged")
        assert answer is not None
        assert answer["content_hash"] == blake3(content).hexdigest()
        self.acks.append(Ack(asset_id=answer["asset_id"], content_hash=answer["content_hash"]))

    async def get(self, path: str, **parameters: str) -> httpx.Response:
        """Ask for something."""
        return await self.http.get(path, params=parameters)


@asynccontextmanager
async def signed_in(stack: Served) -> AsyncIterator[Client]:
    """A client of the administrator that the first start made."""
    async with httpx.AsyncClient(base_url=f"{stack.base_url}/api/v1", timeout=20) as http:
        answer = await http.post("/auth/login", json={"username": stack.username, "password": stack.password})
        http.headers["Authorization"] = f"Bearer {answer.json()['data']['token']}"
        yield Client(http)


def program(server: Served) -> AsyncClient:
    """The same person by the client for programs, which signs in with its first call."""
    return AsyncClient(server.base_url, Password(server.base_url, server.username, server.password))
