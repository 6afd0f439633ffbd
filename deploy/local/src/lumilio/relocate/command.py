"""What `lumilio relocate` does: it writes down a wish, which ingest works off, and says how far that is."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeAlias

from psycopg import AsyncConnection

from common import marker, relocating, repository_queries
from common import relocation_queries as queries
from common.db import Connection
from common.files import Offline
from common.marker import Marker
from common.names import shown
from common.relocating import Move, Order
from common.relocation_queries import Relocation
from common.repository_queries import Repository
from lumilio.refusal import CannotStart
from lumilio.terminal import say

PAGE = 5000
EXAMPLES = 5
LATEST = 10
Question: TypeAlias = Callable[[str], Coroutine[Any, Any, None]]


def begin(name: str, order: Order) -> Question:
    """Have the originals of a repository lie by a strategy."""

    async def ask(database_url: str) -> None:
        async with await AsyncConnection.connect(database_url) as conn:
            repository = await _find(conn, name)
            await _rules(repository)
            if not await queries.request(conn, repository.repository_id, order):
                raise CannotStart("its originals are being moved already: wait, or call that off with --stop")
        say(f"the originals in the inbox of {repository.name} are moved; `lumilio relocate` says how far that is")

    return ask


def stop(name: str) -> Question:
    """Leave the rest where it is; what moved stays where it went, and uploads go by the new strategy."""

    async def ask(database_url: str) -> None:
        async with await AsyncConnection.connect(database_url) as conn:
            repository = await _find(conn, name)
            if not await queries.stop(conn, repository.repository_id):
                raise CannotStart("nothing is being moved there")
        say("called off: what moved stays where it is now; the same command again moves the rest")

    return ask


def rehearse(name: str, order: Order) -> Question:
    """Say what would move where; nothing is changed."""

    async def ask(database_url: str) -> None:
        async with await AsyncConnection.connect(database_url, autocommit=True) as conn:
            repository = await _find(conn, name)
            rules = await _rules(repository)
            counts: Counter[str] = Counter()
            async for move in _planned(conn, repository, rules, order):
                what = "stay where they belong" if move is None else _said(move)
                counts[what] += 1
                if move is not None and move.reason is None and counts[what] <= EXAMPLES:
                    say(f"{shown(move.source)} -> {shown(move.goal)}")
        for what, count in sorted(counts.items()):
            say(f"{count:>9,} {what}")
        say("nothing was changed")

    return ask


async def tell(database_url: str) -> None:
    """Say how far the latest wishes are, and why originals were left."""
    async with await AsyncConnection.connect(database_url, autocommit=True) as conn:
        known = await queries.list_relocations(conn, limit=LATEST)
        for one in known:
            say(_line(one))
            for reason in await queries.list_reasons(conn, [one.relocation_id], limit=EXAMPLES):
                say(f"  {reason.count:,} left: {reason.reason}, as {shown(reason.example)}")
    if not known:
        say("nothing is being moved: `lumilio relocate REPOSITORY --to STRATEGY` orders an inbox anew")


async def _find(conn: Connection, name: str) -> Repository:
    every = await repository_queries.list_repositories(conn)
    found = [one for one in every if name in {str(one.repository_id), one.name}]
    if len(found) != 1:
        what = "several repositories are called" if found else "there is no repository"
        raise CannotStart(f"{what} {name}: `lumilio repositories list` tells their ids")
    if found[0].private_root is not None:
        raise CannotStart("the repository may only be read, so nothing of it can be moved")
    return found[0]


async def _rules(repository: Repository) -> Marker:
    try:
        return await asyncio.to_thread(marker.check, repository.root, repository.repository_id)
    except Offline as outage:
        raise CannotStart(str(outage)) from None


async def _planned(conn: Connection, repository: Repository, rules: Marker, order: Order) -> AsyncIterator[Move | None]:
    after = b""
    while page := await queries.list_stored(conn, repository.repository_id, after=after, limit=PAGE):
        for stored in page:
            yield relocating.plan(rules, order, stored)
        after = page[-1].path


def _said(move: Move) -> str:
    return "would move" if move.reason is None else f"would be left: {move.reason}"


def _line(one: Relocation) -> str:
    when = one.asked_at.astimezone().strftime("%Y-%m-%d %H:%M")
    head = f"{one.repository} to {one.strategy}, asked for {when}: {one.state}"
    left = f", {one.left:,} left" if one.left else ""
    if one.state == "running" and not one.is_listed:
        numbers = f"being listed, {one.due + one.moved + one.left:,} so far"
    else:
        numbers = f"{one.moved:,} moved, {one.due:,} to do{left}"
    return f"{head}, {numbers}" + (f"; it waits: {one.trouble}" if one.trouble else "")
