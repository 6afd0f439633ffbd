"""The tokens that say who is asking, and how refresh tokens follow each other."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import jwt

from gateway import derived_keys
from gateway.errors import NotSignedIn
from gateway.queries.users import Bearer, User

ALGORITHM = "HS256"
ISSUER = "lumilio-photos"
AUDIENCE = "lumilio-photos api"
CLAIMS = ["exp", "iat", "nbf", "iss", "aud", "sub", "sid", "user_id", "username"]
LONGEST_TOKEN = 4096
KEY_PREFIX = "lum_"


@dataclass(frozen=True)
class Tokens:
    """Signs and reads tokens; the two kinds are made with different keys."""

    secret: str
    access_seconds: int

    @property
    def head(self) -> dict[str, str]:
        """How every access token begins: nothing in it chooses an algorithm or a key, it only names ours."""
        name = derived_keys.derived(self.secret, b"name of the access token key")[:8].hex()
        return {"alg": ALGORITHM, "kid": name, "typ": "JWT"}

    def access(self, user: User, session_id: UUID, issued: datetime) -> str:
        """A token that says who the caller is; the same sign-in and second give the same token."""
        start = int(issued.timestamp())
        claims = {
            "user_id": user.user_id,
            "username": user.username,
            "sid": str(session_id),
            "exp": start + self.access_seconds,
            "iat": start,
            "nbf": start,
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user.user_id),
        }
        return jwt.encode(claims, self.secret, algorithm=ALGORITHM, headers=self.head)

    def read(self, token: str) -> Bearer:
        """Whom a token names, and when it counts; NotSignedIn for anything that we did not sign."""
        try:
            found = jwt.decode_complete(
                token if len(token) <= LONGEST_TOKEN else "",
                self.secret,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                options={"require": CLAIMS, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
            claims, head = found["payload"], found["header"]
            times = (max(claims["nbf"], claims["iat"]), claims["exp"])
            bearer = Bearer(claims["user_id"], UUID(claims["sid"]), *times)
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError, RecursionError):
            raise NotSignedIn("the token is not valid: it is not whole, or this server did not make it") from None
        if head != self.head:
            raise NotSignedIn("the token is not valid: it was made with another key")
        if any(type(one) is not int for one in (bearer.user_id, *times)) or claims["sub"] != str(bearer.user_id):
            raise NotSignedIn("the token is not valid: it names nobody")
        return bearer

    def successor(self, refresh_token: str) -> str:
        """The one token that a refresh token can be changed for; nobody can tell it without the secret."""
        key = derived_keys.derived(self.secret, b"refresh token successor")
        return hmac.new(key, refresh_token.encode(), "sha256").hexdigest()


def new() -> str:
    """A secret of 256 bits that nobody can guess."""
    return secrets.token_hex(32)


def digest(token: str) -> bytes:
    """What is kept of a secret: enough to recognise it, and nothing to use."""
    return hashlib.sha256(token.encode()).digest()
