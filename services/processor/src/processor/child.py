"""A confined process: reads the files it is handed one after the other and answers on its only line out."""

import contextlib
import errno
import os
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import msgspec
from msgspec import Struct

from processor import confine
from processor.unreadable import Unreadable

LENGTH = struct.Struct("!Q")
REQUEST_LIMIT = 8 * 1024  # small enough to arrive in one piece
MOST_FILES = 5
OF_MACHINE = {errno.EAGAIN, errno.EIO, errno.ENODEV, errno.ENXIO, errno.ESTALE}
"""No thread to spare, and what disks say that fail or went away."""


class Request(Struct, frozen=True):
    """Call a function of an imported module with the first file sent along, if any, these arguments, and the others."""

    module: str
    function: str
    arguments: list[Any]


class Done(Struct, frozen=True, tag=True):
    """What the function returned, still encoded."""

    result: msgspec.Raw


class Refused(Struct, frozen=True, tag=True):
    """The function found the file unreadable."""

    reason: str


class Broke(Struct, frozen=True, tag=True):
    """The function failed in a way that nobody foresaw."""

    reason: str


class Exhausted(Struct, frozen=True, tag=True):
    """The function ran out of memory."""


class Starved(Struct, frozen=True, tag=True):
    """The machine had too little for the function, such as threads, or its disk did not read."""

    reason: str


Answer = Done | Refused | Broke | Exhausted | Starved


def live(line: int, *, parent: int, limits: confine.Limits) -> NoReturn:
    """Confine this process, answer requests until the line is closed, and end."""
    try:
        os.dup2(0, 2)  # decoders print what strangers wrote
        os.closerange(3, line)
        os.closerange(line + 1, 256)
        answers = socket.socket(fileno=line)
        confine.confine(parent=parent, answers=line, limits=limits)
        while serve(answers):
            pass
    finally:
        os._exit(0)


def serve(line: socket.socket) -> bool:
    """Answer one request; False when the line was closed."""
    message, descriptors, _, _ = socket.recv_fds(line, REQUEST_LIMIT, MOST_FILES)
    if not message:
        return False
    answer = msgspec.msgpack.encode(attempt(msgspec.msgpack.decode(message, type=Request), descriptors))
    line.sendall(LENGTH.pack(len(answer)))
    line.sendall(answer)
    return True


def attempt(request: Request, descriptors: list[int]) -> Answer:
    """Call the function and put its outcome, whatever it is, into words."""
    function: Callable[..., Any] = getattr(sys.modules[request.module], request.function)
    try:
        with contextlib.ExitStack() as opened:
            files = [opened.enter_context(os.fdopen(descriptor, "rb")) for descriptor in descriptors]
            for file in files:
                file.seek(0)
            result = function(*files[:1], *request.arguments, *files[1:])
            return Done(msgspec.Raw(msgspec.msgpack.encode(result)))
    except Unreadable as verdict:
        return Refused(str(verdict))
    except MemoryError:
        return Exhausted()
    except Exception as error:  # noqa: BLE001 - a stranger's file may break a decoder in any way
        is_of_machine = isinstance(error, OSError) and error.errno in OF_MACHINE
        return (Starved if is_of_machine else Broke)(f"{type(error).__name__}: {error}")
