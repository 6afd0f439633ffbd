"""What people may be called: names and addresses in one form, however they were typed."""

import hashlib
import re
import unicodedata

from common.passwords import Unfit

SHORTEST_NAME = 3
LONGEST_NAME = 50
LONGEST_EMAIL = 254
EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def username(text: str) -> str:
    """The name in its one form; Unfit when nobody can be called so."""
    name = normal(text[: 4 * LONGEST_NAME])
    if not SHORTEST_NAME <= len(name) <= LONGEST_NAME:
        raise Unfit(f"a user name has {SHORTEST_NAME} to {LONGEST_NAME} letters")
    if not name.isprintable() or name != name.strip():
        raise Unfit("a user name has only letters that can be seen, and no spaces around them")
    return name


def normal(name: str) -> str:
    """The same name however a keyboard composes it (NFKC)."""
    return unicodedata.normalize("NFKC", name)


def email(text: str) -> str:
    """The address as it is kept; Unfit when it is none."""
    address = text.strip()
    if len(address) > LONGEST_EMAIL or not address.isprintable() or not EMAIL.fullmatch(address):
        raise Unfit("an e-mail address is like name@example.org")
    return address


def tries_key(name: str, purpose: str = "sign in") -> bytes:
    """What tries for a name are counted under, whether anybody has it or not."""
    return hashlib.sha256(f"{purpose} as {name.lower()}".encode()).digest()
