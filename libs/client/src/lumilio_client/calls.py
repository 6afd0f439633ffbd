"""What can be asked of a server, as values: how to ask, and what the answer is."""

from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")
Page = TypeVar("Page")
Item = TypeVar("Item")
HARMLESS = {"GET", "HEAD"}
KEY = "Idempotency-Key"


@dataclass(frozen=True)
class Call(Generic[T]):
    """A request whose answer is a T."""

    method: str
    path: str
    answer: Any
    query: dict[str, Any] = field(default_factory=dict)
    body: Any = msgspec.UNSET
    headers: dict[str, str | None] = field(default_factory=dict)

    @property
    def is_harmless(self) -> bool:
        """Whether asking twice is like asking once."""
        return self.method in HARMLESS or self.headers.get(KEY) is not None

    @property
    def parameters(self) -> dict[str, Any]:
        """What is said in the query, as it is written there."""
        return {name: _written(value) for name, value in self.query.items() if value is not None}

    @property
    def content(self) -> bytes | None:
        """The body that is sent, if there is one."""
        return None if self.body is msgspec.UNSET else msgspec.json.encode(self.body)


@dataclass(frozen=True)
class Listing(Call[Page], Generic[Page, Item]):
    """A request that is answered page by page; `field` of a page holds its items."""

    field: str = ""

    def items(self, page: Page) -> list[Item]:
        """What a page holds."""
        found: list[Item] = getattr(page, self.field)
        return found

    def following(self, page: Page) -> "Listing[Page, Item] | None":
        """How to ask for the page that follows; None after the last one."""
        after = getattr(page, "next", None)
        if after is None or after is msgspec.UNSET:
            return None
        if self.body is msgspec.UNSET:
            return replace(self, query={**self.query, "after": after})
        return replace(self, body=msgspec.structs.replace(self.body, after=after))


@dataclass(frozen=True)
class File(Call[bytes]):
    """A request that is answered with the bytes of a file."""


def _written(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_written(one) for one in value]
    plain = msgspec.to_builtins(value)
    return str(plain).lower() if isinstance(plain, bool) else plain
