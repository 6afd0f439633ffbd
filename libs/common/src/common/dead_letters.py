"""Messages that nobody could read, kept with their reasons."""

import psycopg
from nats.aio.msg import Msg

from common import log, queries
from common.db import Pool, glance


async def keep(pool: Pool, message: Msg, reason: object) -> bool:
    """Keep a message for people; False when that cannot be done now, so it must not be acknowledged and comes back."""
    log.get().warning("dead letter", subject=message.subject, error=str(reason))
    try:
        async with glance(pool) as conn:
            await queries.save_dead_letter(conn, subject=message.subject, body=message.data, reason=str(reason))
    except psycopg.Error:
        return False
    return True
