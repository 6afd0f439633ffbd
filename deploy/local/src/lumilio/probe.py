"""Asks a service over HTTP how it is."""

import asyncio
from contextlib import suppress

ANSWER_SECONDS = 5


async def is_well(host: str, port: int, path: str) -> bool:
    """Whether the answer is a 200."""
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                status = await reader.readline()
            finally:
                writer.close()
            return b" 200 " in status
    return False
