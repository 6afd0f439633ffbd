"""Writes down what somebody who is signed in did, for good."""

from typing import Any

from common import audit
from common.db import Connection
from gateway.policies import Caller


async def note(conn: Connection, action: str, by: Caller, *, about: str = "", **details: Any) -> None:
    """Add a line in the transaction of what it tells: `note(conn, "album shared", caller, about="album 3", to=7)`."""
    await audit.note(conn, action, user=by.user.user_id, key=by.key_id, address=by.address, about=about, **details)
