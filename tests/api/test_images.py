"""Pictures by value and by address, through the whole service."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Picture
from zxingcpp import BarcodeFormat, create_barcode

from service.live import Live
from service.settings import Settings
from tests.api.conftest import ADMIN, Running, message, running
from tests.web import Web, ok, serve_web


def png(text: str | None) -> bytes:
    """A picture with a code that says `text`, or without one."""
    picture = Picture.new("L", (60, 60), 255)
    if text is not None:
        drawn = create_barcode(text, BarcodeFormat.QRCode).to_image(scale=4)
        picture = Picture.frombytes("L", drawn.shape[::-1], bytes(memoryview(drawn)))  # type: ignore[arg-type]
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def by_value(data: bytes) -> dict[str, str]:
    return {"type": "image", "data": b64encode(data).decode()}


def by_address(url: str) -> dict[str, str]:
    return {"type": "image", "url": url}


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    async with serve_web() as web:
        yield web


@pytest.fixture
async def fetching(live: Live, settings: Settings, tmp_path: Path) -> AsyncIterator[Running]:
    """A service that fetches, from 127.0.0.1 too."""
    more: dict[str, Any] = {"fetch_images": True, "fetch_networks": "127.0.0.1/32", "fetch_timeout": 2.0}
    async with running(live, settings.model_copy(update=more)) as started:
        yield started


async def analyze(service: Running, *attachments: dict[str, str]) -> dict[str, Any]:
    body = message("", attachments=list(attachments))
    answer = await service.client.post("/v1/analyze", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_code_is_found_with_what_it_leads_to(service: Running) -> None:
    answer = await analyze(service, by_value(png(None)), by_value(png("https://qr.alipay.com/fkx00000abcdefgh")))
    (finding,) = answer["findings"]
    assert (answer["decision"], finding["category"], finding["severity"]) == ("block", "qr_code", "critical")
    assert (finding["field"], finding["text"]) == ("attachments/1", "https://qr.alipay.com/fkx00000abcdefgh")
    assert finding["reason"] == "图片中含有支付宝二维码"
    assert answer["degraded"] == []


async def test_an_address_is_not_fetched_unless_that_is_switched_on(service: Running, web: Web) -> None:
    answer = await analyze(service, by_address(web.url("/a")), by_address(web.url("/b")))
    assert (answer["decision"], answer["degraded"]) == ("warn", ["qr_image: 2 not fetched"])
    assert {finding["detector"] for finding in answer["findings"]} == {"fail_action"}
    assert web.asked == []


async def test_a_fetched_picture_is_inspected_like_any(fetching: Running, web: Web) -> None:
    web.answers = {"/code": ok(png("wxp://f2f0AbCdEf")), "/clean": ok(png(None))}
    assert (await analyze(fetching, by_address(web.url("/clean"))))["decision"] == "allow"
    answer = await analyze(fetching, by_value(png(None)), by_address(web.url("/code")))
    assert answer["decision"] == "block"
    assert [finding["field"] for finding in answer["findings"]] == ["attachments/1"]
    assert answer["degraded"] == []


async def test_what_was_not_inspected_is_named_with_its_reason(fetching: Running, web: Web) -> None:
    web.answers = {"/text": ok(b"hello")}
    answer = await analyze(
        fetching,
        by_address("http://127.0.0.2/"),
        by_address("http://169.254.169.254/latest/meta-data"),
        by_address(web.url("/text")),
        by_address(web.url("/nothing")),
    )
    assert answer["decision"] == "warn"
    assert answer["degraded"] == [
        "qr_image: 1 answered 404",
        "qr_image: 1 is not a picture that can be read",
        "qr_image: 2 refused, private address",
    ]


async def test_a_picture_that_takes_too_long_does_not_hold_up_the_answer(
    live: Live, settings: Settings, web: Web
) -> None:
    async def silent(writer: Any) -> None:
        await writer.wait_closed()

    web.answers["/"] = silent
    more = {"fetch_images": True, "fetch_networks": "127.0.0.1/32", "fetch_timeout": 0.2}
    async with running(live, settings.model_copy(update=more)) as started:
        answer = await analyze(started, by_address(web.url()))
    assert (answer["decision"], answer["degraded"]) == ("warn", ["qr_image: 1 timed out"])
    assert answer["latency_ms"] < 2000


def test_networks_are_checked_at_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no network"):
        Settings(data_dir=tmp_path, admin_key=ADMIN, fetch_networks="10.0.0.0/8,127.0.0.1/8")  # type: ignore[arg-type]


@pytest.mark.parametrize(("payload", "stored"), [
    ("tel:13900139000", "***************"),
    ("这款是高仿的，编号 2024 0001 88", "这款是高仿的，编号 ************"),
    ("https://example.org/a", "https://example.org/a"),
])  # fmt: skip
async def test_numbers_in_a_code_are_not_stored(service: Running, payload: str, stored: str) -> None:
    made = (await service.client.post("/v1/moderate", json=message("", attachments=[by_value(png(payload))]))).json()
    assert [finding["text"] for finding in made["findings"]] == [payload]
    kept = (await service.client.get(f"/v1/incidents/{made['incident_id']}")).json()
    assert [finding["text"] for finding in kept["findings"]] == [stored]
