"""Reads XML so that every element knows the bytes that it is made of; for changing some of it and nothing else."""

import re
from dataclasses import dataclass, field
from xml.parsers import expat

DEEPEST = 60
MOST = 60_000
TAG = re.compile(rb"""<([^\s/>]+)((?:\s+[^\s=]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(/?)>""")
ATTRIBUTE = re.compile(rb"""\s+([^\s=]+)\s*=\s*("[^"]*"|'[^']*')""")
Scope = dict[str, str]


@dataclass(slots=True)
class Attribute:
    """An attribute that is no declaration of a namespace, the bytes it is made of, and its value as written."""

    name: str
    raw_name: bytes
    raw_value: bytes
    value: str
    start: int
    end: int


@dataclass(slots=True)
class Node:
    """An element by its whole name, `{namespace}name`; `tag` are its start tag's name, attributes and `/`."""

    name: str
    tag: re.Match[bytes]
    scope: Scope
    attributes: list[Attribute]
    end: int = 0
    children: list["Node"] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    """Its text, and its comments behind a `!`."""

    @property
    def start(self) -> int:
        """Where its first byte is."""
        return self.tag.start()

    @property
    def is_empty(self) -> bool:
        """Whether it has no end tag."""
        return bool(self.tag[3])

    @property
    def text(self) -> str:
        """What stands in it."""
        return "".join(word for word in self.words if not word.startswith("!")).strip()


def parse(content: bytes) -> Node:
    """The outermost element; ValueError or ExpatError, in words, where no honest file goes."""
    builder = _Builder(content)
    builder.parser.Parse(content, True)  # it takes no name: this is all
    return builder.top.children[0]


class _Builder:
    def __init__(self, content: bytes) -> None:
        self.content = content
        start = re.match(rb"", b"")
        assert start is not None  # noqa: S101  # nothing matches nothing
        self.top = Node("", start, {}, [])
        self.path = [self.top]
        self.count = 0
        self.parser = expat.ParserCreate()
        self.parser.XmlDeclHandler = self.declaration
        self.parser.StartDoctypeDeclHandler = self.document_type
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.words
        self.parser.CommentHandler = lambda comment: self.words("!" + comment)

    def declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if (encoding or "utf-8").lower() != "utf-8":
            raise ValueError("it is not in UTF-8")

    def document_type(self, *_: object) -> None:
        raise ValueError("it declares a document type")

    def start(self, raw: str, attributes: dict[str, str]) -> None:
        self.count += 1 + len(attributes)
        if self.count > MOST or len(self.path) > DEEPEST:
            raise ValueError("it is too deep or has too many elements")
        tag = TAG.match(self.content, self.parser.CurrentByteIndex)
        if tag is None:
            raise ValueError("it is not in UTF-8")
        scope = self.path[-1].scope | {
            name[6:]: uri for name, uri in attributes.items() if name == "xmlns" or name.startswith("xmlns:")
        }
        node = Node(whole(raw, scope), tag, scope, [*_attributes(tag, attributes, scope)])
        self.path[-1].children.append(node)
        self.path.append(node)

    def end(self, _: str) -> None:
        node = self.path.pop()
        at = self.parser.CurrentByteIndex
        node.end = node.tag.end() if node.is_empty else self.content.index(b">", at) + 1

    def words(self, text: str) -> None:
        self.path[-1].words.append(text)


def _attributes(tag: re.Match[bytes], values: dict[str, str], scope: Scope) -> list[Attribute]:
    found = []
    for match in ATTRIBUTE.finditer(tag.string, tag.start(2), tag.end(2)):
        raw = match[1].decode()
        if raw != "xmlns" and not raw.startswith("xmlns:"):
            name = whole(raw, scope) if ":" in raw else raw
            found.append(Attribute(name, match[1], match[2][1:-1], values[raw], match.start(), match.end()))
    return found


def whole(raw: str, scope: Scope) -> str:
    """A name with its namespace instead of its prefix."""
    prefix, _, local = raw.rpartition(":")
    if prefix == "xml":
        return raw
    if prefix and prefix not in scope:
        raise ValueError(f"nothing says what {prefix} means")
    return f"{{{scope[prefix]}}}{local}" if scope.get(prefix) else local


def movable(node: Node, content: bytes) -> bytes:
    """An element as it may stand anywhere: it declares itself what prefixes occur in it."""
    head = node.tag.end(1)
    own = {match[1] for match in ATTRIBUTE.finditer(node.tag[2])}
    raw = content[node.start : node.end]
    scope = {prefix: uri for prefix, uri in node.scope.items() if not prefix or prefix.encode() + b":" in raw}
    return content[node.start : head] + _declared(scope, own) + content[head : node.end]


def as_element(attribute: Attribute, scope: Scope) -> bytes:
    """An attribute as an element that may stand anywhere."""
    name = attribute.raw_name
    prefix = name.decode().partition(":")[0]
    value = attribute.raw_value.replace(b">", b"&gt;")
    return b"".join((b"<", name, _declared({prefix: scope[prefix]}, set()), b">", value, b"</", name, b">"))


def _declared(scope: Scope, own: set[bytes]) -> bytes:
    names = {(f"xmlns:{prefix}" if prefix else "xmlns").encode(): uri for prefix, uri in scope.items()}
    return b"".join(b" %s=%s" % (name, quoted(uri)) for name, uri in names.items() if name not in own)


def quoted(text: str) -> bytes:
    """Text as the value of an attribute."""
    return b'"' + escaped(text) + b'"'


def escaped(text: str) -> bytes:
    """Text as it may stand in an element or between quotes."""
    for letter, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(letter, entity)
    return text.encode()
