"""A real ml-server for tests, and a plain client of its protocol."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import Any

import grpc
import msgspec
from google.protobuf.empty_pb2 import Empty
from PIL import Image

from home_native.v1.ml_service_pb2 import Capability, InferRequest, InferResponse
from home_native.v1.ml_service_pb2_grpc import InferenceStub
from lumilio import launch, ports, probe
from tests.support.waiting import until

STOP_SECONDS = 10


@dataclass
class MlServer:
    """A folder of models and the process that serves it, if it runs."""

    models: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=lambda: ports.choose(0))
    health_port: int = field(default_factory=lambda: ports.choose(0))
    _process: "subprocess.Popen[bytes] | None" = None

    def launch(self) -> None:
        """Start it and return at once."""
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                launch.wrap([sys.executable, "-m", "ml_server"], death_signal=SIGKILL),
                env={
                    **os.environ,
                    "LUMILIO_MODELS": str(self.models),
                    "LUMILIO_ML_PORT": str(self.port),
                    "LUMILIO_HEALTH_PORT": str(self.health_port),
                    **self.environment,
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    async def start(self) -> None:
        """Start it and wait until it can be asked."""
        self.launch()
        await until(lambda: probe.is_well("127.0.0.1", self.health_port, "/ready"), seconds=60, what=self.log)

    def kill(self) -> None:
        """End it as a crash does."""
        self._end(SIGKILL)

    def stop(self) -> int:
        """End it in an orderly way; returns its exit code."""
        return self._end(SIGTERM)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self._output.read_text() if self._output.exists() else ""

    @property
    def _output(self) -> Path:
        return self.models.with_name(f"{self.models.name}.log")

    def _end(self, number: int) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(STOP_SECONDS)


@asynccontextmanager
async def running_ml_server(models: Path, *, port: int = 0, **environment: str) -> AsyncIterator[MlServer]:
    """A server that can be asked, ended at the end; port 0 is any free one."""
    server = MlServer(models, environment, port or ports.choose(0))
    try:
        await server.start()
        yield server
    finally:
        if server._process is not None and server._process.poll() is None:
            server.kill()


@dataclass(frozen=True)
class Asker:
    """Asks one request per stream, as the protocol has it."""

    stub: Any

    async def ask(self, task: str, payload: bytes, mime: str, **meta: str) -> Any:
        """The decoded answer; grpc.aio.AioRpcError if it is refused."""
        answers = await self.send(parts(task, payload, mime, meta=meta))
        return msgspec.json.decode(b"".join(answer.result for answer in answers))

    async def send(self, requests: list[InferRequest]) -> list[InferResponse]:
        """What these parts are answered with."""
        return [answer async for answer in self.stub.Infer(iter(requests), timeout=30)]

    async def embed(self, picture: bytes, mime: str = "image/webp") -> list[float]:
        vector: list[float] = (await self.ask("semantic_image_embed", picture, mime))["vector"]
        return vector

    async def embed_text(self, text: str) -> list[float]:
        vector: list[float] = (await self.ask("semantic_text_embed", text.encode(), "text/plain"))["vector"]
        return vector

    async def capabilities(self) -> list[Capability]:
        """What every service says now."""
        first: Capability = await self.stub.GetCapabilities(Empty())
        return [first]


@asynccontextmanager
async def asking(address: str) -> AsyncIterator[Asker]:
    """A channel to a server."""
    async with grpc.aio.insecure_channel(address) as channel:
        yield Asker(InferenceStub(channel))  # type: ignore[no-untyped-call]


def parts(
    task: str, payload: bytes, mime: str, *, size: int = 1 << 20, meta: Mapping[str, str] = {}
) -> list[InferRequest]:
    """A request in parts of this size."""
    starts = range(0, max(1, len(payload)), size)
    return [
        InferRequest(
            correlation_id="asked",
            task=task,
            payload=payload[start : start + size],
            payload_mime=mime,
            meta=meta,
            seq=number,
            total=len(starts),
            offset=start,
        )
        for number, start in enumerate(starts)
    ]


def coloured(colour: tuple[int, int, int], *, file_format: str = "WEBP", size: tuple[int, int] = (400, 300)) -> bytes:
    """A picture that is all of one colour."""
    return encoded(Image.new("RGB", size, colour), file_format)


def encoded(image: Image.Image, file_format: str = "WEBP") -> bytes:
    """The picture as a file."""
    file = BytesIO()
    image.save(file, file_format)
    return file.getvalue()
