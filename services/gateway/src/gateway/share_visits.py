"""Visitors of an album: they follow a link, say a password where it has one, and look around for an hour."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime

from common import audit
from common.db import Pool, glance
from gateway import derived_keys, tries
from gateway.errors import Expired, NotFound, NotSignedIn
from gateway.hashing import Hashing
from gateway.queries import shares as queries
from gateway.queries.shares import Opened
from gateway.share_schemas import Visit
from gateway.tries import Subject

LIVES_SECONDS = 3600
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
VISITOR = re.compile(r"([0-9]{10})-([0-9a-f]{64})")
HEADER = "Share "
FROM_ADDRESS = 10
FOR_SHARE = 200


def new_token() -> str:
    """What a new link says: 256 bits that nobody guesses."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """What is kept of it."""
    return hashlib.sha256(token.encode()).digest()


@dataclass(frozen=True)
class Visits:
    """Everything that following links needs."""

    pool: Pool
    secret: str
    hashing: Hashing = field(default_factory=Hashing)

    async def find(self, token: str) -> Opened:
        """What a link leads to; NotFound for a revoked one, as for one that never was."""
        async with glance(self.pool) as conn:
            found = await queries.find_opened(conn, digest(token)) if TOKEN.fullmatch(token) else None
        if found is None:
            raise NotFound("there is no such link, or it was taken back")
        if found.is_expired:
            raise Expired("the time of this link is over: ask whoever sent it for a new one")
        return found

    async def open(self, token: str, password: str | None, address: str) -> Visit:
        """Let a visitor in who says the password, where there is one."""
        found = await self.find(token)
        if found.password_hash is not None:
            await self._check(found, found.password_hash, password, address)
        until = found.now + LIVES_SECONDS
        return Visit(visitor=f"{until}-{self._sign(found, until)}", expires_at=datetime.fromtimestamp(until, UTC))

    async def enter(self, token: str, visitor: str) -> Opened:
        """What a visitor may see; NotSignedIn for whoever was not let in, or too long ago, or by another password."""
        found = await self.find(token)
        if found.password_hash is None:
            return found
        said = VISITOR.fullmatch(visitor)
        if said is None or not hmac.compare_digest(self._sign(found, int(said[1])), said[2]):
            raise NotSignedIn("this link has a password: POST it to `/open`, and send what that answers")
        if int(said[1]) <= found.now:
            raise NotSignedIn("you were let in too long ago: say the password again")
        return found

    async def _check(self, found: Opened, password_hash: str, password: str | None, address: str) -> None:
        """A try counts before it is made; whoever guesses here keeps nobody out who comes from elsewhere."""
        if password is None:
            raise NotSignedIn("this link has a password: send it in the body, as `password`")
        here, everywhere = _subjects(found.share_id, address)
        await tries.take(self.pool, here, everywhere)
        if not await self.hashing.matches(password_hash, password):
            await self._note_failure(found, address)
            raise NotSignedIn("this is not the password of the link")
        async with self.pool.connection() as conn:
            await tries.forgive(conn, here, everywhere)

    async def _note_failure(self, found: Opened, address: str) -> None:
        about = f"share {found.share_id} of album {found.album_id}"
        async with self.pool.connection() as conn:
            await audit.note(conn, "share password wrong", user=None, address=address, about=about)

    def _sign(self, found: Opened, until: int) -> str:
        """Nobody else can make it, and another link or another password makes another one."""
        key = derived_keys.derived(self.secret, b"visitors of shares")
        said = f"{until} {found.share_id} {found.password_hash}".encode() + found.token_hash
        return hmac.digest(key, said, "sha256").hex()


def said_by(header: str) -> str:
    """What an Authorization header says of a visitor."""
    return header.removeprefix(HEADER) if header.startswith(HEADER) else ""


def _subjects(share_id: int, address: str) -> tuple[Subject, Subject]:
    """Tries at one link from one place, and from everywhere."""
    here = tries.address(address, f"open share {share_id}")
    everywhere = tries.account(str(share_id), "open a share")
    return here._replace(most=FROM_ADDRESS), everywhere._replace(most=FOR_SHARE)
