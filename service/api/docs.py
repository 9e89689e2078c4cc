"""`/docs`: the OpenAPI document as one plain page. It loads nothing from anywhere, runs no script, and prints well."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from service import errors
from service.errors import ShenyanError

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2024;background:#fff}
pre{background:#f4f5f7;padding:.8rem;overflow:auto;border-radius:4px;font-size:13px}
table{border-collapse:collapse;width:100%}td,th{text-align:left;border-bottom:1px solid #ddd;padding:.3rem .6rem;
vertical-align:top}code{font-size:13px}h2{margin-top:2.5rem;border-top:1px solid #ddd;padding-top:1rem}
.m{font-weight:600;color:#0b5}summary{cursor:pointer}
@media(prefers-color-scheme:dark){body{background:#16181b;color:#dde1e5}pre{background:#22262b}
td,th,h2{border-color:#3a3f45}}
"""
MORE_ERRORS = {
    "method_not_allowed": "405: the path is right, the method is not; `Allow` lists the methods.",
    "idempotency_conflict": "409: this message_id or Idempotency-Key was used for other content.",
    "not_overridable": "409: only an open warn can be overridden.",
    "own_key": "409: a key can't revoke itself.",
    "saturated": "503: too many requests at once; `Retry-After` says when to come back.",
    "not_ready": "503: a part does not work; `detail` says which.",
}


async def docs_page(request: Request) -> HTMLResponse:
    """The page, in the document's own order."""
    document = request.app.openapi()
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return HTMLResponse("".join(_page(document)), headers=headers)


def _page(document: dict[str, Any]) -> Iterator[str]:
    info = document["info"]
    yield "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
    yield f"<title>{escape(info['title'])}</title><style>{STYLE}</style><h1>{escape(info['title'])} "
    yield f"{escape(info['version'])}</h1><p>{escape(info['description'])}</p>"
    yield "<p>As a document for programs: <a href='/openapi.json'>/openapi.json</a>. Send your key as "
    yield "<code>Authorization: Bearer …</code>.</p><ul>"
    operations = [(path, method, op) for path, methods in document["paths"].items() for method, op in methods.items()]
    operations.sort(key=lambda each: not each[0].startswith("/v1/moder") and each[0] != "/v1/analyze")
    for path, method, operation in operations:
        yield f"<li><a href='#{_anchor(path, method)}'>{method.upper()} {escape(path)}</a> {escape(operation['summary'])}"
    yield "<li><a href='#errors'>Errors</a><li><a href='#schemas'>Schemas</a></ul>"
    for path, method, operation in operations:
        yield from _operation(path, method, operation)
    yield from _errors()
    yield "<h2 id=schemas>Schemas</h2>"
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield f"<details id='schema-{escape(name)}'><summary><code>{escape(name)}</code></summary>{_json(schema)}</details>"


def _operation(path: str, method: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"<h2 id='{_anchor(path, method)}'><span class=m>{method.upper()}</span> {escape(path)}</h2>"
    yield f"<p>{escape(operation['summary'])}. {escape(operation.get('description') or '')}</p>"
    if roles := operation.get("x-roles"):
        yield f"<p>Roles: {escape(', '.join(roles))}</p>"
    if parameters := operation.get("parameters"):
        yield "<table><tr><th>parameter<th>in<th>shape"
        for each in parameters:
            yield f"<tr><td><code>{escape(each['name'])}</code><td>{each['in']}<td>{escape(each.get('description', ''))}"
            yield f" <code>{escape(json.dumps(each['schema'], ensure_ascii=False))}</code>"
        yield "</table>"
    yield from _contents("Request", operation.get("requestBody", {}))
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            yield from _contents(f"Answer {status}: {response['description']}", response)
    refused = [f"{status} {response['description']}" for status, response in operation["responses"].items()]
    yield f"<p>Errors: {escape(', '.join(each for each in refused if each[0] in '45'))}</p>"


def _contents(title: str, part: dict[str, Any]) -> Iterator[str]:
    for media, content in part.get("content", {}).items():
        yield f"<h3>{escape(title)} <code>{escape(media)}</code></h3>{_json(content.get('schema', {}))}"
        for name, example in content.get("examples", {}).items():
            yield f"<p>Example: {escape(name)}</p>{_json(example['value'])}"


def _errors() -> Iterator[str]:
    yield "<h2 id=errors>Errors</h2><p>Always <code>application/problem+json</code>, the schema Problem.</p><table>"
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, ShenyanError):
            yield f"<tr id='error-{kind.code}'><td><code>{kind.code}</code><td>{kind.status}: {escape(kind.title)}"
    for code, meaning in MORE_ERRORS.items():
        yield f"<tr id='error-{code}'><td><code>{code}</code><td>{escape(meaning)}"
    yield "</table>"


def _json(value: Any) -> str:
    return f"<pre>{escape(json.dumps(value, ensure_ascii=False, indent=2))}</pre>"


def _anchor(path: str, method: str) -> str:
    return escape(f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}")
