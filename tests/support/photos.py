"""Photos as the bytes that a client sends."""

from io import BytesIO

from tests.support import media


def jpeg(width: int, height: int, *, seed: int = 0, exif: bytes = b"", grain: int = 20) -> bytes:
    """A JPEG that no other seed gives; more grain makes more bytes."""
    buffer = BytesIO()
    media.noise(width, height, seed, grain=grain).save(buffer, "JPEG", quality=90, exif=exif)
    return buffer.getvalue()
