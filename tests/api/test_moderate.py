"""The main job over HTTP, on SQLite and on PostgreSQL."""

from __future__ import annotations

import base64
import json
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image

from service import __version__
from service.errors import Unavailable
from service.record.storing import Entry, Written
from service.text.span import utf16_offset
from tests.api.conftest import BLOCKED, CLEAN, Running, message

CARD = "6222021234567894"  # passes Luhn, belongs to nobody


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


async def post(client: httpx.AsyncClient, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    response = await client.post("/v1/moderate", json=body, headers=headers)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def test_a_clean_message_is_allowed_and_leaves_nothing(client: httpx.AsyncClient) -> None:
    answer = await post(client, message(CLEAN))
    assert answer["decision"] == "allow"
    assert answer["findings"] == answer["dismissed"] == answer["degraded"] == []
    assert (answer["incident_id"], answer["recorded"], answer["replayed"]) == (None, "none", False)
    assert answer["masked_text"] == CLEAN
    assert answer["penalty"] == {"forecast": [], "exposure": []}
    assert set(answer["versions"]) == {"engine", "lexicon", "policy"}
    assert answer["versions"]["engine"] == __version__
    assert answer["latency_ms"] >= 0
    assert (await client.get("/v1/incidents")).json()["items"] == []


async def test_a_block_is_kept_before_the_answer_leaves(client: httpx.AsyncClient) -> None:
    text = "😀" + BLOCKED
    answer = await post(
        client, message(text, conversation_id="c", customer_id="u", sent_at="2026-03-01T23:30:00+08:00")
    )
    assert (answer["decision"], answer["recorded"]) == ("block", "database")
    assert answer["agent_message"]
    finding = next(each for each in answer["findings"] if each["category"] == "counterfeit")
    assert text[finding["start"] : finding["end"]] == finding["text"] == "高仿"
    assert finding["utf16_start"] == utf16_offset(text, finding["start"]) == finding["start"] + 1
    assert finding["utf16_end"] == finding["end"] + 1
    assert answer["masked_text"][finding["start"] : finding["end"]] == "**"

    response = await client.get(f"/v1/incidents/{answer['incident_id']}")
    incident = response.json()
    assert response.status_code == 200
    assert incident["text"] == text
    assert incident["findings"] == answer["findings"]
    assert incident["request_id"] == answer["request_id"]
    assert (incident["platform"], incident["shop_id"], incident["agent_id"]) == ("kuaishou", "shop-1", "agent-1")
    assert (incident["conversation_id"], incident["customer_id"]) == ("c", "u")
    assert incident["sent_at"] == "2026-03-01T15:30:00Z"
    assert incident["versions"]["lexicon"] == answer["versions"]["lexicon"]


async def test_words_come_in_the_language_asked_for(client: httpx.AsyncClient) -> None:
    chinese = await post(client, message(BLOCKED))
    english = await post(client, message(BLOCKED), **{"Accept-Language": "en-GB,zh;q=0.5"})
    assert english["agent_message"].isascii()
    assert not chinese["agent_message"].isascii()
    assert english["findings"][0]["reason"] != chinese["findings"][0]["reason"]


async def test_nul_is_a_character_like_any_other(client: httpx.AsyncClient) -> None:
    text = f"\0{BLOCKED}\0"
    answer = await post(client, message(text, agent_id="a\0b"))
    (incident,) = (await client.get("/v1/incidents", params={"agent_id": "a\0b"})).json()["items"]
    assert incident["id"] == answer["incident_id"]
    assert incident["text"] == text.replace("\0", "␀")
    assert (await client.get("/v1/incidents", params={"text": "\0亲"})).json()["items"] == [incident]


async def test_what_is_stored_has_no_card_number_in_it(service: Running, client: httpx.AsyncClient) -> None:
    text = f"卡号{CARD}，高仿"
    body = message(text, platform="pinduoduo", message_id="m-card", explain=True)
    answer = await post(client, body)
    card = next(each for each in answer["findings"] if each["category"] == "bank_account" and CARD in each["text"])
    incident = (await client.get(f"/v1/incidents/{answer['incident_id']}")).json()
    assert len(incident["text"]) == len(text)
    assert "*" * len(CARD) in incident["text"]
    assert any(each["text"] == incident["text"][card["start"] : card["end"]] for each in incident["findings"])
    async with service.state["database"].read() as connection:
        rows = [*(await connection.exec_driver_sql("SELECT * FROM incidents")).all()]
        rows += (await connection.exec_driver_sql("SELECT * FROM replies")).all()
    assert len(rows) == 2
    assert CARD not in repr(rows)
    assert await post(client, body) == answer | {"replayed": True}


async def test_analyze_decides_the_same_and_keeps_nothing(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/analyze", json={"text": BLOCKED, "platform": "kuaishou", "message_id": "m"})
    answer = response.json()
    assert (answer["decision"], answer["recorded"], answer["incident_id"]) == ("block", "none", None)
    assert (await client.get("/v1/incidents")).json()["items"] == []
    assert 'action="block",platform="kuaishou"} 0.0' in (await client.get("/metrics")).text


async def test_a_store_that_fails_does_not_let_a_block_through(
    service: Running, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(entry: Entry) -> Written:
        raise Unavailable("the disk is full")

    monkeypatch.setattr(service.state["pipeline"]._writer, "write", fail)
    answer = await post(client, message(BLOCKED, message_id="m"))
    assert (answer["decision"], answer["recorded"], answer["incident_id"]) == ("block", "none", None)
    assert answer["degraded"] == ["record: incident not stored"]
    ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()["code"]) == (503, "not_ready")
    assert ready.headers["retry-after"] == "1"
    assert 'shenyan_degraded_total{part="record"} 1.0' in (await client.get("/metrics")).text


async def test_a_batch_answers_in_order(client: httpx.AsyncClient) -> None:
    texts = [CLEAN, BLOCKED, CLEAN, BLOCKED]
    response = await client.post("/v1/moderate/batch", json={"messages": [message(text) for text in texts]})
    results = response.json()["results"]
    assert [each["status"] for each in results] == [200] * 4
    assert [each["body"]["decision"] for each in results] == ["allow", "block", "allow", "block"]
    assert len((await client.get("/v1/incidents")).json()["items"]) == 2


async def test_a_picture_alone_is_enough_and_an_address_is_not_fetched(client: httpx.AsyncClient) -> None:
    picture = BytesIO()
    Image.new("RGB", (8, 8), "white").save(picture, "PNG")
    data = base64.b64encode(picture.getvalue()).decode()
    inspected = await post(client, message("", attachments=[{"type": "image", "data": data}]))
    assert (inspected["decision"], inspected["degraded"]) == ("allow", [])
    unseen = [{"type": "image", "url": "https://example.com/a.png"}] * 2
    answer = await post(client, message("", attachments=unseen))
    assert "qr_image: 2 not fetched" in answer["degraded"]


async def test_what_a_shop_owns_passes(client: httpx.AsyncClient) -> None:
    text = "退货请寄到浙江省杭州市余杭区文一西路969号3栋，电话13800138000"
    body = message(text, platform="pinduoduo", shop_id="own")
    before = {each["category"] for each in (await post(client, body))["findings"]}
    shop = {"platform": "pinduoduo", "assets": {"phones": ["138-0013-8000"]}}
    assert (await client.put("/v1/shops/own", json=shop)).status_code == 200
    after = {each["detector"] for each in (await post(client, body))["findings"]}
    assert before
    assert "phones" not in after


async def test_half_a_character_refuses_its_own_message_only(client: httpx.AsyncClient) -> None:
    halves = json.dumps({"messages": [message(), message("half \ud800"), message(BLOCKED)]}).encode()
    response = await client.post("/v1/moderate/batch", content=halves, headers={"Content-Type": "application/json"})
    results = response.json()["results"]
    assert [each["status"] for each in results] == [200, 422, 200]
    assert results[1]["body"]["errors"][0]["pointer"] == "/text"
    for wrong in (b'{"messages": [], "x": "\\ud800"}', b'{"messages": "\\ud800"}', b'["\\ud800"]'):
        answer = await client.post("/v1/moderate/batch", content=wrong, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422
