"""A queue with an end, between the threads that make things and those that take them."""

from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Event, Lock
from typing import Generic, TypeVar

from lumilio.upload.walk import Interrupted

T = TypeVar("T")

LOOK_SECONDS = 0.1


class Line(Generic[T]):
    """A few things on their way; it ends when each of its makers has closed it and everything was taken.

    Nobody waits here once `stop` is set: they are Interrupted.
    """

    def __init__(self, stop: Event, *, room: int, makers: int = 1) -> None:
        self._queue: Queue[T | None] = Queue(room)
        self._stop = stop
        self._makers = makers
        self._lock = Lock()

    def put(self, thing: T | None) -> None:
        """Add a thing, once there is room for it."""
        while not self._stop.is_set():
            with suppress(Full):
                return self._queue.put(thing, timeout=LOOK_SECONDS)
        raise Interrupted

    def close(self) -> None:
        """One maker adds no more."""
        with self._lock:
            self._makers -= 1
            is_last = self._makers == 0
        if is_last:
            self.put(None)

    def __iter__(self) -> Iterator[T]:
        """The things that this thread gets, until the end."""
        while things := self.take(1):
            yield things[0]

    def take(self, most: int) -> list[T]:
        """What is there, at least one thing; nothing means the end."""
        things: list[T] = []
        thing = self._first()
        while thing is not None:
            things.append(thing)
            if len(things) == most or self._queue.empty():
                return things
            thing = self._first()
        self.put(None)  # for the others who take from here
        return things

    def _first(self) -> T | None:
        while not self._stop.is_set():
            with suppress(Empty):
                return self._queue.get(timeout=LOOK_SECONDS)
        raise Interrupted
