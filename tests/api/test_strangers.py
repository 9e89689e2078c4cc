"""What one tenant has does not exist for another: every route of the OpenAPI document, with every role's key.

A new path parameter, or a new list, is tried as soon as the document has it; the test says which id it lacks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.api.conftest import ADMIN, BLOCKED, Running, message
from tests.api.test_access import BODIES, OPEN, PROVED, ROLES

SECRET = "jia-own-secret"
MARK = "只有甲知道"
"""In everything that the one tenant names or writes."""
TEXT = f"{BLOCKED}，{MARK}"
OWN_NOW = {"PUT /v1/shops/{shop_id}", "PUT /v1/policies/{platform}", "POST /v1/policies/{platform}/rollback"}
"""What makes something of the caller's own under that name; the other's stays as it was."""
NOBODY = {"platform": "taobao"}
EVERYBODYS = {"platform"}
"""Not of a tenant: a word of the vocabulary."""


async def furnish(client: httpx.AsyncClient) -> dict[str, str]:
    """Something of every kind; by the name of the path parameter, its id."""

    async def make(method: str, path: str, body: Any, **headers: str) -> Any:
        answer = await client.request(method, path, json=body, headers=headers)
        assert answer.status_code < 300, (path, answer.text)
        return answer.json()

    await make("PUT", "/v1/shops/jia-shop", {"platform": "kuaishou", "ladders": ["ten_point"]})
    endpoint = await make("POST", "/v1/webhook-endpoints", {"url": f"https://93.184.216.34/{MARK}", "enabled": True})
    of = {"shop_id": "jia-shop", "agent_id": "jia-agent"}
    incident = await make("POST", "/v1/moderate", message(TEXT, message_id="jia-1", customer_id="jia-customer", **of))
    lost = {"points": 9, "scheme": "ten_point", "note": MARK, **of}
    entry = await make("POST", "/v1/ledger/adjustments", lost)
    sanction = (await make("GET", "/v1/sanctions", None))["items"][0]
    deliveries = await make("GET", f"/v1/webhook-endpoints/{endpoint['id']}/deliveries", None)
    await make("POST", "/v1/lexicons", {"name": "jia-words", "description": MARK})
    base = "/v1/lexicons/jia-words"
    term = {"id": "contact/jia", "pattern": MARK, "category": "contact", "severity": "high"}
    await make("POST", f"{base}/terms", term)
    await make("POST", f"{base}/exceptions", {"phrase": f"{MARK}吗"})
    case = await make("POST", f"{base}/cases", {"text": MARK, "expect": "hit"})
    tried = {"messages": [{"text": MARK, "platform": "jd"}]}
    job = await make("POST", f"{base}/backtest", tried)
    await make("PUT", "/v1/policies/jd", {})
    connection = await make(
        "POST", "/v1/connections", BODIES["/v1/connections"] | {"secret": SECRET, "shop_id": "jia-shop"}
    )
    key = await make("POST", "/v1/keys", {"name": MARK, "role": "client"})
    return {
        **of,
        "incident_id": incident["incident_id"],
        "sanction_id": sanction["id"],
        "name": "jia-words",
        "term_id": "contact/jia",
        "phrase": f"{MARK}吗",
        "case_id": case["id"],
        "job_id": job["id"],
        "connection_id": connection["id"],
        "key_id": key["id"],
        "endpoint_id": endpoint["id"],
        "delivery_id": deliveries["items"][0]["id"],
        "platform": "jd",
        "entry": entry["entry"]["id"] if "entry" in entry else entry["entries"][0]["id"],
        "secrets": "\n".join((key["key"], endpoint["secret"])),
    }


def tried(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        if path not in OPEN and not path.startswith(PROVED):
            for method, operation in methods.items():
                yield path, method.upper(), operation


async def seen(client: httpx.AsyncClient, document: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    """All that can be read, by address."""
    found = {}
    for path, method, _ in tried(document):
        url = re.sub(r"{(\w+)}", lambda name: ids[name[1]], path)
        if method == "GET":
            answer = await client.get(url)
            found[url] = answer.text if answer.status_code == 200 else answer.status_code
    return found


async def ask(client: httpx.AsyncClient, method: str, path: str, body: Any, ids: dict[str, str]) -> httpx.Response:
    """A request to a route of the document; the names of `ids` stand in for its parameters."""
    url = re.sub(r"{(\w+)}", lambda name: ids.get(name[1], "nobodys"), path)
    if path.endswith("/import"):
        return await client.post(url, content="id,pattern\n", headers={"Content-Type": "text/csv"})
    return await client.request(method, url, json=body if method != "GET" else None, headers={"If-Match": '"1"'})


def as_of_nobody(answer: httpx.Response, nobodys: httpx.Response, ids: dict[str, str], inside: list[str]) -> bool:
    """Whether a name that nobody has gets the same answer, such as the standing of an agent who never did anything."""
    said = answer.text
    for name in inside:
        said = said.replace(ids[name], "nobodys")
    if answer.status_code == nobodys.status_code == 412:
        return True
    return answer.status_code == nobodys.status_code == 200 and nobodys.text == said


async def test_a_stranger_finds_nothing_and_changes_nothing(
    service: Running, client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    document = service.app.openapi()
    ids = await furnish(client)
    lacking = {name for path, *_ in tried(document) for name in re.findall(r"{(\w+)}", path)} - ids.keys()
    assert not lacking, f"furnish() must make one of another tenant: {lacking}"
    keys = {role: await service.key(role, "stranger") for role in ROLES}
    before = await seen(client, document, ids)
    unspeakable = [MARK, TEXT, SECRET, ADMIN, *ids["secrets"].split(), *keys.values()]
    bodies = BODIES | {
        "/v1/ledger/adjustments": {"reverses": ids["entry"], "note": "x"},
        "/v1/incidents/review": {"reviews": [{"incident_id": ids["incident_id"], "verdict": "upheld", "note": "x"}]},
    }
    for path, method, operation in sorted(tried(document), key=lambda each: f"{each[1]} {each[0]}" in OWN_NOW):
        inside = re.findall(r"{(\w+)}", path)
        foreign = bool(set(inside) - EVERYBODYS) or path == "/v1/ledger/adjustments"
        for role, key in keys.items():
            what = (method, path, role)
            async with service.as_key(key) as stranger:
                answer = await ask(stranger, method, path, bodies.get(path), ids)
                nobodys = (
                    answer
                    if answer.status_code in (403, 404)
                    else await ask(stranger, method, path, bodies.get(path), NOBODY)
                )
            if role not in operation["x-roles"]:
                assert answer.status_code == 403, what
            elif foreign and f"{method} {path}" not in OWN_NOW:
                assert answer.status_code == 404 or as_of_nobody(answer, nobodys, ids, inside), (*what, answer.text)
            if path == "/v1/incidents/review" and answer.status_code == 200:
                assert [each["status"] for each in answer.json()["results"]] == [404], what
            if method == "GET" and not foreign:
                assert not [each for each in ids.values() if len(each) > 10 and each in answer.text], (
                    *what,
                    answer.text,
                )
            said = answer.text.replace(ids["phrase"], "")
            assert not [each for each in unspeakable if each in said], (*what, answer.text)
    assert await seen(client, document, ids) == before
    told = capsys.readouterr().err + (await client.get("/metrics")).text
    assert "jia-words" not in (await client.get("/metrics")).text
    assert not [each for each in unspeakable if each in told]
