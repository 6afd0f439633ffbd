"""Download tickets: a signed word of what a link is for, and of who may begin to follow it within minutes."""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
from msgspec import Struct

from gateway import derived_keys
from gateway.download_schemas import DownloadRequest
from gateway.errors import NotFound

SECONDS = 300
SIGNATURE = 32
LONGEST = 3000
"""How many bytes of a wish stand in an address; proxies refuse much longer ones."""
HELD = 100
"""How many longer wishes are held at most; the oldest go first."""
PACKED = msgspec.msgpack.Encoder(uuid_format="bytes")


class Holder(Struct, frozen=True, array_like=True):
    """Whom a ticket was given, and by what they had signed in: it is worth nothing without."""

    user_id: int
    session_id: UUID | None
    key_id: int | None


class Ticket(Struct, frozen=True, array_like=True):
    """Who may begin to fetch until when, in seconds since 1970, which ticket this is, and what for, if it is short."""

    holder: Holder
    until: int
    number: bytes
    wanted: bytes | None


@dataclass(frozen=True)
class Tickets:
    """Signs tickets with a key of their own, and reads them.

    Any gateway of the same secret reads a ticket that says all that is wanted. What is too long for an address only the
    gateway knows that gave the ticket.
    """

    secret: str
    _held: dict[bytes, bytes] = field(default_factory=dict)

    def issue(self, wanted: DownloadRequest, holder: Holder, *, now: float) -> tuple[str, int]:
        """A ticket as it stands in an address, and when its time is over."""
        until, number, wish = int(now) + SECONDS, secrets.token_bytes(12), PACKED.encode(wanted)
        is_short = len(wish) <= LONGEST
        if not is_short:
            self._hold(number, wish)
        said = PACKED.encode(Ticket(holder, until, number, wish if is_short else None))
        return urlsafe_b64encode(self._signature(said) + said).rstrip(b"=").decode(), until

    def read(self, text: str, *, now: float) -> tuple[Ticket, DownloadRequest]:
        """What a ticket says; NotFound for one that we did not give, or whose time is over."""
        ticket = self._known(text)
        if ticket is not None and ticket.until > now:
            wish = ticket.wanted or self._held.get(ticket.number)
            if wish is not None:
                return ticket, msgspec.msgpack.decode(wish, type=DownloadRequest)
        raise NotFound("the time of the link is over, or it is not whole: ask for another one")

    def drop(self, ticket: Ticket) -> None:
        """It was used, and nobody asks what it was for."""
        self._held.pop(ticket.number, None)

    def _hold(self, number: bytes, wish: bytes) -> None:
        self._held[number] = wish
        while len(self._held) > HELD:
            del self._held[next(iter(self._held))]

    def _known(self, text: str) -> Ticket | None:
        try:
            token = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            signature, said = token[:SIGNATURE], token[SIGNATURE:]
            is_ours = hmac.compare_digest(self._signature(said), signature)
            return msgspec.msgpack.decode(said, type=Ticket) if is_ours else None
        except (ValueError, msgspec.DecodeError):  # the latter of one that another version signed
            return None

    def _signature(self, said: bytes) -> bytes:
        key = derived_keys.derived(self.secret, b"download ticket")
        return hmac.digest(key, said, "sha256")
