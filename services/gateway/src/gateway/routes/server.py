"""Which history of the catalogue this server goes by."""

from litestar import get
from litestar.di import NamedDependency

from common import outbox_queries
from common.db import Connection
from gateway.policies import PUBLIC
from gateway.schemas import Envelope, ServerState


@get("/server", opt=PUBLIC)
async def describe(conn: NamedDependency[Connection]) -> Envelope[ServerState]:
    """Which history of the catalogue this is.

    After a restore from a backup it has another `server_epoch`: what a client knows by then may not be there, so it
    compares its list with the server's once more, and sends again what is missing.
    """
    return Envelope(data=ServerState(server_epoch=await outbox_queries.find_epoch(conn)))
