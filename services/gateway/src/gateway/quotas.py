"""Holds a user to what they may store: looked at before a file is read, and decided where it gets its row."""

from common.db import Connection
from gateway.errors import OverQuota
from gateway.queries import quotas
from gateway.queries.quotas import Usage


def check(usage: Usage, *, more_bytes: int = 0, more_files: int = 0) -> None:
    """OverQuota when so much more is more than the user may have."""
    if usage.quota_bytes is not None and usage.bytes + more_bytes > usage.quota_bytes:
        raise _full(f"{usage.quota_bytes:,} bytes")
    if usage.quota_files is not None and usage.files + more_files > usage.quota_files:
        raise _full(f"{usage.quota_files:,} files")


async def look(conn: Connection, user: int, *, length: int) -> None:
    """OverQuota for a new file of so many bytes, by what is stored at the moment."""
    check(await quotas.find_usage(conn, user), more_bytes=length, more_files=1)


def _full(most: str) -> OverQuota:
    return OverQuota(
        f"this is more than the {most} that you may store: empty the trash, or ask an administrator for more"
    )
