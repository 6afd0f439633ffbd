"""The contract: what the server can be asked, for programs and for people."""

from typing import Any

import msgspec
from litestar import MediaType, Request, Response, get

from gateway import pages
from gateway.contract import document
from gateway.policies import PUBLIC


@get(["/api/openapi.json", "/api/v1/openapi.json"], include_in_schema=False, opt=PUBLIC)
async def openapi(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The OpenAPI document of all routes, made once."""
    state = request.app.state
    if "contract" not in state:
        state["contract"] = msgspec.json.encode(document.describe(request.app))
    return Response(state["contract"], media_type=MediaType.JSON)


@get("/api/docs", include_in_schema=False, opt=PUBLIC)
async def docs() -> Response[str]:
    """The same for people, to read and to try."""
    return pages.answer("docs.html")
