"""Writes what people and their programs write about photos: XMP packets, IPTC records, Picasa's files."""

import struct
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import quoteattr

from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from processor.metadata.names import NAMESPACES
from tests.support import media

DECLARED = " ".join(f'xmlns:{prefix}="{namespace}"' for prefix, namespace in NAMESPACES.items() if prefix != "xml")


def packet(*bodies: str, **attributes: str) -> bytes:
    """A packet with these elements, each body in its own description, and these properties as attributes of another."""
    written = " ".join(f"{name.replace('__', ':')}={quoteattr(value)}" for name, value in attributes.items())
    descriptions = "".join(f'<rdf:Description rdf:about="">{body}</rdf:Description>' for body in bodies)
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        f"<x:xmpmeta {DECLARED}><rdf:RDF><rdf:Description {written}/>{descriptions}</rdf:RDF></x:xmpmeta>\n"
        '<?xpacket end="w"?>'
    ).encode()


def bag(name: str, *items: str, kind: str = "Bag") -> str:
    """A property that has several values."""
    listed = "".join(f"<rdf:li>{item}</rdf:li>" for item in items)
    return f"<{name}><rdf:{kind}>{listed}</rdf:{kind}></{name}>"


def translated(name: str, **languages: str) -> str:
    """A property in several languages, `default` being meant for everybody."""
    listed = "".join(
        f'<rdf:li xml:lang="{language.replace("default", "x-default")}">{text}</rdf:li>'
        for language, text in languages.items()
    )
    return f"<{name}><rdf:Alt>{listed}</rdf:Alt></{name}>"


def regions(*faces: str, size: tuple[int, int] = (400, 300)) -> str:
    """Regions of the Metadata Working Group."""
    return (
        '<mwg-rs:Regions rdf:parseType="Resource">'
        f'<mwg-rs:AppliedToDimensions stDim:w="{size[0]}" stDim:h="{size[1]}" stDim:unit="pixel"/>'
        f"<mwg-rs:RegionList><rdf:Bag>{''.join(faces)}</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"
    )


def region(
    name: str, x: float, y: float, width: float, height: float, *, kind: str = "Face", unit: str = "normalized"
) -> str:
    """One region, by its centre."""
    return (
        f'<rdf:li><rdf:Description mwg-rs:Name="{name}" mwg-rs:Type="{kind}">'
        f'<mwg-rs:Area stArea:x="{x}" stArea:y="{y}" stArea:w="{width}" stArea:h="{height}" stArea:unit="{unit}"/>'
        "</rdf:Description></rdf:li>"
    )


def records(values: Mapping[tuple[int, int], bytes | list[bytes]]) -> bytes:
    """IPTC's records as they are."""
    written = b""
    for (record, number), value in values.items():
        for one in value if isinstance(value, list) else [value]:
            written += bytes([0x1C, record, number]) + len(one).to_bytes(2, "big") + one
    return written


def in_photoshop(block: bytes) -> bytes:
    """The records among the other things that Photoshop writes."""
    other = b"8BIM\x04\x25\x03abc" + (3).to_bytes(4, "big") + b"xyz\0"
    return b"Photoshop 3.0\0" + other + b"8BIM\x04\x04\0\0" + len(block).to_bytes(4, "big") + block


def photo(path: Path, *, exif: bytes = b"", xmp: bytes = b"", iptc: bytes = b"") -> Path:
    """A JPEG with these blocks."""
    media.quadrants().save(path, exif=exif)
    plain = path.read_bytes()
    blocks = [(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp)] if xmp else []
    blocks += [(0xED, in_photoshop(iptc))] if iptc else []
    written = b"".join(struct.pack(">BBH", 0xFF, kind, 2 + len(block)) + block for kind, block in blocks)
    end_of_first = 4 + int.from_bytes(plain[4:6], "big")
    path.write_bytes(plain[:end_of_first] + written + plain[end_of_first:])
    return path


def picture(path: Path, xmp: bytes, iptc: bytes = b"") -> Path:
    """A picture of the suffix's format with an XMP packet, and with IPTC where a TIFF can have it."""
    if path.suffix == ".png":
        texts = PngInfo()
        texts.add_itxt("XML:com.adobe.xmp", xmp.decode())
        media.quadrants().save(path, pnginfo=texts)
    elif path.suffix == ".tiff":
        tags = ImageFileDirectory_v2()
        tags.tagtype |= {700: 1, 33723: 7}
        tags[700], tags[33723] = xmp, iptc
        media.quadrants().save(path, tiffinfo=tags)
    else:
        media.quadrants().save(path, xmp=xmp)
    return path
