"""Passwords as argon2id hashes; hashing takes some 30 ms and 19 MiB on purpose, so call it in a thread."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# The least that OWASP recommends for argon2id: 19 MiB, two passes, one lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

# What an unknown user's password is compared with, so that the answer takes the same time.
NOBODY = _HASHER.hash("nobody has this password")


def hashed(password: str) -> str:
    """The hash to store; it carries its own salt and parameters."""
    return _HASHER.hash(password)


def matches(stored: str, password: str) -> bool:
    """Whether this is the password behind a stored hash."""
    try:
        return _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def is_dated(stored: str) -> bool:
    """Whether a hash was made with weaker parameters than today's and should be made anew at login."""
    return _HASHER.check_needs_rehash(stored)
