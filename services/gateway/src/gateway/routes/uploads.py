"""Sending photos, videos and audio."""

from typing import Any

from litestar import Request, post
from litestar.di import NamedDependency

from gateway.queries.users import User
from gateway.schemas import Envelope, UploadResponse
from gateway.uploads import Intake, announced_hash


@post("/assets", status_code=200)
async def upload(
    request: Request[Any, Any, Any], intake: NamedDependency[Intake], user: NamedDependency[User]
) -> Envelope[UploadResponse]:
    """Send one file as multipart/form-data: `repository_id` (optional) first, then `file`.

    `X-Content-Hash` may announce the BLAKE3 of the file. Once this answers, the bytes are safe on the disk.
    """
    expected = announced_hash(request.headers.getall("x-content-hash", []))
    return Envelope(data=await intake.receive(request, owner=user.user_id, expected=expected))
