"""What a server is asked first of all, to learn of which model its vectors are."""

import struct
import zlib

from ml_dispatcher.tasks import Task


def _picture(edge: int) -> bytes:
    """A grey square as PNG."""
    rows = zlib.compress((b"\0" + b"\x80" * edge) * edge)
    chunks = (b"IHDR" + struct.pack(">IIBBBBB", edge, edge, 8, 0, 0, 0, 0), b"IDAT" + rows, b"IEND")
    framed = (struct.pack(">I", len(one) - 4) + one + struct.pack(">I", zlib.crc32(one)) for one in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


SAMPLES = {Task.EMBED_IMAGE: (_picture(64), "image/png"), Task.EMBED_TEXT: (b"a photo", "text/plain")}
