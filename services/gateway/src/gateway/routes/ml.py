"""What models see: how far they are with it, and for administrators what is to be done about that."""

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from common.db import Connection, Pool, glance
from gateway import audit, ml
from gateway.declared import may
from gateway.errors import Conflict, NotFound
from gateway.ml_schemas import Backfilled, BackfillRequest, MeaningStatus, Switched, SwitchRequest
from gateway.policies import ADMIN, Caller
from gateway.schemas import Envelope


@get("/ml", opt=ADMIN)
async def get_ml_status(conn: NamedDependency[Connection]) -> Envelope[MeaningStatus]:
    """How far each stage of meaning is, which spaces and servers there are, and what is missing. For administrators."""
    return Envelope(data=await ml.status(conn))


@post("/ml/backfill", status_code=200, opt=ADMIN | may(NotFound))
async def backfill_ml(
    pool: NamedDependency[Pool], caller: NamedDependency[Caller], data: JSONBody[BackfillRequest]
) -> Envelope[Backfilled]:
    """Look at all assets for what they lack of a stage or of all, and try again what failed. For administrators."""
    async with glance(pool) as conn:
        done = await ml.backfill(conn, data)
        await audit.note(conn, "backfill asked", caller, about=", ".join(done.stages), retried=done.retried)
    return Envelope(data=done)


@post("/ml/switch", status_code=200, opt=ADMIN | may(Conflict, NotFound))
async def switch_ml(
    conn: NamedDependency[Connection], caller: NamedDependency[Caller], data: JSONBody[SwitchRequest]
) -> Envelope[Switched]:
    """Have another embedding space be the one that searches compare in. For administrators."""
    switched = await ml.switch(conn, data.space_id)
    await audit.note(conn, "space switched", caller, about=f"space {data.space_id}", state=switched.state)
    return Envelope(data=switched)


HANDLERS = [get_ml_status, backfill_ml, switch_ml]
