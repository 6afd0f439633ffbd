"""Refuses a request before any route is asked, in the envelope that every answer has."""

from http import HTTPStatus

import msgspec
from litestar.types import Send

from gateway.schemas import Failure


async def refuse(send: Send, status: HTTPStatus, message: str, reason: str) -> None:
    """Answer with this, and nothing else."""
    body = msgspec.json.encode(Failure(code=status, message=message, error=reason))
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
