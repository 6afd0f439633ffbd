"""What ends `lumilio up`."""

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from lumilio.main import heed


@pytest.fixture(autouse=True)
def kept() -> Iterator[None]:
    """Whatever hanging up meant before means it again."""
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


async def test_a_terminal_that_closes_ends_it() -> None:
    """As people expect who start it by hand."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    stop = asyncio.Event()

    heed(stop)
    os.kill(os.getpid(), signal.SIGHUP)

    await asyncio.wait_for(stop.wait(), 10)


async def test_nohup_keeps_it_running() -> None:
    """Who starts it so wants it to go on without a terminal."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    heed(asyncio.Event())

    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
