"""What tests of reading and rendering share."""

from collections.abc import AsyncIterator

import pytest

from common.db import Pool
from processor import sandbox
from processor.handlers import Processor
from processor.sandbox import Sandbox


@pytest.fixture
async def box() -> AsyncIterator[Sandbox]:
    """A sandbox of two readers."""
    async with sandbox.open(2) as opened:
        yield opened


@pytest.fixture
def processor(pool: Pool, box: Sandbox) -> Processor:
    """The work of the render stage."""
    return Processor(pool, box)
