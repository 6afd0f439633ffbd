"""The yardstick of thumbnails: a bare ASGI app under the same server, which opens, reads and sends, for anybody."""

import asyncio
import sys
from typing import Any

import uvloop

from common import http
from gateway import heads


async def show(scope: dict[str, Any], _: Any, send: Any) -> None:
    """One request: its path is a file's."""
    with open(scope["path"], "rb") as file:
        body = file.read()
    headers = [(b"content-type", b"image/webp"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def main(port: str) -> None:
    """Serve until killed."""
    await http.serve(show, host="127.0.0.1", port=int(port), stop=asyncio.Event(), protocol=heads.Bounded)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
