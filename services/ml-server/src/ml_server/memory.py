"""What was seen last, and is seen just now: who embeds a picture soon wants its labels as well."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from blake3 import blake3

from ml_server.towers import Vector


@dataclass
class Memory:
    """Vectors of pictures by their bytes, the last `most` of them."""

    most: int
    _known: "dict[bytes, asyncio.Future[Vector]]" = field(default_factory=dict)

    async def find(self, payload: bytes, embed: Callable[[bytes], Awaitable[Vector]]) -> Vector:
        """The vector of exactly these bytes; one who leaves or fails while others wait for it leaves it to them."""
        key = blake3(payload).digest()
        while (known := self._known.get(key)) is not None:
            await asyncio.wait({known})
            if not known.cancelled():
                return known.result()
        made: asyncio.Future[Vector] = asyncio.get_running_loop().create_future()
        self._known[key] = made
        try:
            made.set_result(await embed(payload))
        finally:
            if not made.done():
                made.cancel()
                self._known.pop(key, None)
        self._forget_oldest()
        return made.result()

    def _forget_oldest(self) -> None:
        while len(self._known) > self.most:
            del self._known[next(iter(self._known))]
