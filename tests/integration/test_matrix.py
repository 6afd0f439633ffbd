"""Everybody asks every route: each hears what the route's policy says, and nobody learns what is not theirs."""

import dataclasses
from collections.abc import AsyncIterator

import pytest

from common.db import Pool
from tests.support import matrix, worlds
from tests.support.gateway import serving
from tests.support.given import Repository
from tests.support.matrix import MEMBERS, Route, Who
from tests.support.worlds import World

BROKEN = (b"", b"{", b"[]", b"null", b'{"odd": 1}', b"\xff\xfe", b"[" * 100_000, b'"' + b"x" * 900_000 + b'"')
JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def world(pool: Pool, repository: Repository) -> AsyncIterator[World]:
    """A gateway, its people, and what they have."""
    async with serving(pool) as api:
        yield await worlds.create(api, pool, repository)


@pytest.fixture(scope="module")
def routes() -> list[Route]:
    """Every route of the app."""
    return matrix.routes()


async def test_for_strangers_there_is_nothing(world: World, routes: list[Route]) -> None:
    """Who is not signed in hears so, and for everybody else a foreign thing is one that there is not: the same 404.

    No answer tells a name, a word or a hash, and nothing of the owner's has changed when all have asked for all.
    """
    before = await world.kept()
    wrong: list[str] = []

    for route in routes:
        for who in route.strangers:
            heard = await world.hear(route, who, world.private)
            wrong += matrix.complaints(route, who, heard)
            wrong += [f"{route} tells {who} of a {word}: {heard.text[:300]}" for word in world.leaks(heard.text)]

    assert not wrong, "\n".join(wrong)
    assert await world.kept() == before


async def test_members_of_an_album_see_what_is_in_it(world: World, routes: list[Route]) -> None:
    """A viewer only looks, an editor changes the album and no asset, and what is not in it does not exist for them."""
    wrong: list[str] = []

    for route in routes:
        for who in MEMBERS if route.is_of_somebody or route.is_reading else ():
            heard = await world.hear(route, who, world.private)
            wrong += matrix.complaints(route, who, heard)
            wrong += [f"{route} tells {who} of a {word}: {heard.text[:300]}" for word in world.leaks(heard.text)]
            if route.is_of_somebody:
                wrong += matrix.complaints(route, who, await world.hear(route, who, world.shared), is_shared=True)

    assert not wrong, "\n".join(wrong)


async def test_visitors_of_a_link_see_its_album_and_nothing_else(world: World, routes: list[Route]) -> None:
    """As long as the link lasts and they said its password; what is not in the album does not exist for them."""
    opened = [route for route in routes if route.policy.name == "shared"]
    assert opened

    for route in opened:
        for link, expected in matrix.LINKS.items():
            link_of = {"token": world.links[link]}
            status, text = await world.ask(route, "anonymous", world.shared | link_of)
            other_status, other_text = await world.ask(route, "anonymous", world.private | link_of)
            assert status == expected, f"{route} answers {status} for a link that is {link}: {text[:200]}"
            assert other_status == (404 if "asset_id" in route.about and link == "live" else expected), route
            assert not world.leaks(text + other_text), f"{route} tells visitors {text}"


async def test_the_owner_and_the_administrator_are_let_through(world: World, routes: list[Route]) -> None:
    """What one may do is no matter of luck; a key reads and no more. What ends things is asked last."""
    wrong: list[str] = []

    for route in routes:
        wrong += matrix.complaints(route, "read-only key", await world.hear(route, "read-only key", world.private))
    for route in sorted(routes, key=_harm):
        who, things = _who(route), world.private if route.method == "DELETE" else world.shared
        wrong += matrix.complaints(route, who, await world.hear(route, who, things))

    assert not wrong, "\n".join(wrong)


async def test_nobody_is_read_before_they_said_who_they_are(world: World, routes: list[Route]) -> None:
    """Whatever the body, an anonymous caller hears 401: no parser works for them, and none tells them anything."""
    wrong: list[str] = []

    for route in routes:
        if route.policy.is_open or route.body is None:
            continue
        for body in BROKEN:
            answer = await world.api.client.request(route.method, route.url(world.private), content=body, headers=JSON)
            if answer.status_code != 401:
                wrong.append(f"{route} answers {answer.status_code} to {body[:20]!r}")

    assert not wrong, "\n".join(wrong)


async def test_no_list_gives_less_than_was_asked_for_and_says_nothing(world: World, routes: list[Route]) -> None:
    """Each page has a greatest length, which the contract tells; one more is refused, not cut."""
    lists = [route for route in routes if route.pages is not None]
    assert len(lists) > 5

    for route in lists:
        assert route.pages is not None
        assert "maximum" in route.pages, f"{route}: say `limit: Limit` of gateway.paging"
        for limit, is_taken in ((route.pages["maximum"], True), (route.pages["maximum"] + 1, False), (0, False)):
            asked = dataclasses.replace(route, query=route.query | {"limit": limit})
            status, text = await world.ask(asked, _who(route), world.private)
            is_refused = status == 400 and "limit:" in text
            assert is_refused != is_taken, f"{route} with limit {limit} answers {status}: {text}"


def _who(route: Route) -> Who:
    return "admin" if route.policy.scope == "admin" else "owner"


def _harm(route: Route) -> tuple[bool, bool, int, bool]:
    """Reading does none; one thing is less than all of them."""
    return not route.is_reading, route.policy.by_session, -len(route.about), route.method == "DELETE"
