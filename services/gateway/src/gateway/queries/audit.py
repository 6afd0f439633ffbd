"""The SQL of reading what was written down for good."""

import msgspec

from common.db import Connection, struct_row
from gateway.account_schemas import AuditEntry


class Cursor(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Where a page ended."""

    audit_id: int


async def list_entries(
    conn: Connection, *, action: str | None, user: int | None, after: Cursor | None, limit: int
) -> list[AuditEntry]:
    """What happened before the cursor, the latest first; of one kind or by one user if asked for."""
    async with conn.cursor(row_factory=struct_row(AuditEntry)) as cursor:
        await cursor.execute(
            """
            select a.audit_id, a.happened_at, a.action, a.user_id, u.username, a.key_id, a.address, a.about, a.details
            from audit a
            left join users u on u.user_id = a.user_id
            where (%(action)s::text is null or a.action = %(action)s)
              and (%(user)s::int is null or a.user_id = %(user)s)
              and (%(after)s::bigint is null or a.audit_id < %(after)s)
            order by a.audit_id desc
            limit %(limit)s
            """,
            {"action": action, "user": user, "after": after and after.audit_id, "limit": limit},
        )
        return await cursor.fetchall()
