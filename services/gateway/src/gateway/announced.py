"""What a client says of its files before they arrive: whose they are, how urgent, their hash, a key for repeating."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request
from msgspec import Meta

from gateway.declared import Form, Header, takes
from gateway.errors import Invalid, Unusable

HASH_DIGITS = 64
LONGEST_KEY = 255
Lane = Literal["person", "bulk"]
LANES: dict[Lane, int] = {"person": 0, "bulk": 1}
MODIFIED = "modified_at"
HEX = {"type": "string", "pattern": "^[0-9a-fA-F]{64}$"}
FILE: dict[str, Any] = {"type": "string", "format": "binary", "description": "The file; its name is kept."}
FIELDS: dict[str, dict[str, Any]] = {
    "repository_id": {"type": "string", "format": "uuid", "description": "Where it goes, before the file."},
    MODIFIED: {"type": "string", "description": "When the file was changed last, before the file."},
}
PRINTABLE = {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[ -~]*$"}
KEY = Header("Idempotency-Key", "A name for this request: who repeats it gets the answer of the first one.", PRINTABLE)
ONE = takes(
    Form({**FIELDS, "file": FILE}, required=("file",)),
    Header("X-Content-Hash", "The BLAKE3 of the file, which the server then compares.", HEX),
    KEY,
)
MANY = takes(Form(FIELDS, others=FILE))
SECONDS = re.compile(r"(-?)(\d{1,11})(?:\.(\d{1,9}))?", re.ASCII)
START = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Sender:
    """Whose files these are, and whether that person waits for them (lane 0) or not."""

    owner: int
    lane: int = 0


def content_hash(request: Request[Any, Any, Any]) -> bytes | None:
    """The BLAKE3 that a client sends in `X-Content-Hash`, if it does."""
    digest = _only(request, "X-Content-Hash")
    try:
        return None if digest is None else hash_of(digest)
    except Unusable:
        raise Invalid("X-Content-Hash is one BLAKE3 hash of 64 hexadecimal digits") from None


def hash_of(text: str) -> bytes:
    """The BLAKE3 that a part of a batch is named by."""
    try:
        if len(text) == HASH_DIGITS:
            return bytes.fromhex(text)
    except ValueError:
        pass
    raise Unusable("the name of a part must be the BLAKE3 of its file, 64 hexadecimal digits")


def modified_at(written: str | None) -> int | None:
    """When a client's file was changed last, in nanoseconds since 1970: seconds as a number, or a time of RFC 3339."""
    if written is None:
        return None
    if found := SECONDS.fullmatch(written):
        nanoseconds = int(found[2] + (found[3] or "").ljust(9, "0"))
        return -nanoseconds if found[1] else nanoseconds
    try:
        moment: datetime = msgspec.convert(written, Annotated[datetime, Meta(tz=True)])
    except msgspec.ValidationError:
        raise Unusable(f"`{MODIFIED}` is seconds since 1970, or a time like 2024-05-17T18:03:11+02:00") from None
    return (moment - START) // timedelta(microseconds=1) * 1000


def idempotency_key(request: Request[Any, Any, Any]) -> str | None:
    """What a client calls this upload, so that repeating it has no second effect."""
    key = _only(request, "Idempotency-Key")
    if key is not None and not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise Invalid(f"Idempotency-Key has 1 to {LONGEST_KEY} printable ASCII characters")
    return key


def refuse_parts(request: Request[Any, Any, Any]) -> None:
    """Part of a file must not be taken for all of it."""
    if "content-range" in request.headers:
        raise Invalid("uploads cannot be resumed: send the whole file without Content-Range")


def _only(request: Request[Any, Any, Any], name: str) -> str | None:
    values: list[str] = request.headers.getall(name.lower(), [])
    if len(values) > 1:
        raise Invalid(f"{name} stands in the request more than once")
    return values[0] if values else None
