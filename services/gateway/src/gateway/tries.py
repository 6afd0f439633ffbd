"""Guessing is slow: so many tries in a quarter of an hour for a name and from an address, whatever restarts."""

import hashlib
import ipaddress
from typing import NamedTuple

from common import account_queries, accounts
from common.db import Connection, Pool, glance
from gateway.errors import TooManyTries
from gateway.queries import tries as queries

SECONDS = 15 * 60
FOR_ACCOUNT = 10
FROM_ADDRESS = 100
NEIGHBOURS = 64  # bits of an IPv6 address that say whose it is
OLD_AT_ONCE = 20


class Subject(NamedTuple):
    """What tries are counted for, as a hash, and how many are allowed."""

    key: bytes
    most: int


def account(username: str, purpose: str = "sign in") -> Subject:
    """Tries for a name, whether anybody has it or not."""
    return Subject(accounts.tries_key(username, purpose), FOR_ACCOUNT)


def address(text: str, purpose: str = "sign in") -> Subject:
    """Tries from an address, or from a network that one customer has."""
    return Subject(hashlib.sha256(f"{purpose} from {_network(text)}".encode()).digest(), FROM_ADDRESS)


async def take(pool: Pool, *subjects: Subject) -> None:
    """Count a try for each before it is made, so that many at once are as many; TooManyTries when one has had its."""
    async with glance(pool) as conn:
        for subject in subjects:
            if not await queries.take_try(conn, subject.key, most=subject.most, seconds=SECONDS):
                raise TooManyTries(await queries.find_wait(conn, subject.key))
        await queries.forget_old(conn, limit=OLD_AT_ONCE)


async def forgive(conn: Connection, who: Subject, place: Subject) -> None:
    """The try was none: who did it is known now, and where they are has one try more."""
    await account_queries.forget_tries(conn, who.key)
    await queries.give_back(conn, place.key)


async def forget(conn: Connection, who: Subject) -> None:
    """Whoever is known now has not guessed."""
    await account_queries.forget_tries(conn, who.key)


def _network(text: str) -> str:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return text
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((int(found), NEIGHBOURS), strict=False))
