"""Keys and roles: the table of the contract, tried on every route of the OpenAPI document."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from service.api import access
from service.errors import Unauthorized
from service.record.keys import Role
from tests.api.conftest import CLEAN, Running, message

ROLES: tuple[Role, ...] = ("client", "editor", "supervisor", "admin")
# The contract's table, by the first word after /v1/ and whether something is changed.
TABLE: dict[tuple[str, bool], set[str]] = {
    ("moderate", True): {"client", "admin"},
    ("analyze", True): {"client", "admin"},
    ("moderations", True): {"client", "admin"},
    ("incidents", False): {"client", "supervisor", "admin"},
    ("stats", False): {"supervisor", "admin"},
    ("reviews", False): {"supervisor", "admin"},
    ("agents", False): {"supervisor", "admin"},
    ("ledger", True): {"supervisor", "admin"},
    ("sanctions", False): {"supervisor", "admin"},
    ("sanctions", True): {"supervisor", "admin"},
    ("ladders", True): {"supervisor", "admin"},
    ("incidents", True): {"client", "admin"},
    ("shops", False): {"editor", "admin"},
    ("shops", True): {"editor", "admin"},
    ("lexicons", False): {"editor", "admin"},
    ("lexicons", True): {"editor", "admin"},
    ("tenant", False): {"admin"},
    ("tenant", True): {"admin"},
    ("policies", False): {"editor", "admin"},
    ("policies", True): {"editor", "admin"},
    ("jobs", False): {"editor", "admin"},
    ("convergence", False): {"editor", "admin"},
    ("keys", False): {"admin"},
    ("keys", True): {"admin"},
    ("audit", False): {"admin"},
    ("connections", False): {"admin"},
    ("connections", True): {"admin"},
    ("providers", False): {"admin"},
    ("webhook-endpoints", False): {"admin"},
    ("webhook-endpoints", True): {"admin"},
}
# What a supervisor does under another role's word.
SUPERVISED = {
    "/v1/incidents/review",
    "/v1/incidents/{incident_id}/review",
    "/v1/incidents/{incident_id}/claim",
    "/v1/shops/{shop_id}/standing",
}
OPEN = {"/livez", "/readyz", "/metrics"}
# Public by design: chat tools have no key of ours, their own signature on each call is the proof.
PROVED = "/v1/hooks/"
BODIES: dict[str, Any] = {
    "/v1/moderate": message(CLEAN),
    "/v1/moderate/batch": {"messages": [message(CLEAN)]},
    "/v1/analyze": message(CLEAN),
    "/v1/moderations": {"input": CLEAN},
    "/v1/keys": {"name": "x", "role": "client"},
    "/v1/shops/{shop_id}": {"platform": "jd"},
    "/v1/incidents/{incident_id}/override": {"reason": "x"},
    "/v1/incidents/{incident_id}/appeal": {"reason": "x"},
    "/v1/incidents/{incident_id}/claim": {"minutes": 1},
    "/v1/incidents/{incident_id}/review": {"verdict": "upheld", "note": "x"},
    "/v1/incidents/review": {"reviews": [{"incident_id": "x", "verdict": "upheld", "note": "x"}]},
    "/v1/ledger/adjustments": {"reverses": "x", "note": "x"},
    "/v1/sanctions/{sanction_id}/lift": {"reason": "x"},
    "/v1/ladders/simulate": {"ladder": "ten_point"},
    "/v1/lexicons": {"name": "words"},
    "/v1/lexicons/{name}": {"description": "x"},
    "/v1/lexicons/{name}/terms": {"id": "contact/x", "pattern": "绿泡泡", "category": "contact", "severity": "high"},
    "/v1/lexicons/{name}/terms/{term_id}": {"severity": "low"},
    "/v1/lexicons/{name}/exceptions": {"phrase": "绿泡泡糖"},
    "/v1/lexicons/{name}/cases": {"text": "绿泡泡", "expect": "hit"},
    "/v1/lexicons/{name}/backtest": {"messages": [{"text": CLEAN, "platform": "jd"}]},
    "/v1/lexicons/{name}/publish": {"note": "x"},
    "/v1/lexicons/{name}/rollback": {"version": "x"},
    "/v1/lexicons/{name}/shadow": {},
    "/v1/lexicons/{name}/shadow/promote": {},
    "/v1/policies/{platform}": {},
    "/v1/connections": {"provider": "easemob", "secret": "s", "platform": "jd", "shop_id": "x"},
    "/v1/connections/{connection_id}": {"enabled": False},
    "/v1/connections/{connection_id}/rotate": {"token": True},
    "/v1/connections/{connection_id}/test": {},
    "/v1/webhook-endpoints": {"url": "https://93.184.216.34/", "enabled": False},
    "/v1/webhook-endpoints/{endpoint_id}": {"enabled": False},
    "/v1/webhook-endpoints/{endpoint_id}/rotate": {"overlap_hours": 1},
    "/v1/policies/{platform}/rollback": {"revision": 0},
    "/v1/shops/{shop_id}/rollback": {"revision": 1},
    "/v1/tenant": {"sampling": {"rate": 0.1}},
}
# Let in, and then refused for the state that the one before left or for a precondition that is not sent here.
REFUSED_INSIDE = {"not_found", "exists", "precondition_required"}


def routes(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method.upper(), operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if path not in OPEN and not path.startswith(PROVED)
    ]


async def test_every_route_lets_in_the_roles_of_the_table_and_no_other(service: Running) -> None:
    keys = {role: await service.key(role) for role in ROLES}
    for path, method, operation in routes(service.app.openapi()):
        allowed = {"supervisor", "admin"} if path in SUPERVISED else TABLE[path.split("/")[2], method != "GET"]
        assert set(operation["x-roles"]) == allowed, path
        url = path.replace("{platform}", "jd").replace("{", "").replace("}", "")
        for role, key in keys.items():
            async with service.as_key(key) as client:
                if path.endswith("/import"):
                    response = await client.post(url, content="id,pattern\n", headers={"Content-Type": "text/csv"})
                else:
                    response = await client.request(method, url, json=BODIES.get(path) if method != "GET" else None)
            if role in allowed:
                let_in = response.status_code < 400 or response.json()["code"] in REFUSED_INSIDE
                assert let_in, (method, path, role, response.text)
            else:
                assert (response.status_code, response.json()["code"]) == (403, "forbidden"), (method, path, role)


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer wrong", "Bearer " + "k" * 9999, "Bearer ключ".encode()],
)
async def test_without_a_good_key_nobody_comes_in(service: Running, header: str | bytes | None) -> None:
    headers: dict[str, Any] = {} if header is None else {"Authorization": header}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(service.asgi), base_url="http://test") as client:
        for path, method, _ in routes(service.app.openapi()):
            response = await client.request(method, path, json={}, headers=headers)
            assert (response.status_code, response.json()["code"]) == (401, "unauthorized"), (method, path)
            assert response.headers["www-authenticate"] == "Bearer"
        for path in OPEN:
            assert (await client.get(path)).status_code == 200


async def test_a_hook_asks_for_no_key_but_for_the_tools_proof(service: Running, client: httpx.AsyncClient) -> None:
    hooks = {path: methods for path, methods in service.app.openapi()["paths"].items() if path.startswith(PROVED)}
    assert [each.rsplit("/", 1)[1] for each in hooks] == ["{connection_id}", "{rest}"]
    assert not any("security" in operation for methods in hooks.values() for operation in methods.values())
    made = await client.post("/v1/connections", json=BODIES["/v1/connections"])
    for method, path in [("GET", made.json()["id"]), ("POST", made.json()["id"]), ("POST", made.json()["id"] + "/x")]:
        # Not even the admin's key is proof.
        response = await client.request(method, PROVED + path, json={"payload": {}})
        assert (response.status_code, response.json()["code"]) == (401, "hook_refused"), (method, path)
    assert (await client.post(PROVED + "nobody", json={})).status_code == 404


async def test_a_revoked_key_is_refused_at_once(service: Running, client: httpx.AsyncClient) -> None:
    made = (await client.post("/v1/keys", json={"name": "x", "role": "client"})).json()
    async with service.as_key(made["key"]) as other:
        assert (await other.post("/v1/moderate", json=message())).status_code == 200
        assert (await client.delete(f"/v1/keys/{made['id']}")).status_code == 204
        assert (await other.post("/v1/moderate", json=message())).status_code == 401


async def test_a_key_that_is_revoked_elsewhere_is_refused_soon(
    service: Running, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "KEY_SECONDS", 0.0)
    keys = access.Keys(service.state["database"])
    made = (await client.post("/v1/keys", json={"name": "x", "role": "client"})).json()
    header = f"Bearer {made['key']}".encode()
    assert (await keys.admit(header, frozenset({"client"}))).id == made["id"]
    async with service.state["database"].write() as connection:
        await connection.exec_driver_sql("UPDATE api_keys SET revoked_at = created_at")
    with pytest.raises(Unauthorized):
        await keys.admit(header, frozenset({"client"}))


async def test_a_key_may_ask_only_so_often(service: Running) -> None:
    async with service.as_key(await service.key("client", rate_limit="2/day")) as client:
        statuses = [(await client.post("/v1/moderate", json=message())).status_code for _ in range(2)]
        response = await client.post("/v1/moderate", json=message())
    assert statuses == [200, 200]
    assert (response.status_code, response.json()["code"]) == (429, "rate_limited")
    assert 0 < int(response.headers["retry-after"]) <= 24 * 3600


async def test_a_batch_counts_its_messages(service: Running) -> None:
    async with service.as_key(await service.key("client", rate_limit="5/day")) as client:

        async def send(path: str, body: object) -> tuple[int, str]:
            response = await client.post(path, json=body)
            return response.status_code, response.json().get("detail", "")

        three = {"messages": [message(CLEAN)] * 3}
        assert (await send("/v1/moderate/batch", three))[0] == 200
        assert await send("/v1/moderate/batch", {"messages": [message(CLEAN)] * 6}) == (
            429,
            "This key may send 5 messages a day, and these are 6; send fewer together.",
        )
        assert (await send("/v1/moderations", {"input": ["a", "b"]}))[0] == 429
        assert (await send("/v1/moderate", message(CLEAN)))[0] == 429
