"""Traces of requests for OpenTelemetry, where a collector is set; without one nothing here is loaded.

A request's stages are known by their times once it is answered, so spans are made then, outside of what they measure:

    request -> decode, decide, record

A caller's `traceparent` is taken up. No text, no id of a person and no key is in a span.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter, time_ns
from typing import TYPE_CHECKING, Any

from service import __version__

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

MILLISECOND = 1_000_000
"""In nanoseconds."""


@dataclass(slots=True)
class Stages:
    """When the stages of one message ended, in milliseconds after the request came in."""

    decoded: float
    decided: float
    recorded: float
    platform: str
    decision: str


@dataclass(slots=True)
class Trace:
    """One request that is traced."""

    span: Any
    start: int
    """Nanoseconds since 1970."""
    began: float = field(default_factory=perf_counter)
    messages: list[Stages] = field(default_factory=list)


class Tracer:
    """Makes spans and hands them to the exporter, in batches on a thread of its own."""

    def __init__(self, exporter: SpanExporter, ratio: float, *, at_once: bool = False) -> None:
        """`ratio` of the requests without a `traceparent` are traced. `at_once`: no batches, for tests."""
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
        from opentelemetry.trace import SpanKind, set_span_in_context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        resource = Resource.create({"service.name": "shenyan", "service.version": __version__})
        self._provider = TracerProvider(ParentBased(TraceIdRatioBased(ratio)), resource, shutdown_on_exit=False)
        self._provider.add_span_processor((SimpleSpanProcessor if at_once else BatchSpanProcessor)(exporter))
        self._tracer = self._provider.get_tracer("service", __version__)
        self._propagator = TraceContextTextMapPropagator()
        self._server, self._within = SpanKind.SERVER, set_span_in_context

    @classmethod
    def open(cls, endpoint: str, ratio: float) -> Tracer | None:
        """The tracer that sends to the collector at `endpoint`; None where none is set."""
        if not endpoint:
            return None
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        return cls(OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=5), ratio)

    def begin(self, scope: Any) -> Trace | None:
        """The trace of a request; None for one that is not sampled."""
        start = time_ns()
        carrier = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in scope["headers"]
            if name in (b"traceparent", b"tracestate")
        }
        parent = self._propagator.extract(carrier)
        span = self._tracer.start_span(scope["method"], parent, self._server, start_time=start)
        return Trace(span, start) if span.is_recording() else None

    def end(self, trace: Trace, route: str, method: str, status: int, request_id: str) -> None:
        """The request was answered."""
        end = trace.start + int((perf_counter() - trace.began) * 1000 * MILLISECOND)
        span = trace.span
        span.update_name(f"{method} {route}")
        span.set_attributes({
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
            "shenyan.request_id": request_id,
        })  # fmt: skip
        if status >= 500:
            from opentelemetry.trace import StatusCode

            span.set_status(StatusCode.ERROR)
        within = self._within(span)
        for each in trace.messages:
            about = {"shenyan.platform": each.platform, "shenyan.decision": each.decision}
            at = 0.0
            for name, until in (("decode", each.decoded), ("decide", each.decided), ("record", each.recorded)):
                start = trace.start + int(at * MILLISECOND)
                stage = self._tracer.start_span(name, within, attributes=about, start_time=start)
                stage.end(trace.start + int(until * MILLISECOND))
                at = until
        span.end(end)

    def close(self) -> None:
        """Sends what waits to be sent; blocks for a few seconds where the collector does not answer."""
        self._provider.shutdown()
