"""Writes down the calls that make things durable, in their order, while they do their work as ever."""

import os
from collections.abc import Callable
from typing import Any

import pytest
from psycopg import AsyncConnection

from common import files


class Crash(BaseException):
    """The process ends here, as far as the code can tell."""


class Recorder:
    """The durable calls so far: `fsync NAME`, `mkdir NAME`, `link OLD NEW`, `rename OLD NEW`, `unlink NAME`,
    `commit`.

    With `crash_after` the call of that number is done, and nothing after it.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.crash_after: int | None = None
        self._spy(monkeypatch, "fsync", lambda target, **_: f"fsync {_name(target)}")
        self._spy(monkeypatch, "mkdir", lambda path, *_, **__: f"mkdir {os.fsdecode(path)}")
        self._spy(monkeypatch, "link", lambda old, new, **_: f"link {os.fsdecode(old)} {os.fsdecode(new)}")
        self._spy(monkeypatch, "rename", lambda old, new, **_: f"rename {os.fsdecode(old)} {os.fsdecode(new)}")
        moves: Callable[..., str] = lambda _, old, __, new, ___: f"rename {os.fsdecode(old)} {os.fsdecode(new)}"  # noqa: E731
        self._spy(monkeypatch, "renameat2", moves, of=files._libc)
        self._spy(monkeypatch, "unlink", lambda path, **_: f"unlink {os.fsdecode(path)}")
        self._spy_commit(monkeypatch)

    def clear(self) -> None:
        """Forget what was written down."""
        self.calls.clear()

    def _note(self, call: str) -> None:
        self.calls.append(call)
        self._check()

    def _check(self) -> None:
        """The dead do nothing more, not even tidy up."""
        if self.crash_after is not None and len(self.calls) >= self.crash_after:
            raise Crash

    def _spy(self, monkeypatch: pytest.MonkeyPatch, name: str, describe: Callable[..., str], of: Any = os) -> None:
        original = getattr(of, name)

        def call(*arguments: Any, **options: Any) -> Any:
            self._check()
            described = describe(*arguments, **options)
            result = original(*arguments, **options)
            self._note(described)
            return result

        monkeypatch.setattr(of, name, call)

    def _spy_commit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        original = AsyncConnection.commit

        async def commit(connection: AsyncConnection[Any]) -> None:
            self._check()
            await original(connection)
            self._note("commit")

        monkeypatch.setattr(AsyncConnection, "commit", commit)


def _name(target: int | Any) -> str:
    """What a descriptor points to, by its last component; the root of a repository is a dot."""
    path = os.readlink(f"/proc/self/fd/{target if isinstance(target, int) else target.fileno()}")
    return "." if os.path.exists(os.path.join(path, ".lumiliorepo")) else os.path.basename(path)
