"""`python -m tests.support.inferring ADDRESS`: the inference server for tests as a process of its own, until killed."""

import asyncio
import sys

from tests.support.inference import Fake, served

TIMES = 8


class Wide(Fake):
    """Answers vectors as long as those of real models."""

    def vector(self, payload: bytes) -> list[float]:
        """Where the model puts something."""
        self.dimension //= TIMES
        vector = super().vector(payload) * TIMES
        self.dimension *= TIMES
        return vector


async def serve(address: str) -> None:
    """Answer at an address for ever."""
    async with served(Wide(address=address, slots=16, dimension=512)):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
