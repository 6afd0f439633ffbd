"""Passwords as argon2id hashes; hashing takes some 30 ms and 19 MiB on purpose, so call it in a thread."""

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 8
LONGEST = 256

# The least that OWASP recommends for argon2id: 19 MiB, two passes, one lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

# What an unknown user's password is compared with, so that the answer takes the same time.
NOBODY = _HASHER.hash("nobody has this password")

# So many letters of a keyboard can become one of a password.
_MOST_TYPED = 4 * LONGEST


class Unfit(ValueError):
    """No password can be like this; the text says why."""


def checked(password: str) -> str:
    """The password if it may be one: 8 to 256 letters of whatever kind; Unfit otherwise."""
    length = len(_normal(password)) if len(password) <= _MOST_TYPED else len(password)
    if length < SHORTEST:
        raise Unfit(f"a password has at least {SHORTEST} letters: take a longer one")
    if length > LONGEST:
        raise Unfit(f"a password has at most {LONGEST} letters: take a shorter one")
    return password


def hashed(password: str) -> str:
    """The hash to store; it carries its own salt and parameters."""
    return _HASHER.hash(_normal(password))


def matches(stored: str, password: str) -> bool:
    """Whether this is the password behind a stored hash; nothing that long is even tried."""
    if len(password) > _MOST_TYPED:
        return False
    try:
        return _HASHER.verify(stored, _normal(password))
    except (VerificationError, InvalidHashError):
        return False


def is_dated(stored: str) -> bool:
    """Whether a hash was made with weaker parameters than today's and should be made anew at login."""
    return _HASHER.check_needs_rehash(stored)


def _normal(password: str) -> str:
    """The same letters however a keyboard composes them (NFKC)."""
    return unicodedata.normalize("NFKC", password)
