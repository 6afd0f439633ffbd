"""The yardstick of uploads: a plain asyncio server that hashes, writes and syncs, and does nothing else."""

import asyncio
import os
import sys
from pathlib import Path
from uuid import uuid4

from blake3 import blake3

CHUNK = 1 << 16


async def receive(folder: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection: every request's body becomes a file that is on the disk when it is answered."""
    while head := await _head(reader):
        digest = await _store(folder, reader, _length(head))
        answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(digest)}\r\n\r\n{digest}"
        writer.write(answer.encode())
        await writer.drain()
    writer.close()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


def _length(head: bytes) -> int:
    return next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))


async def _store(folder: Path, reader: asyncio.StreamReader, left: int) -> str:
    digest, descriptor = blake3(), os.open(folder / uuid4().hex, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    while left:
        chunk = await reader.read(min(left, CHUNK))
        left -= len(chunk)
        digest.update(chunk)
        os.write(descriptor, chunk)
    os.fsync(descriptor)
    os.close(descriptor)
    _sync(folder)
    return digest.hexdigest()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(descriptor)
    os.close(descriptor)


async def main(folder: str, port: str) -> None:
    """Serve until killed."""
    server = await asyncio.start_server(
        lambda reader, writer: receive(Path(folder), reader, writer), "127.0.0.1", int(port)
    )
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
