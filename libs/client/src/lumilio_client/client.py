"""Asks a server and waits for the answer."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from os import PathLike
from pathlib import Path
from typing import IO, Any, Generic, Self, TypeVar

import httpx
import msgspec

from lumilio_client import errors
from lumilio_client.api import UploadResponse
from lumilio_client.calls import Call, File, Item, Listing, Page
from lumilio_client.errors import NotSignedIn, Trouble, Unreachable
from lumilio_client.retries import USUAL, Retries
from lumilio_client.sending import PATH, Upload, called, opened
from lumilio_client.signing import Key, Password

T = TypeVar("T")
TIMEOUT = httpx.Timeout(30, connect=10)
CHUNK = 1 << 20


class Envelope(msgspec.Struct, Generic[T], frozen=True):
    """What a good answer is in."""

    data: T


class Client:
    """A server, as one person or the holder of one key sees it; many threads may share it."""

    def __init__(
        self,
        server: str,
        auth: Key | Password | None = None,
        *,
        retries: Retries = USUAL,
        **options: Any,
    ) -> None:
        """Connect to a server, say https://photos.example.org; `options` are those of httpx.Client."""
        self._auth, self._retries = auth, retries
        self._http = httpx.Client(base_url=server, auth=auth, **{"timeout": TIMEOUT, **options})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all connections."""
        self._http.close()

    def ask(self, call: Call[T]) -> T:
        """The answer to a call; one of `lumilio_client.errors` where it is another."""
        answer = self._patiently(lambda: self._send(call), is_harmless=call.is_harmless)
        return read(call, answer)

    def pages(self, call: Listing[Page, Item]) -> Iterator[Page]:
        """All pages of a list, asked for one after the other."""
        following: Listing[Page, Item] | None = call
        while following is not None:
            page = self.ask(following)
            yield page
            following = following.following(page)

    def each(self, call: Listing[Page, Item]) -> Iterator[Item]:
        """Everything in a list, page by page."""
        for page in self.pages(call):
            yield from call.items(page)

    @contextmanager
    def stream(self, call: File, *, start: int = 0) -> Iterator[httpx.Response]:
        """The bytes of a file while they come, from a byte on; read them by `iter_bytes()`."""
        with ExitStack() as left:
            yield self._patiently(lambda: left.enter_context(self._open(call, start)), is_harmless=True)

    def download(self, call: File, to: str | PathLike[str]) -> int:
        """Write a file to the disk, which has it whole or not at all; returns how many bytes it has."""
        part = Path(to).with_name(Path(to).name + ".part")
        with self.stream(call) as answer, part.open("wb") as file:
            for chunk in answer.iter_bytes(CHUNK):
                file.write(chunk)
            size = file.tell()
        part.replace(to)
        return size

    def upload(self, file: str | PathLike[str] | IO[bytes], *, name: str | None = None, **about: Any) -> UploadResponse:
        """Send a file; once this returns, its bytes are safe. `about` is what `Upload` takes besides."""
        with opened(file) as source:
            upload, start = Upload(source, called(file, name), **about), source.tell()

            def send() -> httpx.Response:
                source.seek(start)
                return self._checked(self._http.post(PATH, **upload.parts()))

            return errors.read(self._patiently(send, is_harmless=True), Envelope[UploadResponse]).data

    def _send(self, call: Call[Any]) -> httpx.Response:
        return self._checked(self._http.request(call.method, call.path, **said(call)))

    @contextmanager
    def _open(self, call: File, start: int) -> Iterator[httpx.Response]:
        headers = {"Range": f"bytes={start}-"} if start else {}
        with self._http.stream(call.method, call.path, params=call.parameters, headers=headers) as answer:
            if not answer.is_success:
                answer.read()
            yield self._checked(answer)

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        if not answer.is_success:
            raise errors.of(answer)
        return answer

    def _patiently(self, attempt: Callable[[], T], *, is_harmless: bool) -> T:
        """One try, or more: a token that counts no more is renewed once, and what passes is waited for."""
        tried, is_renewed = 1, False
        while True:
            try:
                with reached():
                    return attempt()
            except NotSignedIn:
                if self._auth is None or is_renewed or not is_renewable(self._auth):
                    raise
                is_renewed = True
            except Trouble as trouble:
                pause = self._retries.pause(trouble, tried, is_harmless=is_harmless)
                if pause is None:
                    raise
                time.sleep(pause)
                tried += 1


def said(call: Call[Any]) -> dict[str, Any]:
    """What httpx is told of a call."""
    content = call.content
    headers = {name: value for name, value in call.headers.items() if value is not None}
    headers |= {} if content is None else {"Content-Type": "application/json"}
    return {"params": call.parameters, "content": content, "headers": headers}


def read(call: Call[T], answer: httpx.Response) -> T:
    """What a good answer says: its data, or the bytes of a file."""
    if isinstance(call, File):
        return answer.content  # type: ignore[return-value]  # of a file, T is bytes
    if call.answer is None:
        return None  # type: ignore[return-value]  # T is None
    return errors.read(answer, Envelope[call.answer]).data  # type: ignore[name-defined, no-any-return]


def is_renewable(auth: Key | Password) -> bool:
    """Whether a sign-in may count again, which is forgotten then."""
    auth.forget()
    return isinstance(auth, Password)


@contextmanager
def reached() -> Iterator[None]:
    """Unreachable where there is no answer."""
    try:
        yield
    except httpx.TransportError as error:
        raise Unreachable(str(error) or type(error).__name__) from error
