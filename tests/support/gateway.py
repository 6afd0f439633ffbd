"""A gateway on a free port, as clients meet it: real HTTP, real database, real files."""

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
from blake3 import blake3
from litestar import Litestar
from nats.aio.client import Client

from common import http, layout, marker
from common.bus import Bus
from common.db import Pool
from common.health import Health
from common.marker import LocalSettings
from common.outbox import Relay
from common.process import Core
from gateway import app, front, heads, signing
from gateway.addresses import Signer
from gateway.app import Options
from gateway.auth import SignIn
from gateway.bearings import Bearings
from gateway.downloads import Limits
from gateway.front import Names
from gateway.grounds import Grounds
from gateway.operations import Operations
from gateway.origins import Origin
from gateway.reading import Reading, Replica
from gateway.room import Reserve, Room
from gateway.tokens import Tokens
from tests.support.given import Repository
from tests.support.waiting import until

SECRET = "a secret that only these tests know"
TOKENS = Tokens(SECRET, 900)
ORIGIN = Origin(address="127.0.0.1", user_agent="tests")
BOUNDARY = "limit"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
FREE: dict[tuple[int | str, ...], list[Litestar]] = {}
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 20


@dataclass(frozen=True)
class Api:
    """A served gateway and a client that talks to it."""

    client: httpx.AsyncClient
    port: int
    pool: Pool

    async def enter(self, username: str) -> None:
        """Sign in and stay signed in without a password: comparing one takes long on purpose."""
        ((user_id,),) = await rows(self.pool, f"select user_id from users where username = '{username}'")
        async with self.pool.connection() as conn:
            pair = await SignIn(self.pool, TOKENS, refresh_seconds=3600).begin(conn, user_id, ORIGIN)
        self.client.headers["Authorization"] = f"Bearer {pair.token}"

    async def login(self, username: str, password: str) -> dict[str, Any]:
        """Sign in and stay signed in; returns the answer's data."""
        answer = await self.client.post("/api/v1/auth/login", json={"username": username, "password": password})
        assert answer.status_code == 200, answer.text
        data: dict[str, Any] = answer.json()["data"]
        self.client.headers["Authorization"] = f"Bearer {data['token']}"
        return data

    async def upload(
        self,
        content: bytes = JPEG,
        *,
        name: str = "photo.jpg",
        headers: dict[str, str] | None = None,
        fields: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Send a file, after some fields."""
        file = {"file": (name, content)}
        return await self.client.post("/api/v1/assets", data=fields, files=file, headers=headers)

    async def uploaded(self, content: bytes = JPEG, *, name: str = "photo.jpg") -> dict[str, Any]:
        """Send a file, which must succeed; returns the answer's data."""
        answer = await self.upload(content, name=name)
        assert answer.status_code == 200, answer.text
        data: dict[str, Any] = answer.json()["data"]
        return data

    async def batch(self, body: bytes, **parameters: str) -> httpx.Response:
        """Send a batch."""
        return await self.client.post("/api/v1/assets/batch", content=body, headers=FORM, params=parameters)

    async def raw(self, request: bytes, *, leaves: bool = False) -> bytes:
        """Write these bytes and read until the server ends the connection, or until we do."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        if leaves:
            writer.write_eof()
        answer = await reader.read()
        writer.close()
        return answer

    async def first(self, request: bytes) -> str:
        """Write these bytes, which need not be a whole request, and leave once an answer has come."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        answer = await reader.readuntil(b"\r\n\r\n") + await reader.readuntil(b"}")
        writer.close()
        return answer.decode()

    async def status(self, request: bytes) -> int:
        """Write these bytes and leave once an answer has begun; 0 when the connection ends without one."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        line = b""
        with suppress(ConnectionError):
            line = await reader.readline()
        writer.close()
        return int(line.split()[1]) if line else 0


@asynccontextmanager
async def serving(
    pool: Pool,
    *,
    max_upload_bytes: int = 1 << 30,
    uploads_at_once: int = 64,
    slow_seconds: float = heads.SLOW_SECONDS,
    names: Names = Names(),  # noqa: B008  # never changed
    cors_origins: Sequence[str] = (),
    reserve: Reserve | None = None,
    port: int = 0,
    grounds: Grounds = Grounds(),  # noqa: B008  # never changed
    download_limits: Limits | None = None,
    setup_token: str = "",
    open_registration: bool = False,
    bus: Bus | None = None,
    replica: Replica | None = None,
) -> AsyncIterator[Api]:
    """A gateway, as a rule without a bus, which it does not need to take files in."""
    client = Client()
    bus = bus or Bus(client, client.jetstream())
    signer = Signer(signing.keys(SECRET), Bearings(pool))
    core = Core(pool, bus, Relay(pool, bus, poll_seconds=60), Health(pool, bus))
    options = Options(
        jwt_secret=SECRET,
        max_upload_bytes=max_upload_bytes,
        uploads_at_once=uploads_at_once,
        cors_origins=list(cors_origins),
        grounds=grounds,
        room=Room(reserve or Reserve()),
        downloads=download_limits or Limits(),
        setup_token=setup_token,
        open_registration=open_registration,
    )
    port, stop = port or free_port(), asyncio.Event()
    with _built(options) as routes:
        api = app.supply(routes, core, options, signer, Operations(core), Reading(pool, replica))
        answering = front.of(api, pool, signer=signer, tokens=TOKENS, names=names)
        protocol = heads.bounded(slow_seconds)
        running = asyncio.create_task(http.serve(answering, host="127.0.0.1", port=port, stop=stop, protocol=protocol))
        try:
            async with new_client(f"http://127.0.0.1:{port}") as client_of_it:
                await until(lambda: _answers(client_of_it), every=0.01)
                yield Api(client_of_it, port, pool)
        finally:
            stop.set()
            await running


def new_client(base_url: httpx.URL | str) -> httpx.AsyncClient:
    """Somebody who has not signed in; nothing is encrypted here, so no authorities are read, which takes long."""
    return httpx.AsyncClient(base_url=base_url, timeout=20, verify=PLAIN)


def form(content: bytes, head: str = 'form-data; name="file"; filename="photo.jpg"') -> bytes:
    """A multipart body with one file."""
    start = f"--{BOUNDARY}\r\nContent-Disposition: {head}\r\n\r\n".encode()
    return start + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def parts(*contents: bytes, repository_id: str | None = None) -> bytes:
    """A multipart body in which each file is named by its hash, as a batch wants it."""
    field = part(repository_id.encode(), 'name="repository_id"') if repository_id else b""
    return field + batch_of({f"{number}.jpg": content for number, content in enumerate(contents)})


def batch_of(files: Mapping[str, bytes]) -> bytes:
    """The same of files that have names."""
    heads = {name: f'name="{blake3(content).hexdigest()}"; filename="{name}"' for name, content in files.items()}
    return b"".join(part(files[name], head) for name, head in heads.items()) + f"--{BOUNDARY}--\r\n".encode()


def part(content: bytes, about: str) -> bytes:
    """One part of a multipart body."""
    return f"--{BOUNDARY}\r\nContent-Disposition: form-data; {about}\r\n\r\n".encode() + content + b"\r\n"


def post(api: Api, body: bytes, *, length: int | None, more: str = "", path: str = "/api/v1/assets") -> bytes:
    """An upload request, byte by byte."""
    announced = f"Content-Length: {length}\r\n" if length is not None else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: {api.client.headers['Authorization']}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n{announced}{more}\r\n"
    )
    return head.encode() + body


async def nothing_left(pool: Pool, repository: Repository) -> bool:
    """Whether neither the disk nor the database knows of any upload."""
    found = await rows(pool, "select 1 from uploads union all select 1 from assets union all select 1 from outbox")
    return not found and not staged(repository)


def marker_path(repository: Repository) -> Path:
    """The file that says which repository this is."""
    return Path(os.fsdecode(os.path.join(repository.root, layout.MARKER)))


def limit_files(repository: Repository, size: int) -> None:
    """Do what the owner of a repository does who wants no larger files in it."""
    settings = LocalSettings(max_file_size=size)
    changed = msgspec.structs.replace(marker.read(repository.root), local_settings=settings)
    marker_path(repository).write_bytes(msgspec.yaml.encode(changed))


async def rows(pool: Pool, query: str) -> list[Any]:
    """The answer to a query."""
    async with pool.connection() as conn:
        return await (await conn.execute(query.encode())).fetchall()


def staged(repository: Repository) -> list[Path]:
    """The files in staging."""
    with suppress(FileNotFoundError):
        return sorted(Path(os.fsdecode(repository.root), os.fsdecode(layout.STAGING)).iterdir())
    return []


@contextmanager
def _built(options: Options) -> Iterator[Litestar]:
    """All routes, which take longest to build, so that each server of a process is lent what another gave back."""
    free = FREE.setdefault((options.max_upload_bytes, *options.cors_origins), [])
    routes = free.pop() if free else app.build(options)
    yield routes
    free.append(routes)


async def _answers(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/api/v1/health")).status_code == 200
    except httpx.TransportError:
        return False


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
