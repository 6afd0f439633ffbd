"""The SQL of what is written down for good."""

from typing import Any

from psycopg.types.json import Jsonb

from common.db import Connection


async def save_entry(
    conn: Connection,
    *,
    action: str,
    user: int | None,
    key: int | None,
    address: str,
    about: str,
    details: dict[str, Any],
) -> None:
    """Add a line."""
    await conn.execute(
        """
        insert into audit (action, user_id, key_id, address, about, details)
        values (%(action)s, %(user)s, %(key)s, %(address)s, %(about)s, %(details)s)
        """,
        {
            "action": action,
            "user": user,
            "key": key,
            "address": address,
            "about": about,
            "details": Jsonb(details),
        },
    )
