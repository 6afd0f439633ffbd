"""Whether the gateway lives, and whether it can work."""

from http import HTTPStatus

from litestar import Response, get
from litestar.di import NamedDependency

from common.health import Readiness
from common.process import Core
from gateway.declared import also
from gateway.policies import PUBLIC
from gateway.schemas import Envelope, Health


@get("/health", opt=PUBLIC)
async def is_alive() -> Envelope[Health]:
    """The process answers."""
    return Envelope(data=Health())


@get("/health/ready", opt=PUBLIC | also(HTTPStatus.SERVICE_UNAVAILABLE, "not ready"))
async def is_ready(core: NamedDependency[Core]) -> Response[Envelope[Readiness]]:
    """Whether work can be taken, and what is wrong if anything is."""
    state = await core.health.check()
    if state.ready:
        return Response(Envelope(data=state))
    unready = HTTPStatus.SERVICE_UNAVAILABLE
    return Response(Envelope(code=unready, message="not ready", data=state), status_code=unready)
