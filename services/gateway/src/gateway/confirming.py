"""Confirmations: a token that says what a person was told before they said yes, and lasts for minutes."""

import hashlib
import hmac
from dataclasses import dataclass

from gateway import derived_keys

SECONDS = 600


@dataclass(frozen=True)
class Confirmations:
    """Signs and recognises tokens, with a key of their own."""

    secret: str

    def token_for(self, what: str, *, now: float) -> str:
        """A token for doing just what was told."""
        return self._signed(what, int(now) + SECONDS)

    def holds_for(self, token: str, what: str, *, now: float) -> bool:
        """Whether we gave this token for the same, not long ago."""
        ends = token.partition(".")[0]
        if not (ends.isascii() and ends.isdecimal() and len(ends) < 20) or not now < int(ends) <= now + SECONDS:
            return False
        return hmac.compare_digest(token.encode(), self._signed(what, int(ends)).encode())

    def _signed(self, what: str, ends: int) -> str:
        key = derived_keys.derived(self.secret, b"confirmation")
        return f"{ends}.{hmac.new(key, f'{ends} {what}'.encode(), 'sha256').hexdigest()}"


def purging(asset_ids: bytes, owner: int) -> str:
    """What is told of purging just these assets of the owner, whose ids stand one behind the other."""
    return f"purge {hashlib.sha256(asset_ids).hexdigest()} of user {owner}"
