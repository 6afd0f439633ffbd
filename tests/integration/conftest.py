"""What tests of reading and rendering share."""

import pytest

from common.db import Pool
from processor.handlers import Processor
from processor.sandbox import Sandbox
from tests.support import sandboxes


@pytest.fixture
def box() -> Sandbox:
    """A sandbox of two readers."""
    return sandboxes.lent()


@pytest.fixture
def processor(pool: Pool, box: Sandbox) -> Processor:
    """The work of the render stage."""
    return Processor(pool, box)
