"""Takes many files in one body, one after the other: each is safe before the next is read, and none hurts another."""

from contextlib import aclosing
from typing import Any

import msgspec
from litestar import Request
from litestar.exceptions import ClientException
from multipart import MultipartSegment

from common.names import display_name
from gateway import announced, errors, form
from gateway.announced import HASH_DIGITS, MODIFIED, Sender
from gateway.errors import Invalid, Stalled, TooLarge
from gateway.form import Pieces
from gateway.upload_schemas import BatchResponse, BatchUploadResult
from gateway.uploads import Intake

MOST_PARTS = 1000
REPOSITORY = "repository_id"

# The body itself cannot be read on, whichever file it was that it broke in.
BROKEN = (Invalid, Stalled, ClientException)


async def receive(intake: Intake, request: Request[Any, Any, Any], sender: Sender) -> BatchResponse:
    """Take every file of a multipart body; when it breaks, what came before is safe and the error says so."""
    results: dict[str, BatchUploadResult] = {}
    try:
        async with aclosing(form.read(request, most=MOST_PARTS)) as pieces:
            await _take_all(intake, pieces, sender, length=intake.announced(request), results=results)
    except (*BROKEN, TooLarge) as error:
        if safe := sum(result.success for result in results.values()):
            told = f"{errors.explain(error)}; {safe} files before that are safe: send the others again"
            raise type(error)(told) from None
        raise
    return BatchResponse(results=list(results.values()))


async def _take_all(
    intake: Intake, pieces: Pieces, sender: Sender, *, length: int, results: dict[str, BatchUploadResult]
) -> None:
    fields: dict[str, str] = {}
    head = await form.next_file(pieces, fields, is_file=_is_file)
    if head is None:
        raise Invalid("the body has no file: name each part by the BLAKE3 of its file")
    wanted = fields.get(REPOSITORY)
    await intake.open(wanted, length=length)
    while head is not None:
        modified = fields.pop(MODIFIED, None)  # of the next file only
        if head.name not in results:  # of several files with one name, the first one counts
            results[str(head.name)] = await _take(intake, pieces, sender, head, wanted, modified)
        head = await form.next_file(pieces, fields, is_file=_is_file)
        if fields.get(REPOSITORY) != wanted:
            raise Invalid(f"send `{REPOSITORY}` before the files")


async def _take(
    intake: Intake, pieces: Pieces, sender: Sender, head: MultipartSegment, wanted: str | None, modified: str | None
) -> BatchUploadResult:
    """What became of one file; whatever is wrong with it, or with the disk while it arrives, is its result."""
    name = display_name(head.filename)
    try:
        expected, modified_ns = announced.hash_of(head.name), announced.modified_at(modified)
        target = await intake.open(wanted)
        chunks = form.content(pieces)
        answer = await intake.take(chunks, target, sender, name=name, expected=expected, modified_ns=modified_ns)
    except BROKEN:
        raise
    except Exception as error:  # noqa: BLE001  # one file must not hurt its neighbours, whatever it does to us
        return BatchUploadResult(success=False, file_name=name, content_hash=head.name, error=errors.explain(error))
    return BatchUploadResult(success=True, **msgspec.structs.asdict(answer))


def _is_file(head: MultipartSegment) -> bool:
    return head.filename is not None or len(head.name) == HASH_DIGITS
