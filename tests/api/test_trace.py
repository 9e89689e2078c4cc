"""Traces: spans of a request and its stages, with nothing in them that a message says; none where no collector is set."""

from __future__ import annotations

import ast
import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from service.api import trace
from service.api.trace import Tracer
from service.live import Live
from service.settings import Settings
from tests.api.conftest import ADMIN, BLOCKED, CLEAN, Running, message, running

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOT_SAMPLED = PARENT[:-1] + "0"


@pytest.fixture
def spans(service: Running) -> Iterator[InMemorySpanExporter]:
    """What the service's spans end in; only callers that ask for it are traced."""
    exporter = InMemorySpanExporter()
    tracer = Tracer(exporter, 0.0, at_once=True)
    cast(dict[str, Any], service.state)["tracer"] = tracer
    yield exporter
    cast(dict[str, Any], service.state)["tracer"] = None
    tracer.close()


def by_name(spans: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    found = {span.name: span for span in spans.get_finished_spans()}
    spans.clear()
    return found


async def test_stages_lie_within_their_request(client: httpx.AsyncClient, spans: InMemorySpanExporter) -> None:
    headers = {"traceparent": PARENT, "X-Request-Id": "mine"}
    assert (await client.post("/v1/moderate", json=message(BLOCKED), headers=headers)).status_code == 200
    found = by_name(spans)
    assert set(found) == {"POST /v1/moderate", "decode", "decide", "record"}
    request = found["POST /v1/moderate"]
    assert request.parent is not None
    assert f"{request.context.trace_id:032x}-{request.parent.span_id:016x}" in PARENT
    assert request.attributes is not None
    assert request.attributes["http.response.status_code"] == 200
    assert request.attributes["shenyan.request_id"] == "mine"
    at = cast(int, request.start_time)
    for name in ("decode", "decide", "record"):
        stage = found[name]
        assert stage.parent is not None
        assert stage.parent.span_id == request.context.span_id
        assert stage.attributes == {"shenyan.platform": "kuaishou", "shenyan.decision": "block"}
        assert at <= cast(int, stage.start_time) <= cast(int, stage.end_time) <= cast(int, request.end_time)
        at = cast(int, stage.end_time)
    for secret in (BLOCKED, ADMIN, "shop-1", "agent-1"):
        assert not [span for span in found.values() if secret in span.to_json()]


async def test_who_is_traced(client: httpx.AsyncClient, spans: InMemorySpanExporter) -> None:
    for headers in ({}, {"traceparent": NOT_SAMPLED}, {"traceparent": "nonsense"}):
        await client.post("/v1/moderate", json=message(CLEAN), headers=headers)
    assert by_name(spans) == {}
    await client.get("/v1/incidents/of-nobody", headers={"traceparent": PARENT})
    (span,) = by_name(spans).values()
    assert span.name == "GET /v1/incidents/{incident_id}"
    await client.post("/v1/moderate/batch", json={"messages": [message(), message()]}, headers={"traceparent": PARENT})
    assert len(spans.get_finished_spans()) == 1 + 2 * 3


class Receiver(BaseHTTPRequestHandler):
    """A collector that remembers."""

    got: list[tuple[str, ExportTraceServiceRequest]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        self.got.append((self.path, request))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


async def test_a_collector_gets_them(live: Live, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    Receiver.got = []
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        changes = {"otlp_endpoint": f"http://127.0.0.1:{server.server_port}/", "trace_ratio": 1.0}
        async with running(live, settings.model_copy(update=changes)) as service:
            await service.client.post("/v1/moderate", json=message(CLEAN))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    ((path, request),) = Receiver.got
    assert path == "/v1/traces"
    (resource,) = request.resource_spans
    names = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
    assert names["service.name"] == "shenyan"
    assert {span.name for scope in resource.scope_spans for span in scope.spans} == {
        "POST /v1/moderate",
        "decode",
        "decide",
        "record",
    }


def test_nothing_is_loaded_without_a_collector() -> None:
    """Loading it takes a third of a second: only functions do, and only of the file that knows it."""
    source = Path(trace.__file__)
    users = [path for path in source.parents[1].rglob("*.py") if "opentelemetry" in path.read_text(encoding="utf-8")]
    assert users == [source]
    tree = ast.parse(source.read_text(encoding="utf-8"))
    assert not [node for node in tree.body if isinstance(node, ast.ImportFrom) and "opentelemetry" in str(node.module)]
    assert Tracer.open("", 1.0) is None
