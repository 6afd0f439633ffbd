"""Each request begins a trace, where traces are collected; what a caller says of its own traces is not believed."""

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from opentelemetry.trace import SpanKind

from common import traces


def traced(app: ASGIApp) -> ASGIApp:
    """The same app, whose requests are steps of traces."""
    if not traces.are_wanted():
        return app

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            return await app(scope, receive, send)
        with traces.span(scope["method"], kind=SpanKind.SERVER) as span:

            async def noting(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", int(message["status"]))
                await send(message)

            try:
                await app(scope, receive, noting)
            finally:
                route = scope.get("path_template") or "?"
                span.update_name(f"{scope['method']} {route}")
                span.set_attributes({"http.request.method": scope["method"], "http.route": route})

    return told
