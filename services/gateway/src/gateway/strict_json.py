"""Reads JSON that no two readers could read differently: no name twice, no half letters, no endless numbers."""

import json
import math
from typing import Any, NoReturn

import litestar
from litestar.exceptions import InternalServerException

from gateway.errors import Invalid

DEEPEST = 32


class Request(litestar.Request[Any, Any, Any]):
    """A request whose body is read strictly where it is JSON."""

    _read: tuple[Any] | None = None

    async def body(self) -> bytes:
        """All of the body; Invalid where the client left before its end."""
        try:
            return await super().body()
        except InternalServerException:
            raise Invalid("the connection ended in the middle of the body") from None

    async def json(self) -> Any:
        """What the body says; Invalid where that is not certain."""
        if self._read is None:
            self._read = (decode(await self.body()),)
        return self._read[0]


def decode(body: bytes) -> Any:
    """What a body says; none says nothing."""
    try:
        found = json.loads(
            body.decode() or "null", object_pairs_hook=_object, parse_float=_number, parse_constant=_constant
        )
        _check(found, DEEPEST)
    except UnicodeDecodeError:
        raise Invalid("the body is not UTF-8") from None
    except UnicodeEncodeError:
        raise Invalid("a text in the body has half a letter") from None
    except RecursionError:
        raise Invalid(f"the body is nested more than {DEEPEST} deep") from None
    except ValueError as error:
        raise Invalid(f"the body is not JSON: {error}") from None
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Invalid("an object in the body has a name twice")
    return found


def _number(text: str) -> float:
    found = float(text)
    if math.isinf(found):
        raise Invalid("a number in the body is too large")
    return found


def _constant(_: str) -> NoReturn:
    raise Invalid("a number in the body is none")


def _check(found: Any, levels: int) -> None:
    """Every text has whole letters, and nothing lies too deep."""
    if isinstance(found, str):
        found.encode()
    elif isinstance(found, dict | list):
        if levels == 0:
            raise RecursionError
        for one in [*found, *found.values()] if isinstance(found, dict) else found:
            _check(one, levels - 1)
