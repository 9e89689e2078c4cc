"""The road of an editor, over HTTP, on both databases: from a word to what every worker serves, and back again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from service.errors import DataError
from tests.api.conftest import Running, running

PIGEON: dict[str, Any] = {
    "pattern": "蓝鸽号",
    "category": "contact",
    "severity": "high",
    "match": "substring",
    "disguises": ["homophone"],
    "hits": ["留个蓝鸽号方便联系"],
    "passes": ["这款抱枕是蓝鸽图案的"],
}
BASE = "/v1/lexicons/shop-words"
TERM = f"{BASE}/terms/contact/蓝鸽号"


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
async def editor(service: Running) -> httpx.AsyncClient:
    client = service.as_key(await service.key("editor"))
    made = await client.post("/v1/lexicons", json={"name": "shop-words", "description": "ours"})
    assert made.status_code == 201, made.text
    return client


async def analyze(service: Running, text: str, **fields: Any) -> dict[str, Any]:
    response = await service.client.post("/v1/analyze", json={"text": text, "platform": "pinduoduo", **fields})
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


async def publish(editor: httpx.AsyncClient, **headers: str) -> str:
    made = await editor.post(f"{BASE}/publish", json={}, headers=headers)
    assert made.status_code == 200, made.text
    version: str = made.json()["version"]
    return version


async def within_a_second(ask: Callable[[], Awaitable[dict[str, Any]]], version: str) -> None:
    """Waits until answers name `version`."""
    async with asyncio.timeout(1):
        while not (await ask())["versions"]["lexicon"].endswith(f"@{version}"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_the_whole_road(service: Running, editor: httpx.AsyncClient) -> None:
    added = await editor.post(f"{BASE}/terms", json=PIGEON, headers={"X-Audit-Reason": "new messenger"})
    assert (added.status_code, added.headers["etag"]) == (201, '"1"')
    assert added.json()["id"] == "contact/蓝鸽号"
    assert (await analyze(service, "留个蓝鸽号"))["decision"] == "allow"

    case = await editor.post(f"{BASE}/cases", json={"text": "兰鸽号多少", "expect": "hit", "platform": "pinduoduo"})
    assert case.status_code == 201
    draft = (await editor.get(f"{BASE}/draft")).json()
    assert [(each["change"], each["id"]) for each in draft["changes"]] == [("added", "contact/蓝鸽号")]
    assert draft["publishable"] is True
    assert [each["rule"] for each in draft["lint"]] == ["no_reason"]
    assert draft["failed_cases"] == []

    version = await publish(editor)
    assert version == draft["draft_version"]
    answer = await analyze(service, "兰鸽号多少")
    assert answer["decision"] == "block"
    assert answer["versions"]["lexicon"].endswith(f"+shop-words@{version}")
    assert [(found["term_id"], found["lexicon"]) for found in answer["findings"]] == [("contact/蓝鸽号", "shop-words")]
    convergence = (await editor.get("/v1/convergence")).json()
    assert convergence["converged"] is True
    assert [each["version"] for each in convergence["workers"]] == [answer["versions"]["lexicon"]]

    await editor.patch(TERM, json={"severity": "low"}, headers={"If-Match": added.headers["etag"]})
    refused = await editor.post(f"{BASE}/publish", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "cases_failed")
    assert "兰鸽号多少" in refused.json()["errors"][0]["detail"]
    assert (await analyze(service, "兰鸽号多少"))["decision"] == "block"
    await editor.delete(f"{BASE}/cases/{case.json()['id']}")
    second = await publish(editor)
    assert (await analyze(service, "兰鸽号多少"))["decision"] != "block"

    back = await editor.post(f"{BASE}/rollback", json={"version": version, "note": "night"})
    assert (back.status_code, back.json()["version"]) == (200, version)
    assert (await analyze(service, "兰鸽号多少"))["decision"] == "block"
    listed = (await editor.get(f"{BASE}/versions")).json()["items"]
    assert [(each["action"], each["version"]) for each in listed] == [
        ("rollback", version), ("publish", second), ("publish", version),
    ]  # fmt: skip

    entries = (await service.client.get("/v1/audit?limit=50")).json()["items"]
    assert [entry["action"] for entry in reversed(entries)] == [
        "lexicon.create", "term.add", "case.add", "lexicon.publish", "term.change", "case.delete", "lexicon.publish",
        "lexicon.rollback",
    ]  # fmt: skip
    assert entries[-2]["reason"] == "new messenger"
    assert entries[3]["before"]["body"]["severity"] == "high"


async def test_a_lexicon_is_out_of_service_when_it_is_switched_off_or_deleted(
    service: Running, editor: httpx.AsyncClient
) -> None:
    await editor.post(f"{BASE}/terms", json=PIGEON)
    await publish(editor)
    off = await editor.patch(BASE, json={"enabled": False})
    assert off.json()["enabled"] is False
    assert (await analyze(service, "留个蓝鸽号"))["decision"] == "allow"
    await editor.patch(BASE, json={"enabled": True})
    assert (await analyze(service, "留个蓝鸽号"))["decision"] == "block"
    assert (await editor.delete(BASE)).status_code == 204
    answer = await analyze(service, "留个蓝鸽号")
    assert (answer["decision"], "+" in answer["versions"]["lexicon"]) == ("allow", False)
    assert (await editor.get(BASE)).status_code == 404


async def test_a_shipped_word_is_switched_off_and_comes_back(service: Running, editor: httpx.AsyncClient) -> None:
    text = "亲，这款是高仿的"
    ids = {found["term_id"] for found in (await analyze(service, text))["findings"]}
    for term_id in ids:
        made = await editor.post(f"{BASE}/terms", json={"id": term_id, "state": "off"})
        assert (made.status_code, made.json()["state"]) == (201, "off")
    await publish(editor)
    assert (await analyze(service, text))["findings"] == []
    for term_id in ids:
        await editor.delete(f"{BASE}/terms/{term_id}", headers={"If-Match": "*"})
    await publish(editor)
    assert {found["term_id"] for found in (await analyze(service, text))["findings"]} == ids


async def test_an_exception_stops_a_false_hit(service: Running, editor: httpx.AsyncClient) -> None:
    await editor.post(f"{BASE}/terms", json=PIGEON)
    made = await editor.post(f"{BASE}/exceptions", json={"phrase": "蓝鸽号游轮", "passes": ["蓝鸽号游轮的船票"]})
    assert made.status_code == 201
    await publish(editor)
    assert (await analyze(service, "蓝鸽号游轮的船票"))["decision"] == "allow"
    listed = (await editor.get(f"{BASE}/exceptions")).json()["items"]
    assert [each["phrase"] for each in listed] == ["蓝鸽号游轮"]
    gone = await editor.delete(f"{BASE}/exceptions/蓝鸽号游轮", headers={"If-Match": made.headers["etag"]})
    assert gone.status_code == 204
    await publish(editor)
    assert (await analyze(service, "蓝鸽号游轮的船票"))["decision"] == "block"


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ({**PIGEON, "hits": ["没有这个词"]}, "missed"),
        ({**PIGEON, "passes": ["留个蓝鸽号"]}, "false_hit"),
        ({**PIGEON, "pattern": "鸽", "hits": []}, "single_character"),
        ({**PIGEON, "pattern": "您", "match": "word", "hits": []}, "ordinary_sentence"),
        ({**PIGEON, "pattern": "！！", "hits": [], "id": "contact/x"}, "empty"),
        ({"id": "contact/no-such-term", "state": "off"}, "nothing_to_switch_off"),
    ],
)
async def test_what_is_wrong_is_not_published(
    service: Running, editor: httpx.AsyncClient, body: dict[str, Any], rule: str
) -> None:
    assert (await editor.post(f"{BASE}/terms", json=body)).status_code == 201
    refused = await editor.post(f"{BASE}/publish", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "lint_failed")
    assert refused.json()["errors"][0]["detail"].startswith(f"{rule}: ")
    draft = (await editor.get(f"{BASE}/draft")).json()
    assert draft["publishable"] is False
    assert (await analyze(service, "您好"))["versions"]["lexicon"].count("@") == 1


async def test_two_editors_cannot_overwrite_each_other(editor: httpx.AsyncClient) -> None:
    etag = (await editor.post(f"{BASE}/terms", json=PIGEON)).headers["etag"]
    first = await editor.patch(TERM, json={"severity": "low"}, headers={"If-Match": etag})
    assert (first.status_code, first.json()["severity"], first.json()["pattern"]) == (200, "low", "蓝鸽号")
    second = await editor.patch(TERM, json={"severity": "medium"}, headers={"If-Match": etag})
    assert (second.status_code, second.json()["code"]) == (412, "stale")
    assert (await editor.delete(TERM, headers={"If-Match": etag})).status_code == 412
    assert (await editor.patch(TERM, json={"severity": "medium"})).status_code == 428
    assert (await editor.patch(TERM, json={}, headers={"If-Match": "x"})).status_code == 412
    incomplete = await editor.patch(TERM, json={"pattern": None}, headers={"If-Match": "*"})
    assert (incomplete.status_code, incomplete.json()["errors"][0]["pointer"]) == (422, "/pattern")
    assert (await editor.get(TERM)).json()["severity"] == "low"
    assert (await editor.post(f"{BASE}/publish", json={}, headers={"If-Match": etag})).status_code == 412
    draft = await editor.get(f"{BASE}/draft")
    await publish(editor, **{"If-Match": draft.headers["etag"]})


async def test_fifty_editors_at_once(editor: httpx.AsyncClient) -> None:
    async def add(number: int) -> int:
        body = {**PIGEON, "pattern": f"蓝鸽{number}号", "hits": [], "passes": []}
        return (await editor.post(f"{BASE}/terms", json=body)).status_code

    assert await asyncio.gather(*map(add, range(50))) == [201] * 50
    assert len((await editor.get(f"{BASE}/terms?limit=200")).json()["items"]) == 50
    assert (await editor.get(BASE)).json()["revision"] == 50

    etag = (await editor.get(f"{BASE}/terms/contact/蓝鸽7号")).headers["etag"]

    async def change(number: int) -> int:
        body = {"source": f"editor {number}"}
        path = f"{BASE}/terms/contact/蓝鸽7号"
        return (await editor.patch(path, json=body, headers={"If-Match": etag})).status_code

    statuses = await asyncio.gather(*map(change, range(50)))
    assert sorted(statuses) == [200] + [412] * 49


async def test_the_shipped_lexicon_can_only_be_read(editor: httpx.AsyncClient) -> None:
    listed = (await editor.get("/v1/lexicons")).json()["items"]
    assert [(each["name"], each["read_only"]) for each in listed] == [("builtin", True), ("shop-words", False)]
    terms = (await editor.get("/v1/lexicons/builtin/terms?category=contact&limit=3")).json()
    assert len(terms["items"]) == 3
    assert (await editor.get(f"/v1/lexicons/builtin/terms/{terms['items'][0]['id']}")).json() == terms["items"][0]
    assert (await editor.get("/v1/lexicons/builtin/exceptions")).status_code == 200
    for method, path in [
        ("POST", "/terms"), ("PATCH", ""), ("DELETE", ""), ("POST", "/publish"), ("POST", "/rollback"),
    ]:  # fmt: skip
        body = PIGEON if path == "/terms" else {}
        refused = await editor.request(method, f"/v1/lexicons/builtin{path}", json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "read_only")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"pattern": "x"}, "/category"),
        ({**PIGEON, "id": "abuse/x"}, "/id"),
        ({**PIGEON, "id": "contact/a b"}, "/id"),
        ({**PIGEON, "pattern": "a\x00b", "id": "contact/x"}, "/pattern"),
        ({**PIGEON, "valid_from": "2026-02-01", "valid_until": "2026-01-01"}, "/valid_until"),
        ({**PIGEON, "with": [" "]}, "/with"),
        ({**PIGEON, "unknown": 1}, "/unknown"),
        ({**PIGEON, "state": "off"}, "/id"),
    ],
)
async def test_a_bad_term_is_refused_at_its_place(
    editor: httpx.AsyncClient, body: dict[str, Any], pointer: str
) -> None:
    refused = await editor.post(f"{BASE}/terms", json=body)
    assert refused.status_code == 422
    assert pointer in [each["pointer"] for each in refused.json()["errors"]]


async def test_a_lexicon_of_another_tenant_is_not_there(service: Running, editor: httpx.AsyncClient) -> None:
    await editor.post(f"{BASE}/terms", json=PIGEON)
    await publish(editor)
    stranger = service.as_key(await service.key("admin", tenant="other"))
    for path in ("", "/terms", "/terms/contact/蓝鸽号", "/exceptions", "/cases", "/draft", "/versions"):
        assert (await stranger.get(f"{BASE}{path}")).status_code == 404
    answer = await stranger.post("/v1/analyze", json={"text": "留个蓝鸽号", "platform": "pinduoduo"})
    assert answer.json()["decision"] == "allow"


async def test_a_policy_is_live_at_once_and_keeps_its_revisions(service: Running, editor: httpx.AsyncClient) -> None:
    text = "亲，这款是高仿的"
    shipped = await editor.get("/v1/policies/pinduoduo")
    assert (shipped.json()["revision"], shipped.json()["changed"]["actions"]) == (0, {})
    assert (await analyze(service, text))["decision"] == "block"
    softer = {"actions": {"counterfeit": dict.fromkeys(("low", "medium", "high", "critical"), "warn")}}
    put = await editor.put("/v1/policies/pinduoduo", json=softer, headers={"If-Match": shipped.headers["etag"]})
    assert (put.status_code, put.json()["revision"]) == (200, 1)
    answer = await analyze(service, text)
    assert (answer["decision"], answer["versions"]["policy"]) == ("warn", put.json()["policy"])
    assert answer["versions"]["policy"].endswith("+r1")
    assert (await analyze(service, text, platform="taobao"))["decision"] == "block"
    stale = await editor.put("/v1/policies/pinduoduo", json={}, headers={"If-Match": shipped.headers["etag"]})
    assert stale.status_code == 412
    await editor.put("/v1/policies/pinduoduo", json={})
    assert (await analyze(service, text))["decision"] == "block"
    (entry, _) = [e for e in (await service.client.get("/v1/audit")).json()["items"] if e["action"] == "policy.put"]
    assert entry["before"]["actions"]["counterfeit"]["high"] == "warn"


async def test_a_publication_that_is_asked_for_again_is_the_same(service: Running, editor: httpx.AsyncClient) -> None:
    await editor.post(f"{BASE}/terms", json=PIGEON)
    first = await editor.post(f"{BASE}/publish", json={"note": "hurry"})
    again = await asyncio.gather(*(editor.post(f"{BASE}/publish", json={}) for _ in range(3)))
    assert [each.json() for each in again] == [first.json()] * 3
    assert len((await editor.get(f"{BASE}/versions")).json()["items"]) == 1


async def test_what_was_published_survives_a_restart(service: Running, editor: httpx.AsyncClient) -> None:
    await editor.post(f"{BASE}/terms", json=PIGEON)
    version = await publish(editor)
    live, settings = service.state["pipeline"].live, service.state["settings"]
    async with running(live, settings) as second:
        answer = await analyze(second, "留个蓝鸽号")
        assert answer["versions"]["lexicon"].endswith(f"@{version}")
        convergence = (await second.client.get("/v1/convergence")).json()
        assert (convergence["converged"], len(convergence["workers"])) == (True, 2)


async def test_another_worker_follows_within_a_second(service: Running, editor: httpx.AsyncClient) -> None:
    await editor.post(f"{BASE}/terms", json=PIGEON)
    async with running(service.state["pipeline"].live, service.state["settings"]) as second:
        version = await publish(editor)
        await within_a_second(lambda: analyze(second, "留个蓝鸽号"), version)
        await editor.post(f"{BASE}/terms", json={**PIGEON, "pattern": "绿鸽号", "hits": []})
        await publish(editor)
        await editor.post(f"{BASE}/rollback", json={})
        await within_a_second(lambda: analyze(second, "x"), version)


async def test_a_version_that_does_not_compile_never_replaces_a_good_one(
    service: Running, editor: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await editor.post(f"{BASE}/terms", json=PIGEON)
    await publish(editor)

    def fail(*_: object) -> None:
        raise DataError("broken")

    await editor.post(f"{BASE}/terms", json={**PIGEON, "pattern": "绿鸽号", "hits": []})
    monkeypatch.setattr(type(service.state["pipeline"].live), "compose", fail)
    await publish(editor)
    assert (await analyze(service, "留个蓝鸽号"))["decision"] == "block"
    convergence = (await editor.get("/v1/convergence")).json()
    assert (convergence["converged"], convergence["workers"][0]["problem"]) == (False, "broken")


async def test_no_answer_mixes_versions_while_versions_are_swapped(service: Running, editor: httpx.AsyncClient) -> None:
    made = await editor.post(f"{BASE}/terms", json={**PIGEON, "hits": [], "passes": []})
    blocking = await publish(editor)
    await editor.patch(TERM, json={"pattern": "绿鸽号"}, headers={"If-Match": made.headers["etag"]})
    other = await publish(editor)
    seen: set[tuple[str, str]] = set()
    done = asyncio.Event()

    async def ask() -> None:
        while not done.is_set():
            answer = await analyze(service, "留个蓝鸽号和绿鸽号")
            (found,) = answer["findings"]
            seen.add((answer["versions"]["lexicon"].rpartition("@")[2], found["term"]))
            await asyncio.sleep(0)  # without a network nothing else would let the editor have its turn

    asking = [asyncio.create_task(ask()) for _ in range(4)]
    for _ in range(5):
        for version in (blocking, other):
            assert (await editor.post(f"{BASE}/rollback", json={"version": version})).status_code in (200, 409)
    done.set()
    await asyncio.gather(*asking)
    assert seen == {(blocking, "蓝鸽号"), (other, "绿鸽号")}
