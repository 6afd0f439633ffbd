import pytest

from common import sniff

STRANGERS = {
    "empty": b"",
    "svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    "html": b"<!doctype html><script>alert(1)</script>",
    "elf": b"\x7fELF\x02\x01\x01",
    "zip": b"PK\x03\x04",
    "pdf then jpeg": b"%PDF-1.7\n\xff\xd8\xff\xe0",
    "playlist": b"#EXTM3U\nfile:///etc/passwd",
    "ffconcat": b"ffconcat version 1.0\nfile /etc/passwd",
    "vips": b"\xb6\xa6\xf2\x08",
    "half a signature": b"\xff\xd8",
    "jpeg behind a space": b" \xff\xd8\xff",
}


@pytest.mark.parametrize("head", STRANGERS.values(), ids=STRANGERS)
def test_strangers_are_not_recognised(head: bytes) -> None:
    """Only the first bytes speak, and only for the families on our list."""
    assert sniff.sniff(head) is None


def test_what_follows_does_not_matter() -> None:
    """A picture with a page or an archive behind it is what it starts as, and is decoded as nothing else."""
    assert sniff.sniff(b"\xff\xd8\xff\xe0 <html> PK\x03\x04") == sniff.JPEG
    assert sniff.sniff(b"\x89PNG\r\n\x1a\n<script>") == sniff.PNG
