"""Signed addresses of media: whoever has one may fetch one variant of one asset until it expires, and nothing else."""

import hashlib
import hmac
import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import NamedTuple

from litestar.types import HTTPScope

from gateway import derived_keys
from gateway.errors import Forbidden

LIVES_SECONDS = 3600
STEADY_SECONDS = 900
"""For so long an address stays the same, whoever asks for it, so that caches know it again."""

WHO = re.compile(r"[us][0-9a-f-]{1,36}")
FORM = re.compile(
    rb"/media/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/([a-z_]{1,20})"
    rb"\?for=([us][0-9a-f-]{1,36})&of=([A-Za-z0-9_-]{6,1000})&until=([0-9]{10})"
    rb"&key=([0-9a-f]{8})&signature=([A-Za-z0-9_-]{43})"
)
OWNER = struct.Struct(">I")
PLACE = struct.Struct(">16s32sI")


class Place(NamedTuple):
    """Where a thumbnail lies: which repository, its path below the thumbnails, its length and its BLAKE3."""

    repository: bytes
    path: bytes
    length: int
    hash: bytes


class Grant(NamedTuple):
    """What an address allows: a variant of an asset of `owner`, to a user (`u7`) or a share's visitors (`s7`)."""

    asset: str
    variant: str
    who: str
    owner: int
    until: int
    place: Place | None = None


class Key(NamedTuple):
    """A key and what addresses call it; the name tells nothing of the key."""

    name: str
    secret: bytes


@dataclass(frozen=True)
class Keys:
    """The key that signs, and the one before it, whose addresses still count."""

    current: Key
    previous: Key | None = None

    def find(self, name: str) -> Key | None:
        """The key of this name."""
        return next((key for key in (self.current, self.previous) if key and key.name == name), None)


def keys(secret: str, previous: str = "") -> Keys:
    """The keys that two secrets stand for; a secret with another use can be given, for it is used for this alone."""
    return Keys(_key(secret), _key(previous) if previous else None)


def expiry(now: int) -> int:
    """When an address that is signed now expires: within an hour, and at the same time for a while."""
    return now - now % STEADY_SECONDS + LIVES_SECONDS


def user(user_id: int) -> str:
    """A user, as somebody to whom an address is given."""
    return f"u{user_id}"


def share(share_id: object) -> str:
    """The visitors of a share, as somebody to whom an address is given."""
    return f"s{share_id}"


def url(signing: Keys, grant: Grant) -> str:
    """The address that says a grant, signed; it is relative to the server's own."""
    if not WHO.fullmatch(grant.who):
        raise ValueError(f"nobody can be called so: {grant.who}")
    place, key = _packed(grant).decode(), signing.current
    said = f"/media/{grant.asset}/{grant.variant}?for={grant.who}&of={place}&until={grant.until}&key={key.name}"
    return f"{said}&signature={_signature(key, said.encode()).decode()}"


def address(scope: HTTPScope) -> bytes:
    """The address that a request came to, as it was written."""
    return scope["raw_path"] + b"?" + scope["query_string"]


def read(signing: Keys, written: bytes, now: int) -> Grant:
    """What an address allows now; Forbidden for one that we did not sign as it is written, and for one that is over."""
    found = FORM.fullmatch(written)
    key = signing.find(found[6].decode()) if found else None
    if found is None or key is None or not _is_signed(key, written, found):
        raise Forbidden("the address is not one that this server signed: ask for a new one")
    if int(found[5]) <= now:
        raise Forbidden("the time of the address is over: ask for a new one")
    owner, place = _unpacked(found[4])
    return Grant(found[1].decode(), found[2].decode(), found[3].decode(), owner, int(found[5]), place)


def _key(secret: str) -> Key:
    key = derived_keys.derived(secret, b"signed addresses of media")
    return Key(hashlib.sha256(b"name" + key).hexdigest()[:8], key)


def _is_signed(key: Key, written: bytes, found: re.Match[bytes]) -> bool:
    said = written[: found.start(7) - len(b"&signature=")]
    return hmac.compare_digest(_signature(key, said), found[7])


def _signature(key: Key, said: bytes) -> bytes:
    return urlsafe_b64encode(hmac.digest(key.secret, said, "sha256"))[:43]


def _packed(grant: Grant) -> bytes:
    said = OWNER.pack(grant.owner)
    if grant.place is not None:
        said += PLACE.pack(grant.place.repository, grant.place.hash, grant.place.length) + grant.place.path
    return urlsafe_b64encode(said).rstrip(b"=")


def _unpacked(text: bytes) -> tuple[int, Place | None]:
    said = urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    (owner,) = OWNER.unpack_from(said)
    if len(said) == OWNER.size:
        return owner, None
    repository, digest, length = PLACE.unpack_from(said, OWNER.size)
    return owner, Place(repository, said[OWNER.size + PLACE.size :], length, digest)
