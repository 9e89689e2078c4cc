"""The OpenAPI document tells the truth: its examples work, answers fit their schemas, and nothing in it makes a 5xx."""

from __future__ import annotations

import re
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import jsonschema_rs
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.core.result import Ok

from service.api import examples
from service.api.app import create_app
from service.api.openapi import OPERATIONS
from service.errors import ShenyanError
from service.live import Live
from service.settings import Settings
from tests.api.conftest import ADMIN, BLOCKED, message

HEADERS = {"Authorization": f"Bearer {ADMIN}"}
MAX_EXAMPLES = 8
"""For each operation and mode."""


def fits(document: dict[str, Any], name: str, value: Any) -> None:
    """Fails unless `value` is what the document says of schema `name`."""
    jsonschema_rs.validator_for({"$ref": f"#/components/schemas/{name}", **document}).validate(value)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.path)
async def test_examples_fit_their_schemas_and_work(client: httpx.AsyncClient, operation: Any) -> None:
    document = (await client.get("/openapi.json")).json()
    for sample in operation.answer_examples.values():
        fits(document, operation.answer.__name__, sample)
    for sample in operation.request_examples.values():
        if operation.path != "/v1/moderate/batch":
            fits(document, operation.body.__name__, sample)
        response = await client.post(operation.path, json=sample)
        assert response.status_code == 200, response.text
        fits(document, operation.answer.__name__, response.json())


async def test_the_examples_decide_as_they_say(client: httpx.AsyncClient) -> None:
    blocked = (await client.post("/v1/moderate", json=examples.MESSAGE)).json()
    allowed = (await client.post("/v1/moderate", json=examples.CLEAN)).json()
    assert (blocked["decision"], allowed["decision"]) == ("block", "allow")
    assert set(blocked) == set(allowed) == set(examples.BLOCKED)
    assert set(blocked["findings"][0]) == set(examples.BLOCKED["findings"][0])


async def test_examples_of_the_ordinary_routes_fit_their_schemas(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    checked = set()
    for name, schema in document["components"]["schemas"].items():
        for sample in schema.get("examples", ()):
            fits(document, name, sample)
            checked.add(name)
    assert checked >= {
        "AppealBody",
        "ReviewBody",
        "BulkBody",
        "ClaimBody",
        "AdjustmentBody",
        "LiftBody",
        "SimulationBody",
        "NewKey",
        "Override",
        "ShopBody",
    }


async def test_incidents_and_problems_fit_too(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    made = (await client.post("/v1/moderate", json=message(BLOCKED))).json()["incident_id"]
    fits(document, "IncidentOut", (await client.get(f"/v1/incidents/{made}")).json())
    fits(document, "Problem", (await client.post("/v1/moderate", json={})).json())
    fits(document, "Problem", (await client.get("/v1/nope")).json())


async def test_every_route_declares_its_errors(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    problem = jsonschema_rs.validator_for({"$ref": "#/components/schemas/Problem", **document})
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], path
            if not path.startswith("/v1/"):
                continue
            declared = set(operation["responses"])
            assert declared >= {"401", "403", "422", "429", "500", "503"}, path
            if method in ("post", "put") and not path.startswith("/v1/hooks/"):
                assert declared >= {"400", "413", "415"}, path
            refusals = [response for status, response in operation["responses"].items() if status >= "4"]
            assert all(set(refusal["content"]) == {"application/problem+json"} for refusal in refusals), path
            for status, response in operation["responses"].items():
                if status >= "4":
                    sample = response["content"]["application/problem+json"]["example"]
                    assert str(sample["status"]) == status
                    problem.validate(sample)


def test_the_examples_of_errors_are_errors_of_the_tree() -> None:
    kinds, found = [ShenyanError], set()
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        found.add((kind.status, kind.title))
    assert {(status, problem["title"]) for status, problem in examples.PROBLEMS.items()} <= found


async def test_the_page_names_no_other_host_and_every_code(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert page.status_code == 200
    # What is an address there is an example in a schema; nothing is loaded.
    assert "<script" not in page.text
    assert "src=" not in page.text
    assert not re.search("(href|action|url)[=(][\"']?https?://", page.text)
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    for operation in OPERATIONS:
        assert operation.path in page.text
    assert "id='error-idempotency_conflict'" in page.text


@pytest.fixture(scope="module")
def served(live: Live, _migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The service on a loopback port, for a client that is not asynchronous."""
    folder = tmp_path_factory.mktemp("served")
    shutil.copy(_migrated_sqlite, folder / "shenyan.db")
    app = create_app(Settings(data_dir=folder, admin_key=ADMIN), live)  # type: ignore[arg-type]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_no_request_made_from_the_document_makes_a_5xx(served: str, mode: GenerationMode) -> None:
    """Bounded: some requests for each operation, good ones and bad ones."""
    document = httpx.get(f"{served}/openapi.json", timeout=60).json()
    schema = schemathesis.openapi.from_dict(document)
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        raw = operation.definition.raw
        if mode == GenerationMode.NEGATIVE and not (raw.get("parameters") or raw.get("requestBody")):
            continue  # there is nothing that could be wrong

        trying(operation, mode, served)()


def trying(operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode, served: str) -> Callable[[], None]:
    """A test that sends requests made from the description of an operation."""
    declared = {*operation.definition.raw["responses"], "404", "405"}

    @settings(
        max_examples=MAX_EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def try_it(case: Case[Any]) -> None:
        response = case.call(base_url=served, headers=HEADERS, timeout=60)
        assert response.status_code < 500, (case.as_curl_command(), response.text)
        assert str(response.status_code) in declared, (case.as_curl_command(), response.text)

    return cast(Callable[[], None], try_it)
