"""What a file is by its first bytes; names and declared types decide nothing."""

from typing import NamedTuple

from common.messages import Kind

HEAD_BYTES = 4096


class Format(NamedTuple):
    """A family that we know: its kind, its MIME type and the extension we give it."""

    kind: Kind
    mime_type: str
    extension: str


JPEG = Format("photo", "image/jpeg", ".jpg")
PNG = Format("photo", "image/png", ".png")

_SIGNATURES: tuple[tuple[bytes, Format], ...] = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
)


def sniff(head: bytes) -> Format | None:
    """The format of a file that starts with `head`, or None when we do not know it."""
    return next((known for signature, known in _SIGNATURES if head.startswith(signature)), None)
