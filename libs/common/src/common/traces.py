"""Traces for whoever collects them: from a request through the events that it caused to the work that they rang for."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from common import log

HEADER = "traceparent"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACER = trace.get_tracer("lumilio")
"""It makes nothing of anything until `configure` finds where traces go."""
WORDS = TraceContextTextMapPropagator()


def are_wanted() -> bool:
    """Whether somebody collects them."""
    return bool(os.environ.get(ENDPOINT))


def configure(service: str) -> None:
    """Send what this process does to the collector that OpenTelemetry's own variables name, if they do."""
    if not are_wanted():
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        log.get().warning("no traces are sent: install the extra `otel` of the package `common`")
        return
    provider = TracerProvider(resource=Resource.create({"service.name": f"lumilio-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


@contextmanager
def span(name: str, *, parent: str | None = None, kind: SpanKind = SpanKind.INTERNAL, **facts: str) -> Iterator[Span]:
    """Everything in here is one step of a trace: of the one that `parent` names, or else of the one that goes on."""
    context = WORDS.extract({HEADER: parent}) if parent else None
    with TRACER.start_as_current_span(name, context, kind, attributes=facts) as begun:
        yield begun


def current() -> str | None:
    """What events carry, so that whatever they cause belongs to the same trace."""
    carried: dict[str, str] = {}
    WORDS.inject(carried)
    return carried.get(HEADER)
