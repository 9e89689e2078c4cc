"""Every bad input gets the error that the contract describes: status, code, and a pointer to the place."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.api.conftest import Running, message

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = {"Content-Type": "application/json"}
BIG_PICTURE = base64.b64encode(b"\0" * (5 * 1024 * 1024 + 1)).decode()


def body(**fields: Any) -> bytes:
    return json.dumps(message(**fields), ensure_ascii=False).encode()


def without(name: str) -> bytes:
    return json.dumps({key: value for key, value in message().items() if key != name}).encode()


# name, path, body, headers, status, code, pointers
ROWS: list[tuple[str, str, bytes, dict[str, str], int, str, list[str]]] = [
    ("empty body", "moderate", b"", JSON, 400, "not_json", []),
    ("not JSON", "moderate", b"text=hi", JSON, 400, "not_json", []),
    ("cut off", "moderate", body()[:-9], JSON, 400, "not_json", []),
    ("two values", "moderate", b"{} {}", JSON, 400, "not_json", []),
    ("NaN", "moderate", b'{"text": NaN}', JSON, 400, "not_json", []),
    ("byte order mark", "moderate", b"\xef\xbb\xbf" + body(), JSON, 400, "not_json", []),
    ("UTF-16", "moderate", body().decode().encode("utf-16"), JSON, 400, "not_json", []),
    ("bytes that are no UTF-8", "moderate", body().replace(b"shop-1", b"\xff\xfe"), JSON, 400, "not_json", []),
    ("deep", "moderate", b'{"text":' + b"[" * 50_000 + b"]" * 50_000 + b"}", JSON, 400, "not_json", []),
    ("an array", "moderate", b"[]", JSON, 422, "malformed", [""]),
    ("a number", "moderate", b"1", JSON, 422, "malformed", [""]),
    ("huge number", "moderate", body(text=10**400), JSON, 422, "malformed", ["/text"]),
    ("lone surrogate", "moderate", body().replace(b"shop-1", rb"\ud800"), JSON, 422, "malformed", ["/shop_id"]),
    ("lone low surrogate", "moderate", body().replace(b"shop-1", rb"\udc00x"), JSON, 422, "malformed", ["/shop_id"]),
    ("lone surrogate in a name", "moderate", rb'{"\ud83d": 1}', JSON, 422, "malformed", [""]),
    ("no text, no attachment", "moderate", without("text"), JSON, 422, "malformed", ["/text"]),
    ("empty text", "moderate", body(text=""), JSON, 422, "malformed", ["/text"]),
    ("white space", "moderate", body(text=" \n\u3000\t"), JSON, 422, "malformed", ["/text"]),
    ("10,001 characters", "moderate", body(text="好" * 10_001), JSON, 422, "malformed", ["/text"]),
    ("10,001 emoji", "moderate", body(text="😀" * 10_001), JSON, 422, "malformed", ["/text"]),
    ("text is null", "moderate", body(text=None), JSON, 422, "malformed", ["/text"]),
    ("text is a number", "moderate", body(text=5), JSON, 422, "malformed", ["/text"]),
    ("unknown platform", "moderate", body(platform="ebay"), JSON, 422, "malformed", ["/platform"]),
    ("no platform", "moderate", without("platform"), JSON, 422, "malformed", ["/platform"]),
    ("no agent", "moderate", without("agent_id"), JSON, 422, "malformed", ["/agent_id"]),
    ("no shop", "moderate", without("shop_id"), JSON, 422, "malformed", ["/shop_id"]),
    ("empty id", "moderate", body(message_id=""), JSON, 422, "malformed", ["/message_id"]),
    ("long id", "moderate", body(customer_id="x" * 129), JSON, 422, "malformed", ["/customer_id"]),
    ("unknown channel", "moderate", body(channel="sms"), JSON, 422, "malformed", ["/channel"]),
    ("unknown field", "moderate", body(**{"a/b~c": 1}), JSON, 422, "malformed", ["/a~1b~0c"]),
    ("several at once", "moderate", body(platform="x", extra=1, text=3), JSON, 422, "malformed",
     ["/extra", "/platform", "/text"]),
    ("explain is text", "moderate", body(explain="yes"), JSON, 422, "malformed", ["/explain"]),
    ("time without offset", "moderate", body(sent_at="2026-01-01T10:00:00"), JSON, 422, "malformed", ["/sent_at"]),
    ("a date", "moderate", body(sent_at="2026-01-01"), JSON, 422, "malformed", ["/sent_at"]),
    ("a number as time", "moderate", body(sent_at=1767225600), JSON, 422, "malformed", ["/sent_at"]),
    ("a far year", "moderate", body(sent_at="9999-12-31T23:59:59-12:00"), JSON, 422, "malformed", ["/sent_at"]),
    ("the first year", "moderate", body(sent_at="0001-01-01T00:00:00+14:00"), JSON, 422, "malformed", ["/sent_at"]),
    ("six attachments", "moderate", body(attachments=[{"type": "image", "url": "https://a.cn/1"}] * 6), JSON, 422,
     "malformed", ["/attachments"]),
    ("attachment without picture", "moderate", body(attachments=[{"type": "image"}]), JSON, 422, "malformed",
     ["/attachments/0"]),
    ("attachment with two", "moderate",
     body(attachments=[{"type": "image", "url": "https://a.cn/1", "data": "aaaa"}]), JSON, 422, "malformed",
     ["/attachments/0"]),
    ("unknown attachment", "moderate", body(attachments=[{"type": "video", "url": "https://a.cn"}]), JSON, 422,
     "malformed", ["/attachments/0/type"]),
    ("address without scheme", "moderate", body(attachments=[{"type": "image", "url": "a.cn/1"}]), JSON, 422,
     "malformed", ["/attachments/0/url"]),
    ("not base64", "moderate", body(attachments=[{"type": "image", "data": "*%*"}]), JSON, 422, "malformed",
     ["/attachments/0/data"]),
    ("picture over 5 MiB", "moderate", body(attachments=[{"type": "image", "data": BIG_PICTURE}]), JSON, 422,
     "malformed", ["/attachments/0/data"]),
    ("no content type", "moderate", body(), {}, 415, "unsupported_media_type", []),
    ("a form", "moderate", body(), {"Content-Type": "text/plain"}, 415, "unsupported_media_type", []),
    ("another charset", "moderate", body(), {"Content-Type": "application/json; charset=gbk"}, 415,
     "unsupported_media_type", []),
    ("compressed", "moderate", body(), JSON | {"Content-Encoding": "gzip"}, 415, "unsupported_media_type", []),
    ("query parameter", "moderate?x=1", body(), JSON, 422, "malformed", [""]),
    ("long Idempotency-Key", "moderate", body(), JSON | {"Idempotency-Key": "k" * 129}, 422, "malformed", [""]),
    ("blank in Idempotency-Key", "moderate", body(), JSON | {"Idempotency-Key": "a b"}, 422, "malformed", [""]),
    ("body over the limit", "moderate", b" " * (36 * 1024 * 1024 + 1), JSON, 413, "too_large", []),
    ("analyze without platform", "analyze", b'{"text": "x"}', JSON, 422, "malformed", ["/platform"]),
    ("batch without messages", "moderate/batch", b"{}", JSON, 422, "malformed", ["/messages"]),
    ("empty batch", "moderate/batch", b'{"messages": []}', JSON, 422, "malformed", ["/messages"]),
    ("101 messages", "moderate/batch", json.dumps({"messages": [message()] * 101}).encode(), JSON, 422, "malformed",
     ["/messages"]),
    ("duplicate ids", "moderate/batch",
     json.dumps({"messages": [message(message_id="a"), message(), message(message_id="a")]}).encode(), JSON, 422,
     "malformed", ["/messages/2/message_id"]),
    ("input missing", "moderations", b"{}", JSON, 422, "malformed", ["/input"]),
    ("input empty", "moderations", b'{"input": ["ok", " "]}', JSON, 422, "malformed", ["/input/1"]),
    ("input is a number", "moderations", b'{"input": 5}', JSON, 422, "malformed", ["/input"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "content", "headers", "status", "code", "pointers"), [pytest.param(*row[1:], id=row[0]) for row in ROWS]
)
async def test_bad_input_gets_its_error(
    shared: Running, path: str, content: bytes, headers: dict[str, str], status: int, code: str, pointers: list[str]
) -> None:
    response = await shared.client.post(f"/v1/{path}", content=content, headers=headers)
    problem = response.json()
    assert (response.status_code, problem["code"]) == (status, code), problem
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["status"] == status
    assert problem["request_id"] == response.headers["x-request-id"]
    assert problem["title"]
    assert problem["type"] == f"/docs#error-{code}"
    assert sorted(place["pointer"] for place in problem["errors"]) == sorted(pointers)
    assert all(place["detail"] for place in problem["errors"])


async def test_an_unknown_word_is_answered_with_the_known_ones(shared: Running) -> None:
    response = await shared.client.post("/v1/moderate", json=message(platform="ebay"))
    (place,) = response.json()["errors"]
    assert place["detail"] == "should be one of pinduoduo, kuaishou, taobao, tmall, jd, douyin, generic"


@pytest.mark.parametrize(
    "media", ["application/json", "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"']
)
async def test_json_may_be_declared_in_several_ways(shared: Running, media: str) -> None:
    response = await shared.client.post("/v1/moderate", content=body(), headers={"Content-Type": media})
    assert response.status_code == 200


async def test_each_message_of_a_batch_has_its_own_status(shared: Running) -> None:
    items = [message(), message(text=""), {"text": 5}, message(sent_at="soon")]
    response = await shared.client.post("/v1/moderate/batch", json={"messages": items})
    results = response.json()["results"]
    assert [result["status"] for result in results] == [200, 422, 422, 422]
    assert results[1]["body"]["errors"][0]["pointer"] == "/text"
    assert results[3]["body"]["errors"][0]["pointer"] == "/sent_at"


ORDINARY: list[tuple[str, str, str, dict[str, Any], int, str]] = [
    ("no such path", "GET", "/v1/nope", {}, 404, "not_found"),
    ("wrong method", "GET", "/v1/moderate", {}, 405, "method_not_allowed"),
    ("wrong method of an ordinary route", "PATCH", "/v1/shops", {}, 405, "method_not_allowed"),
    ("unknown query parameter", "GET", "/v1/incidents?colour=red", {}, 422, "malformed"),
    ("query parameter twice", "GET", "/v1/incidents?limit=1&limit=2", {}, 422, "malformed"),
    ("limit too large", "GET", "/v1/incidents?limit=201", {}, 422, "malformed"),
    ("broken cursor", "GET", "/v1/incidents?cursor=abc", {}, 422, "malformed"),
    ("time without offset", "GET", "/v1/incidents?since=2026-01-01T00:00:00", {}, 422, "malformed"),
    ("a far time", "GET", "/v1/incidents?until=9999-12-31T23:59:59-12:00", {}, 422, "malformed"),
    ("unknown incident", "GET", "/v1/incidents/none", {}, 404, "not_found"),
    ("NUL in an id", "GET", "/v1/incidents/%00", {}, 404, "not_found"),
    ("unknown shop", "GET", "/v1/shops/none", {}, 404, "not_found"),
    ("unknown key", "DELETE", "/v1/keys/none", {}, 404, "not_found"),
    ("not JSON", "POST", "/v1/keys", {"content": b"{", "headers": JSON}, 400, "not_json"),
    ("no UTF-8", "POST", "/v1/keys", {"content": b'{"name": "\xff"}', "headers": JSON}, 400, "not_json"),
    ("deep", "POST", "/v1/keys", {"content": b"[" * 99_999, "headers": JSON}, 400, "not_json"),
    ("no body", "POST", "/v1/keys", {"headers": JSON}, 422, "malformed"),
    ("unknown field", "POST", "/v1/keys", {"json": {"name": "x", "role": "admin", "x": 1}}, 422, "malformed"),
    ("lone surrogate", "POST", "/v1/keys",
     {"content": rb'{"name": "\ud800", "role": "admin"}', "headers": JSON}, 422, "malformed"),
    ("odd rate", "POST", "/v1/keys", {"json": {"name": "x", "role": "client", "rate_limit": "0/second"}}, 422,
     "malformed"),
    ("a form", "POST", "/v1/keys", {"content": b"name=x", "headers": {"Content-Type": "text/plain"}}, 415,
     "unsupported_media_type"),
    ("unknown zone", "PUT", "/v1/shops/s", {"json": {"platform": "jd", "timezone": "Mars/Base"}}, 422, "malformed"),
    ("blank asset", "PUT", "/v1/shops/s", {"json": {"platform": "jd", "assets": {"phones": [" "]}}}, 422, "malformed"),
    ("long reason", "PUT", "/v1/shops/s",
     {"json": {"platform": "jd"}, "headers": {"X-Audit-Reason": "x" * 513}}, 422, "malformed"),
    ("over the limit", "PUT", "/v1/shops/s",
     {"content": b" " * (36 * 1024 * 1024 + 1), "headers": JSON}, 413, "too_large"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "request_", "status", "code"), [pytest.param(*row[1:], id=row[0]) for row in ORDINARY]
)
async def test_ordinary_routes_answer_in_the_same_shape(
    shared: Running, method: str, path: str, request_: dict[str, Any], status: int, code: str
) -> None:
    response = await shared.client.request(method, path, **request_)
    problem = response.json()
    assert (response.status_code, problem["code"]) == (status, code), problem
    assert response.headers["content-type"] == "application/problem+json"
    assert set(problem) == {"type", "title", "status", "detail", "code", "request_id", "errors"}
