"""Messages with pictures as multipart/form-data: what curl and every HTTP client can send without base64."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from service.api.form import read_form
from service.errors import Malformed, NotAForm
from tests.api.conftest import Running, message
from tests.api.test_images import by_value, png

CODE = png("wxp://f2f0AbCdEf")
CLEAN = png(None)
BOUNDARY = b"multipart/form-data; boundary=b"


async def post(service: Running, body: Any, *files: bytes, path: str = "/v1/analyze") -> httpx.Response:
    parts = [("message", (None, body if isinstance(body, str | bytes) else json.dumps(body), "application/json"))]
    pictures = [("image", (f"{index}.png", file, "image/png")) for index, file in enumerate(files)]
    return await service.client.post(path, files=[*parts, *pictures])


def part(name: str, content: bytes = b"{}", head: str = "") -> bytes:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{head}\r\n\r\n'.encode() + content + b"\r\n"


async def test_pictures_as_files_are_read_after_those_of_the_message(service: Running) -> None:
    answer = await post(service, message("", attachments=[by_value(CLEAN)]), CLEAN, CODE)
    assert answer.status_code == 200, answer.text
    assert answer.json()["decision"] == "block"
    assert [finding["field"] for finding in answer.json()["findings"]] == ["attachments/2"]


async def test_a_form_without_pictures_is_a_message(service: Running) -> None:
    assert (await post(service, message())).json()["decision"] == "allow"


async def test_moderate_takes_forms_and_a_retry_may_be_of_either_shape(service: Running) -> None:
    first = await post(service, message("", message_id="m-1"), CODE, path="/v1/moderate")
    again = await service.client.post("/v1/moderate", json=message("", message_id="m-1", attachments=[by_value(CODE)]))
    other = await post(service, message("", message_id="m-1"), CLEAN, path="/v1/moderate")
    assert (first.json()["decision"], first.json()["replayed"]) == ("block", False)
    assert again.json()["replayed"]
    assert again.json()["incident_id"] == first.json()["incident_id"]
    assert other.status_code == 409


@pytest.mark.parametrize(("body", "files", "pointer", "detail"), [
    (message("", platform="ebay"), [CODE], "/platform", "should be one of"),
    (message(""), [], "/text", "is empty"),
    (message(""), [b"hello"], "/attachments/0/data", "PNG, JPEG"),
    (message("", attachments=[by_value(CLEAN)]), [CLEAN, CLEAN[:40]], "/attachments/2/data", "picture"),
    (message(""), [bytes(5 * 1024 * 1024 + 1)], "/attachments/0/data", "5 MiB"),
    (message("", attachments=[by_value(CLEAN)]), [CLEAN] * 5, "/attachments", "at most 5"),
    (message(""), [CLEAN] * 6, "/attachments", "at most 5"),
])  # fmt: skip
async def test_what_is_wrong_is_pointed_at(
    service: Running, body: dict[str, Any], files: list[bytes], pointer: str, detail: str
) -> None:
    answer = await post(service, body, *files)
    assert answer.status_code == 422, answer.text
    (problem,) = answer.json()["errors"]
    assert problem["pointer"] == pointer
    assert detail in problem["detail"]


async def test_a_message_that_is_no_json(service: Running) -> None:
    answer = await post(service, "{", CLEAN)
    assert (answer.status_code, answer.json()["code"]) == (400, "not_json")


async def test_a_form_that_is_cut_off(service: Running) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await service.client.post("/v1/analyze", content=part("message"), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "not_a_form")


async def test_other_routes_take_no_forms(service: Running) -> None:
    for path in ("/v1/moderate/batch", "/v1/moderations"):
        assert (await post(service, message(), path=path)).status_code == 415


async def test_a_compressed_form_is_refused(service: Running) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b", "Content-Encoding": "gzip"}
    answer = await service.client.post("/v1/analyze", content=part("message") + b"--b--\r\n", headers=headers)
    assert answer.status_code == 415


def test_reads_names_in_any_dress_and_contents_to_the_byte() -> None:
    content = bytes(range(256)) + b"\r\n--bb\r\n--"
    body = (
        part("image", content, '; filename="a;b\\".png"\r\ncontent-type: image/png\r\nX-More: 1')
        + b'--b\r\ncontent-DISPOSITION: form-data; name=message\r\n\r\n{"a": 1}\r\n--b--\r\n'
    )
    assert read_form(b'multipart/form-data; boundary="b"', body) == (b'{"a": 1}', [content])


@pytest.mark.parametrize(("body", "pointer", "detail"), [
    (part("image", CODE), "/message", "is required"),
    (part("message") * 2, "/message", "more than once"),
    (part("message") + part("images"), "/images", "message and image"),
    (part("message") + part("a/b"), "/a~1b", "message and image"),
    (part("message") + b"--b\r\nContent-Type: image/png\r\n\r\nx\r\n", "/", "message and image"),
    (part("message") + part("image") * 6, "/attachments", "at most 5"),
])  # fmt: skip
def test_parts_of_other_names_and_numbers_are_refused(body: bytes, pointer: str, detail: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_form(BOUNDARY, body + b"--b--\r\n")
    (problem,) = refused.value.problems
    assert problem.pointer == pointer
    assert detail in problem.detail


@pytest.mark.parametrize(("content_type", "body"), [
    (b"multipart/form-data", part("message") + b"--b--"),
    (b"multipart/form-data; boundary=", part("message") + b"--b--"),
    (b"multipart/form-data; boundary=" + b"x" * 300, b"--"),
    (BOUNDARY, b""),
    (BOUNDARY, b"{}"),
    (BOUNDARY, part("message")),
    (BOUNDARY, part("message") + part("image", CODE)[:-30]),
    (BOUNDARY, b"--b\r\nno header\r\n\r\n"),
    (BOUNDARY, b"--b\r\n" + b"A: b\r\n" * 100 + b"\r\n"),
    (BOUNDARY, b"--b\r\nA: " + b"b" * 10_000 + b"\r\n\r\n"),
])  # fmt: skip
def test_what_is_no_form_or_is_cut_off(content_type: bytes, body: bytes) -> None:
    with pytest.raises(NotAForm):
        read_form(content_type, body)
