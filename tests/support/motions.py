"""Makes pictures that move: motion photos of each maker, and the halves of Live Photos."""

import struct
from io import BytesIO

from PIL.ExifTags import Base

from tests.support import clips, media, photos
from tests.support.boxes import box

APPLE = b"Apple iOS\0\0\1MM"
SEF = "<HHII"
CAMERA = 'xmlns:GCamera="http://ns.google.com/photos/1.0/camera/"'
CONTAINER = (
    'xmlns:Container="http://ns.google.com/photos/1.0/container/" '
    'xmlns:Item="http://ns.google.com/photos/1.0/container/item/"'
)


def packet(namespaces: str, attributes: str, inside: str = "") -> bytes:
    """An XMP packet that says this."""
    rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{rdf}"><rdf:Description rdf:about="" {namespaces} '
        f"{attributes}>{inside}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def google_1(video: bytes) -> bytes:
    """As Google's cameras wrote it first: how far from the end the video starts."""
    says = f'GCamera:MicroVideo="1" GCamera:MicroVideoOffset="{len(video)}"'
    return still(packet(CAMERA, says)) + video


def google_2(video: bytes) -> bytes:
    """As Google's cameras write it now: a list of what the file is put together from."""
    items = "".join(
        f'<rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="{mime}" Item:Semantic="{name}" '
        f'Item:Length="{length}" Item:Padding="0"/></rdf:li>'
        for mime, name, length in (("image/jpeg", "Primary", 0), ("video/mp4", "MotionPhoto", len(video)))
    )
    listed = f"<Container:Directory><rdf:Seq>{items}</rdf:Seq></Container:Directory>"
    return still(packet(f"{CAMERA} {CONTAINER}", 'GCamera:MotionPhoto="1"', listed)) + video


def samsung(video: bytes) -> bytes:
    """As Samsung's cameras write it: blocks behind the picture, and a directory of them at the end."""
    date = struct.pack("<HHI", 0, 0x0A01, 14) + b"Image_UTC_Data1705124333853"
    moving = struct.pack("<HHI", 0, 0x0A30, 16) + b"MotionPhoto_Data" + video
    entries = struct.pack(SEF, 0, 0x0A30, len(moving) + len(date), len(moving))
    entries += struct.pack(SEF, 0, 0x0A01, len(date), len(date))
    directory = b"SEFH" + struct.pack("<II", 107, 2) + entries
    return still() + moving + date + directory + struct.pack("<I", len(directory)) + b"SEFT"


def in_heif(picture: bytes, video: bytes) -> bytes:
    """As in HEIC and AVIF: in a box of its own, here with another one behind it."""
    return picture + box(b"mpvd", video) + box(b"sefd", b"SEFT")


def still(xmp: bytes = b"") -> bytes:
    """A picture that says this."""
    plain, block = media.encoded(".jpg"), b"http://ns.adobe.com/xap/1.0/\0" + xmp
    return plain[:2] + struct.pack(">HH", 0xFFE1, 2 + len(block)) + block + plain[2:] if xmp else plain


def live_still(identifier: str, *, seed: int = 0) -> bytes:
    """The picture of a Live Photo as an iPhone's JPEG; the identifier is longer than four letters."""
    value = identifier.encode() + b"\0"
    note = APPLE + struct.pack(">HHHIII", 1, 0x11, 2, len(value), 32, 0) + value
    return photos.jpeg(80, 60, seed=seed, exif=media.exif({Base.Make: "Apple"}, {Base.MakerNote: note}))


def live_video(identifier: str, *, frames: int = 30) -> bytes:
    """The video of a Live Photo."""
    return clips.clip(tags={"com.apple.quicktime.content.identifier": identifier}, frames=frames)


def avif() -> bytes:
    """A small picture in a container of boxes."""
    buffer = BytesIO()
    media.quadrants(64, 48).save(buffer, "AVIF")
    return buffer.getvalue()
