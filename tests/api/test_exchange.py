"""Import and export over HTTP, on both databases."""

from __future__ import annotations

import httpx
import pytest

from tests.api.conftest import Running

BASE = "/v1/lexicons/shop-words"
SHEET = "id,pattern,category,severity,match\ncontact/a,蓝鸽号,contact,high,substring\ncontact/v,'+V,contact,low,word\n"


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
async def editor(service: Running) -> httpx.AsyncClient:
    client = service.as_key(await service.key("editor"))
    for name in ("shop-words", "copy"):
        assert (await client.post("/v1/lexicons", json={"name": name})).status_code == 201
    return client


async def test_a_sheet_goes_in_and_out_and_in_again_as_the_same_version(
    service: Running, editor: httpx.AsyncClient
) -> None:
    # curl says the second of any file, unless it is told otherwise.
    for encoding, kind in (("utf-8", "text/csv"), ("gb18030", "application/x-www-form-urlencoded")):
        taken = await editor.post(f"{BASE}/import", content=SHEET.encode(encoding), headers={"Content-Type": kind})
        assert taken.status_code == 200, taken.text
        assert (taken.json()["taken"], taken.json()["refused"]) == (2, [])
    for form in ("csv", "jsonl"):
        given = await editor.get(f"{BASE}/export?format={form}")
        assert given.headers["content-disposition"] == f'attachment; filename="shop-words.{form}"'
        await editor.post(f"/v1/lexicons/copy/import?format={form}&mode=replace", content=given.content)
        again = await editor.get(f"/v1/lexicons/copy/export?format={form}")
        assert again.headers["x-lexicon-version"] == given.headers["x-lexicon-version"]
        assert again.content == given.content
    assert b"'+V" in (await editor.get(f"{BASE}/export")).content
    published = (await editor.post("/v1/lexicons/copy/publish", json={})).json()
    assert published["version"] == given.headers["x-lexicon-version"]
    answer = await service.client.post("/v1/analyze", json={"text": "留个蓝鸽号", "platform": "pinduoduo"})
    assert answer.json()["decision"] == "block"


async def test_all_or_nothing_unless_it_is_asked_for(editor: httpx.AsyncClient) -> None:
    bad = SHEET + "contact/b,=cmd(),contact,high,word\n"
    refused = await editor.post(f"{BASE}/import", content=bad.encode())
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["detail"].startswith("line 4: pattern: begins like a formula")
    assert (await editor.get(f"{BASE}/terms")).json()["items"] == []
    taken = await editor.post(f"{BASE}/import?partial=true", content=bad.encode())
    assert (taken.json()["taken"], taken.json()["refused_count"], taken.json()["refused"][0]["line"]) == (2, 1, 4)
    assert len((await editor.get(f"{BASE}/terms")).json()["items"]) == 2


async def test_merge_keeps_and_replace_does_not(editor: httpx.AsyncClient) -> None:
    for mode, expected in (("merge", 1), ("merge", 2), ("replace", 1)):
        word = "甲号" if expected == 1 else "乙号"
        path = f"{BASE}/import?format=words&category=contact&mode={mode}"
        assert (await editor.post(path, content=word.encode())).status_code == 200
        assert len((await editor.get(f"{BASE}/terms")).json()["items"]) == expected
    assert (await editor.get(BASE)).json()["revision"] == 3


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"\x80\x81\xff", b"id\x00", b'"', b"id,pattern\n", "甲".encode() * 1_000_000]
)
async def test_a_bad_file_changes_nothing(editor: httpx.AsyncClient, body: bytes) -> None:
    refused = await editor.post(f"{BASE}/import", content=body)
    assert refused.status_code in (400, 422)
    assert refused.headers["content-type"] == "application/problem+json"
    assert (await editor.get(BASE)).json()["revision"] == 0


async def test_ten_thousand_words(service: Running, editor: httpx.AsyncClient) -> None:
    words = "\n".join(f"飞鸽{number:05}号" for number in range(10_000))
    taken = await editor.post(f"{BASE}/import?format=words&category=contact", content=words.encode())
    assert taken.json()["taken"] == 10_000
    exported = await editor.get(f"{BASE}/export?format=words")
    assert exported.text.splitlines() == words.splitlines()
