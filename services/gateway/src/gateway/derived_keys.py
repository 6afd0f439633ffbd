"""A key for each purpose out of the one secret, so that what is signed for one is worth nothing for another."""

import hmac


def derived(secret: str, purpose: bytes) -> bytes:
    """The key for a purpose, 32 bytes; nobody can tell it without the secret, nor the secret by it."""
    return hmac.digest(secret.encode(), purpose, "sha256")
