"""Asks a server in an event loop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from os import PathLike
from pathlib import Path
from typing import IO, Any, Self, TypeVar

import httpx

from lumilio_client import errors
from lumilio_client.api import UploadResponse
from lumilio_client.calls import Call, File, Item, Listing, Page
from lumilio_client.client import CHUNK, TIMEOUT, Envelope, is_renewable, reached, read, said
from lumilio_client.errors import NotSignedIn, Trouble
from lumilio_client.retries import USUAL, Retries
from lumilio_client.sending import PATH, Upload, called, opened
from lumilio_client.signing import Key, Password

T = TypeVar("T")


class AsyncClient:
    """A server, as one person or the holder of one key sees it; many tasks may share it."""

    def __init__(
        self,
        server: str,
        auth: Key | Password | None = None,
        *,
        retries: Retries = USUAL,
        **options: Any,
    ) -> None:
        """Connect to a server, say https://photos.example.org; `options` are those of httpx.AsyncClient."""
        self._auth, self._retries = auth, retries
        self._http = httpx.AsyncClient(base_url=server, auth=auth, **{"timeout": TIMEOUT, **options})

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End all connections."""
        await self._http.aclose()

    async def ask(self, call: Call[T]) -> T:
        """The answer to a call; one of `lumilio_client.errors` where it is another."""
        answer = await self._patiently(lambda: self._send(call), is_harmless=call.is_harmless)
        return read(call, answer)

    async def pages(self, call: Listing[Page, Item]) -> AsyncIterator[Page]:
        """All pages of a list, asked for one after the other."""
        following: Listing[Page, Item] | None = call
        while following is not None:
            page = await self.ask(following)
            yield page
            following = following.following(page)

    async def each(self, call: Listing[Page, Item]) -> AsyncIterator[Item]:
        """Everything in a list, page by page."""
        async for page in self.pages(call):
            for item in call.items(page):
                yield item

    @asynccontextmanager
    async def stream(self, call: File, *, start: int = 0) -> AsyncIterator[httpx.Response]:
        """The bytes of a file while they come, from a byte on; read them by `aiter_bytes()`."""
        async with AsyncExitStack() as left:
            yield await self._patiently(lambda: left.enter_async_context(self._open(call, start)), is_harmless=True)

    async def download(self, call: File, to: str | PathLike[str]) -> int:
        """Write a file to the disk, which has it whole or not at all; returns how many bytes it has."""
        part = Path(to).with_name(Path(to).name + ".part")
        async with self.stream(call) as answer:
            with part.open("wb") as file:
                async for chunk in answer.aiter_bytes(CHUNK):
                    await asyncio.to_thread(file.write, chunk)
                size = file.tell()
        part.replace(to)
        return size

    async def upload(
        self, file: str | PathLike[str] | IO[bytes], *, name: str | None = None, **about: Any
    ) -> UploadResponse:
        """Send a file; once this returns, its bytes are safe. `about` is what `Upload` takes besides."""
        with opened(file) as source:
            upload, start = Upload(source, called(file, name), **about), source.tell()

            async def send() -> httpx.Response:
                source.seek(start)
                return self._checked(await self._http.post(PATH, **upload.parts()))

            return errors.read(await self._patiently(send, is_harmless=True), Envelope[UploadResponse]).data

    async def _send(self, call: Call[Any]) -> httpx.Response:
        return self._checked(await self._http.request(call.method, call.path, **said(call)))

    @asynccontextmanager
    async def _open(self, call: File, start: int) -> AsyncIterator[httpx.Response]:
        headers = {"Range": f"bytes={start}-"} if start else {}
        async with self._http.stream(call.method, call.path, params=call.parameters, headers=headers) as answer:
            if not answer.is_success:
                await answer.aread()
            yield self._checked(answer)

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        if not answer.is_success:
            raise errors.of(answer)
        return answer

    async def _patiently(self, attempt: Callable[[], Awaitable[T]], *, is_harmless: bool) -> T:
        """One try, or more: a token that counts no more is renewed once, and what passes is waited for."""
        tried, is_renewed = 1, False
        while True:
            try:
                with reached():
                    return await attempt()
            except NotSignedIn:
                if self._auth is None or is_renewed or not is_renewable(self._auth):
                    raise
                is_renewed = True
            except Trouble as trouble:
                pause = self._retries.pause(trouble, tried, is_harmless=is_harmless)
                if pause is None:
                    raise
                await asyncio.sleep(pause)
                tried += 1
