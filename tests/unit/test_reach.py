"""The errors that a route can end with are found where they are made, however deep that is."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from gateway import announced, cursors
from gateway.errors import Conflict, Invalid, NotFound, Unusable
from gateway.queries.stages import Cursor
from tests.support import reach


def raises(_: str) -> None:
    raise NotFound("no such thing")


def makes(_: str) -> Exception:
    return Conflict("it is there already")


def calls(text: str) -> Cursor:
    return cursors.read(text, Cursor)


def hands_on(text: str) -> object:
    return list(map(announced.hash_of, [text]))


def catches(text: str) -> Cursor | None:
    try:
        return cursors.read(text, Cursor)
    except Invalid:
        return None


def catches_another(text: str) -> Cursor | None:
    try:
        return cursors.read(text, Cursor)
    except NotFound:
        return None


def suppresses(text: str) -> None:
    with suppress(Invalid):
        cursors.read(text, Cursor)


def turns(text: str) -> Cursor:
    try:
        return cursors.read(text, Cursor)
    except Invalid:
        raise Conflict("it is another list's") from None


ENDS: dict[Callable[[str], Any], set[type[Exception]]] = {
    raises: {NotFound},
    makes: {Conflict},
    calls: {Invalid},
    hands_on: {Unusable},
    catches: set(),
    catches_another: {Invalid},
    suppresses: set(),
    turns: {Conflict},
}


@pytest.mark.parametrize("function", ENDS, ids=lambda function: function.__name__)
def test_what_a_function_ends_with_is_found(function: Callable[[str], Any]) -> None:
    """What is caught on the way does not come out."""
    assert reach.errors_of(function).keys() == ENDS[function]
