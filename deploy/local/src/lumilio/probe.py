"""Asks a service how it is."""

from contextlib import suppress

from common import fetch


async def is_well(host: str, port: int, path: str) -> bool:
    """Whether the answer is a 200."""
    with suppress(OSError):
        await fetch.get(host, port, path)
        return True
    return False
