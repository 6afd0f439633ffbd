"""Asks another process of ours over HTTP."""

import asyncio

ANSWER_SECONDS = 5


async def get(host: str, port: int, path: str) -> bytes:
    """The body of a 200; OSError when the answer is another one, or does not come."""
    async with asyncio.timeout(ANSWER_SECONDS):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(f"GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            writer.close()
    status = head.partition(b"\r\n")[0]
    if b" 200 " not in status:
        raise ConnectionError(f"answered {status[:50].decode(errors='replace')!r}")
    return body
