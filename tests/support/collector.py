"""A collector of traces: what OpenTelemetry's exporters send over HTTP, kept."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Step:
    """One span: of which trace, after which other, in which service."""

    name: str
    trace: bytes
    step: bytes
    parent: bytes
    service: str


@dataclass
class Collector:
    """Where to send traces, and what came so far."""

    port: int = 0
    steps: list[Step] = field(default_factory=list)

    def of(self, name: str) -> Step | None:
        return next((step for step in self.steps if step.name == name), None)

    def take(self, body: bytes) -> None:
        for of in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = next(one.value.string_value for one in of.resource.attributes if one.key == "service.name")
            self.steps += [
                Step(span.name, span.trace_id, span.span_id, span.parent_span_id, service)
                for scope in of.scope_spans
                for span in scope.spans
            ]


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a free port of this machine."""
    collector = Collector()

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.take(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        collector.port = server.server_port
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield collector
        finally:
            server.shutdown()
