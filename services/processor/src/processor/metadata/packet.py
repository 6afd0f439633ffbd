"""Reads an XMP packet, whoever wrote it: XML without a DTD or entities, and with an end to all of it."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Union

from defusedxml.ElementTree import DefusedXMLParser

from processor.metadata.names import known

LARGEST = 1 << 22
"""Bytes; masks that were found by a program make a sidecar long."""
DEEPEST = 40
MOST = 30_000
"""Elements and attributes together; a packet with many brush strokes has some thousands."""
ARRAYS = {"rdf:Bag", "rdf:Seq", "rdf:Alt"}
PADDING = " \t\r\n\0\ufeff"

Value = Union[str, list["Value"], dict[str, "Value"]]  # noqa: UP007 - the name of what is not yet there cannot be or-ed
Properties = dict[str, Value]


@dataclass(slots=True)
class Node:
    """An element, its names already those that we call them by."""

    name: str
    attributes: dict[str, str]
    children: list["Node"] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


class Tree:
    """Takes the elements as the parser meets them, and stops it where no honest packet goes."""

    def __init__(self) -> None:
        self.path = [Node("", {})]
        self.count = 0
        self.known = functools.cache(known)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.count += 1 + len(attributes)
        if self.count > MOST or len(self.path) > DEEPEST:
            raise ValueError("it is too deep or has too many elements")
        node = Node(self.known(name), {self.known(key): value for key, value in attributes.items()})
        self.path[-1].children.append(node)
        self.path.append(node)

    def end(self, _name: str) -> None:
        self.path.pop()

    def data(self, text: str) -> None:
        self.path[-1].texts.append(text)

    def close(self) -> Node:
        return self.path[0]


def read(packet: bytes) -> Properties:
    """The properties of a packet by their names, `dc:title`; raises whatever a parser may raise."""
    if len(packet) > LARGEST:
        raise ValueError("it is larger than 4 MB")
    parser = DefusedXMLParser(target=Tree(), forbid_dtd=True)
    parser.feed(_decoded(packet))
    found: Properties = {}
    for description in _descriptions(parser.close()):
        for name, value in _properties(description).items():
            found[name] = found.get(name) or value
    return found


def texts(value: Value | None) -> Iterator[str]:
    """The words of a value: its own, those of its items, or none."""
    if isinstance(value, str):
        if value.strip():
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def items(value: Value | None) -> Iterator[Properties]:
    """The structures of a list of them."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            yield item


def inner(value: Value | None, name: str) -> Value | None:
    """A field of a structure."""
    return value.get(name) if isinstance(value, dict) else None


def _decoded(packet: bytes) -> str:
    """The text of a packet, whose declaration of an encoding may be wrong but its first bytes are not."""
    if packet[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = packet.decode("utf-16", "replace")
    elif packet[:1] == b"\0" or packet[1:2] == b"\0":
        mark = b"\xfe\xff" if packet[:1] == b"\0" else b"\xff\xfe"
        text = (mark + packet).decode("utf-16", "replace")
    else:
        text = packet.decode("utf-8", "replace")
    return text.strip(PADDING)


def _descriptions(node: Node) -> Iterator[Node]:
    for child in node.children:
        if node.name == "rdf:RDF":
            yield child
        else:
            yield from _descriptions(child)


def _properties(node: Node) -> Properties:
    """Those of a description, or the fields of a structure."""
    written: Properties = {name: value for name, value in node.attributes.items() if _is_property(name)}
    return written | {child.name: _value(child) for child in node.children}


def _is_property(name: str) -> bool:
    return name == "rdf:value" or (":" in name and not name.startswith(("rdf:", "xml:")))


def _value(node: Node) -> Value:
    if "rdf:resource" in node.attributes:
        return node.attributes["rdf:resource"]
    for child in node.children:
        if child.name in ARRAYS:
            return [_value(item) for item in sorted(child.children, key=_is_translation)]
        if child.name == "rdf:Description":
            return _unqualified(_properties(child))
    fields = _properties(node)
    return _unqualified(fields) if fields else "".join(node.texts)


def _is_translation(item: Node) -> bool:
    """Whether there may be an item meant for everybody, to be taken first."""
    return item.attributes.get("xml:lang", "").lower() != "x-default"


def _unqualified(fields: Properties) -> Value:
    return fields.get("rdf:value", fields)
