"""Writes down who did what to accounts, keys, shares and photos; the database lets nobody change it afterwards."""

from typing import Any

from common import audit_queries
from common.db import Connection


async def note(
    conn: Connection,
    action: str,
    *,
    user: int | None,
    key: int | None = None,
    address: str = "",
    about: str = "",
    **details: Any,
) -> None:
    """Add a line in the transaction of what it tells, such as `note(conn, "share made", user=7, about="album 3")`.

    `user` did it, None where nobody is signed in; `key` is the key they used. Never a password, a token or a key.
    """
    await audit_queries.save_entry(
        conn, action=action, user=user, key=key, address=address, about=about, details=details
    )
