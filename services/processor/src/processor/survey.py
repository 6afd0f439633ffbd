"""Finds in an XMP sidecar where each property stands that this product writes; all the rest is other people's."""

from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import BinaryIO
from xml.parsers.expat import ExpatError

from msgspec import Struct

from processor import spans
from processor.metadata.names import NAMESPACES
from processor.metadata.packet import LARGEST
from processor.spans import Node
from processor.unreadable import Unreadable

OURS = "urn:lumilio-photos:sidecar:1#"
PREFIXES = {prefix: NAMESPACES[prefix] for prefix in ("rdf", "dc", "xmp", "digiKam", "lr", "exif", "photoshop")}
PREFIXES["lumilio"] = OURS
WRITTEN, REPLACED, CHANGED = "lumilio:Written", "lumilio:Replaced", "xmp:MetadataDate"
PROPERTIES = (
    *("dc:title", "dc:description", "xmp:Rating"),
    *("dc:subject", "digiKam:TagsList", "lr:hierarchicalSubject"),
    *("exif:DateTimeOriginal", "photoshop:DateCreated", "exif:GPSLatitude", "exif:GPSLongitude"),
)
"""What is written for other programs."""

SHORT = {
    f"{{{PREFIXES[name.partition(':')[0]]}}}{name.partition(':')[2]}": name
    for name in (*PROPERTIES, WRITTEN, REPLACED, CHANGED, "rdf:RDF", "rdf:Description", "rdf:about", "rdf:li")
}


class Found(Struct, frozen=True, kw_only=True):
    """A property: where it stands, what it says, and itself as an element that may stand elsewhere."""

    name: str
    start: int
    end: int
    values: list[str]
    element: bytes


class Room(Struct, frozen=True, kw_only=True):
    """Where a description may be added: instead of these bytes, with this before and behind it."""

    start: int
    end: int
    before: bytes
    behind: bytes


class Survey(Struct, frozen=True, kw_only=True):
    """What of a sidecar is ours to change, and a digest of all the rest.

    `blocks` are the descriptions in which nothing else stands; `about` is what all of them are about, in its quotes.
    """

    found: list[Found]
    replaced: list[Found]
    blocks: list[tuple[int, int]]
    room: Room
    about: bytes
    rest: str


def survey(file: BinaryIO) -> Survey:
    """What of a sidecar is ours; `Unreadable`, in words for its owner, when it is nothing that can be kept whole."""
    content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise Unreadable(f"it is larger than {LARGEST >> 20} MB")
    try:
        return of(content)
    except (ExpatError, ValueError, LookupError) as error:
        raise Unreadable(f"it is no XMP: {error}") from None


def of(content: bytes) -> Survey:
    """The survey of a sidecar that is not larger than all may be; raises whatever is wrong with it."""
    roots = [*_roots(spans.parse(content))]
    if len(roots) != 1:
        raise ValueError("it does not describe one thing")
    descriptions = [node for node in roots[0].children if _short(node.name) == "rdf:Description"]
    found = [one for node in descriptions for one in _found(node, content)]
    replaced = [one for node in _children(descriptions, REPLACED) for one in _below(node, content)]
    return Survey(
        found=found,
        replaced=replaced,
        blocks=[(node.start, _line_end(node, content)) for node in descriptions if _is_ours(node)],
        room=_room(roots[0], content),
        about=next(_abouts(descriptions, content), b'""'),
        rest=_digest(roots[0]),
    )


def _roots(node: Node) -> Iterator[Node]:
    if _short(node.name) == "rdf:RDF":
        yield node
    else:
        for child in node.children:
            yield from _roots(child)


def _abouts(descriptions: list[Node], content: bytes) -> Iterator[bytes]:
    """With its quotes, for some programs compare it as it is written."""
    for node in descriptions:
        for attribute in node.attributes:
            if _short(attribute.name) == "rdf:about":
                yield content[attribute.end - len(attribute.raw_value) - 2 : attribute.end]


def _children(nodes: list[Node], name: str) -> Iterator[Node]:
    return (child for node in nodes for child in node.children if _short(child.name) == name)


def _found(node: Node, content: bytes) -> Iterator[Found]:
    """The properties of a description, or of a structure, that are ours: as attributes and as elements."""
    for attribute in node.attributes:
        if (name := _known(attribute.name)) is not None:
            element = spans.as_element(attribute, node.scope)
            values = [attribute.value]
            yield Found(name=name, start=attribute.start, end=attribute.end, values=values, element=element)
    for child in node.children:
        if (name := _known(child.name)) is not None:
            element = spans.movable(child, content)
            yield Found(name=name, start=child.start, end=child.end, values=_values(child), element=element)


def _below(node: Node, content: bytes) -> Iterator[Found]:
    """The properties in a structure, which may be written with a description of its own inside."""
    for inner in (node, *_children([node], "rdf:Description")):
        yield from _found(inner, content)


def _values(node: Node) -> list[str]:
    items = [child.text for child in _all(node) if _short(child.name) == "rdf:li"]
    return items or [text for text in [node.text] if text]


def _all(node: Node) -> Iterator[Node]:
    for child in node.children:
        yield child
        yield from _all(child)


def _is_ours(node: Node) -> bool:
    """Whether nothing stands in a description but what is ours."""
    names = [*(attribute.name for attribute in node.attributes), *(child.name for child in node.children)]
    return not "".join(node.words).strip() and all(_known(name) or _short(name) == "rdf:about" for name in names)


def _line_end(node: Node, content: bytes) -> int:
    return node.end + (content[node.end : node.end + 1] == b"\n")


def _room(root: Node, content: bytes) -> Room:
    name, attributes, empty = root.tag.groups()
    if empty:
        opening, closing = b"<" + name + attributes + b">", b"</" + name + b">"
        return Room(start=root.start, end=root.end, before=opening, behind=closing)
    at = content.rindex(b"</", root.start, root.end)
    return Room(start=at, end=at, before=b"", behind=b"")


def _digest(root: Node) -> str:
    """Of all that others wrote, in its order, whatever prefixes and spaces it is written with."""
    digest = blake2b(digest_size=16)
    for node in root.children:
        if _short(node.name) != "rdf:Description":
            _take_in(digest.update, node)
            continue
        for attribute in node.attributes:
            if _known(attribute.name) is None and _short(attribute.name) != "rdf:about":
                digest.update(f"{attribute.name}={attribute.value}\0".encode())
        for child in node.children:
            if _known(child.name) is None:
                _take_in(digest.update, child)
    return digest.hexdigest()


def _take_in(update: Callable[[bytes], object], node: Node) -> None:
    update(f"<{node.name}\0".encode())
    for attribute in sorted(node.attributes, key=lambda one: one.name):
        update(f"{attribute.name}={attribute.value}\0".encode())
    update("".join(node.words).encode() + b"\0")
    for child in node.children:
        _take_in(update, child)
    update(b">\0")


def _known(name: str) -> str | None:
    short = SHORT.get(name)
    return None if short is None or short.startswith("rdf:") else short


def _short(name: str) -> str | None:
    return SHORT.get(name)
