"""What happened to accounts, for administrators."""

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from common.db import Connection
from gateway import cursors
from gateway.account_schemas import AuditList
from gateway.paging import Limit
from gateway.policies import ADMIN
from gateway.queries import audit
from gateway.queries.audit import Cursor
from gateway.schemas import Envelope


@get("/audit", opt=ADMIN)
async def list_audit(
    conn: NamedDependency[Connection],
    action: FromQuery[str | None] = None,
    user_id: FromQuery[int | None] = None,
    limit: Limit = 20,
    after: FromQuery[str | None] = None,
) -> Envelope[AuditList]:
    """Sign-ins, keys, shares, deletions and what administrators did, the latest first; nobody can change any of it."""
    start = None if after is None else cursors.read(after, Cursor)
    found = await audit.list_entries(conn, action=action, user=user_id, after=start, limit=limit)
    end = Cursor(audit_id=found[-1].audit_id) if len(found) == limit else None
    return Envelope(data=AuditList(entries=found, limit=limit, next=cursors.write(end)))


HANDLERS = [list_audit]
