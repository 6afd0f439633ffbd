"""Hints come in batches: soon, together, and from any thread."""

import asyncio
import threading

from syncer.dirty import Batch
from syncer.hints import Hints
from tests.support.waiting import until


async def test_what_happens_together_is_told_together() -> None:
    """A batch waits for a moment of quiet."""
    hints = Hints(quiet=0.05)
    hints.add(b"a")
    asyncio.get_running_loop().call_later(0.02, hints.add_tree, b"b")

    assert await hints.next() == Batch([b"a"], [b"b"])


async def test_a_batch_does_not_wait_for_quiet_for_ever() -> None:
    """Where something changes all the time, the first that did is told all the same."""
    hints, ended = Hints(quiet=10, latest=0.1), False

    async def keep_adding() -> None:
        while not ended:
            hints.add(b"busy")
            await asyncio.sleep(0.01)

    adding = asyncio.create_task(keep_adding())
    batch = await asyncio.wait_for(hints.next(), timeout=60)
    ended = True
    await adding

    assert batch == Batch([b"busy"], [])


async def test_hints_come_from_any_thread() -> None:
    """A thread that watches wakes a loop that sleeps."""
    hints = Hints(quiet=0.01)
    waiting = asyncio.create_task(hints.next())
    await asyncio.sleep(0)
    threads = [threading.Thread(target=hints.add, args=(b"%d" % number,)) for number in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    batch = await waiting
    assert batch.folders
    assert set(batch.folders) <= {b"%d" % number for number in range(8)}


async def test_a_batch_is_told_once() -> None:
    """Whoever asks again waits for the next change."""
    hints = Hints(quiet=0.01)
    hints.add(b"a")
    await hints.next()

    again = asyncio.create_task(hints.next())
    hints.add(b"b")

    assert await again == Batch([b"b"], [])


async def test_who_gives_up_waiting_takes_no_hint_along() -> None:
    """A cancelled question leaves the batch to the next one."""
    hints = Hints(quiet=0.05)
    hints.add(b"a")
    waiting = asyncio.create_task(hints.next())
    await asyncio.sleep(0)
    waiting.cancel()
    await until(waiting.done)

    assert await hints.next() == Batch([b"a"], [])
