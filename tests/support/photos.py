"""Photos as the bytes that a client sends."""

from io import BytesIO

from tests.support import media


def jpeg(width: int, height: int, *, seed: int = 0, exif: bytes = b"") -> bytes:
    """A JPEG that no other seed gives."""
    buffer = BytesIO()
    media.noise(width, height, seed).save(buffer, "JPEG", quality=90, exif=exif)
    return buffer.getvalue()
