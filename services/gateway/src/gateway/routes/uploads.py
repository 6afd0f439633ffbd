"""Sending photos, videos and audio, and what became of what was sent."""

from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from common.db import Connection
from gateway import announced, batch
from gateway.announced import LANES, Lane, Sender
from gateway.declared import may
from gateway.errors import Busy, Conflict, NotFound, OverQuota
from gateway.paging import Limit
from gateway.policies import READ, UPLOAD
from gateway.queries import uploads as queries
from gateway.queries.uploads import Outcome, UploadState
from gateway.queries.users import User
from gateway.schemas import Envelope
from gateway.upload_schemas import BatchResponse, PrecheckRequest, PrecheckResponse, UploadList, UploadResponse
from gateway.uploads import Intake

LARGEST_ID = 2**63 - 1


@post("/assets", status_code=200, opt=UPLOAD | announced.ONE | may(NotFound, Conflict, Busy, OverQuota))
async def upload(
    request: Request[Any, Any, Any],
    intake: NamedDependency[Intake],
    user: NamedDependency[User],
    lane: FromQuery[Lane] = "person",
) -> Envelope[UploadResponse]:
    """Send one file as multipart/form-data: `repository_id` and `modified_at` (optional) first, then `file`.

    `modified_at` is when the file was changed last, in seconds since 1970 or by RFC 3339: a photo that does not say
    when it was taken was taken then. `X-Content-Hash` may announce the BLAKE3 of the file. Once this answers, the bytes
    are safe on the disk. A request that is repeated with its `Idempotency-Key` gets the answer of the first one.
    `lane=bulk` lets others go first.
    """
    announced.refuse_parts(request)
    expected, key = announced.content_hash(request), announced.idempotency_key(request)
    sender = Sender(user.user_id, LANES[lane])
    with intake.turns.of(user.user_id):
        return Envelope(data=await intake.receive(request, sender, expected=expected, key=key))


@post("/assets/batch", status_code=200, opt=UPLOAD | announced.MANY | may(NotFound, Conflict, Busy, OverQuota))
async def upload_batch(
    request: Request[Any, Any, Any],
    intake: NamedDependency[Intake],
    user: NamedDependency[User],
    lane: FromQuery[Lane] = "person",
) -> Envelope[BatchResponse]:
    """Send up to 1,000 parts as multipart/form-data: `repository_id` (optional) first, then files.

    A file's part is named by its BLAKE3; a field `modified_at` before it is about this file. Each file is safe on the
    disk before the next one is read, and has a result of its own. When the body breaks, the error says how many files
    before that are safe; files that are sent again answer with the asset that they are, so that a whole batch can be
    repeated.
    """
    announced.refuse_parts(request)
    with intake.turns.of(user.user_id):
        return Envelope(data=await batch.receive(intake, request, Sender(user.user_id, LANES[lane])))


@post("/assets/precheck", status_code=200, opt=UPLOAD)
async def precheck(
    data: JSONBody[PrecheckRequest], conn: NamedDependency[Connection], user: NamedDependency[User]
) -> Envelope[PrecheckResponse]:
    """Which files need not be sent, by their BLAKE3."""
    known = await queries.list_known(conn, [bytes.fromhex(digest) for digest in data.hashes], owner=user.user_id)
    return Envelope(data=PrecheckResponse(known=known))


@get("/assets/uploads", opt=READ)
async def list_uploads(
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    limit: Limit = 20,
    after: Annotated[int | None, QueryParameter(ge=1, le=LARGEST_ID)] = None,
    only: Annotated[Outcome | None, QueryParameter(name="state")] = None,
) -> Envelope[UploadList]:
    """What became of the caller's uploads, newest first; `after` takes the `next` of the page before."""
    found = await queries.list_uploads(conn, owner=user.user_id, before=after, state=only, limit=limit)
    following = found[-1].task_id if len(found) == limit else msgspec.UNSET
    return Envelope(data=UploadList(uploads=found, limit=limit, next=following))


@get("/assets/uploads/{task_id:int}", opt=READ)
async def get_upload(
    conn: NamedDependency[Connection], user: NamedDependency[User], task_id: FromPath[int]
) -> Envelope[UploadState]:
    """What became of one of the caller's uploads."""
    found = await queries.find_upload(conn, task_id, owner=user.user_id) if 0 < task_id < LARGEST_ID else None
    if found is None:
        raise NotFound(f"no upload {task_id}")
    return Envelope(data=found)


SENDING = [upload, upload_batch]
HANDLERS = [precheck, list_uploads, get_upload]
