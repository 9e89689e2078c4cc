"""Asks Shenyan before a message is sent: `Client`, and `AsyncClient` for asyncio. This one file and httpx are enough.

    with Client("http://127.0.0.1:8000", key, on_failure="warn") as desk:
        verdict = desk.moderate("亲，已发货", platform="taobao", shop_id="s1", agent_id="a1")
        if verdict.decision != "allow":
            show(verdict.agent_message, verdict.suggestion)

Each call has one time for all its tries, 0.8 s by default. It is tried again, after a growing random pause or the
server's `Retry-After`, when there is no connection, or the answer is 429 or 5xx; always under the same `message_id` or
`Idempotency-Key`, so that a message is recorded and charged once. When the time is over, `on_failure` decides.
Nothing is logged.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import time
import uuid
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, Required, Self, TypedDict, TypeVar, Unpack, cast
from urllib.parse import quote

import httpx


class Fields(TypedDict, total=False):
    """What is known of a message besides its text. `/v1/moderate` needs `platform`, `shop_id` and `agent_id`."""

    platform: Required[str]
    shop_id: str
    agent_id: str
    conversation_id: str | None
    customer_id: str | None
    message_id: str | None
    channel: str
    attachments: list[Mapping[str, str]]
    sent_at: datetime | str
    explain: bool


class Message(Fields, total=False):
    """A message of a batch."""

    text: str


T = TypeVar("T")
Decision = Literal["allow", "warn", "block"]
OnFailure = Literal["allow", "warn", "block", "raise"]
DECISIONS = ("allow", "warn", "block")
UNCHECKED = {
    "zh": "未能检查这条消息，请自行确认是否合规",
    "en": "This message could not be checked; please look at it yourself",
}
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
"""Seconds between the first two tries, and between any two."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a request that is wrong."""

    pointer: str
    """JSON pointer into the body (RFC 6901); empty for the whole request."""
    detail: str


class ShenyanError(Exception):
    """No verdict. `code` is stable and made for programs; docs/reference/errors.md lists them all."""

    def __init__(self, code: str, detail: str, status: int = 0, problem: Mapping[str, Any] | None = None) -> None:
        problem = problem or {}
        places = problem.get("errors")
        self.code, self.detail, self.status = code, detail, status
        self.errors = tuple([Place(each["pointer"], each["detail"]) for each in places or ()])
        self.request_id: str = problem.get("request_id", "")
        at = "".join(f"; {each.pointer or 'request'}: {each.detail}" for each in self.errors)
        super().__init__(f"{status or 'no answer'} {code}: {detail}{at}")


class Unavailable(ShenyanError):
    """Not decided in the time there was: no connection, 429 or 5xx. Trying again later makes sense."""

    retry_after: float | None = None
    """Seconds that the server asked to wait."""


class Rejected(ShenyanError):
    """The request is wrong (4xx); `errors` points at each place. Trying again does not help, and no fail action hides it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Words that are objected to. `text[start:end]` are they; `utf16_*` count as JavaScript and Java do."""

    category: str
    severity: str
    action: str
    detector: str
    field: str
    start: int
    end: int
    utf16_start: int
    utf16_end: int
    text: str
    reason: str
    term: str | None = None
    term_id: str | None = None
    lexicon: str | None = None
    disguises: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What to do with a message: send it, show `agent_message` first (`warn`), or don't send it (`block`)."""

    decision: Decision
    findings: tuple[Finding, ...] = ()
    masked_text: str
    agent_message: str = ""
    suggestion: str = ""
    incident_id: str | None = None
    recorded: str = "none"
    degraded: tuple[str, ...] = ()
    """What was not inspected, and why; `service: ...` when the fail action made this verdict."""
    replayed: bool = False
    request_id: str = ""
    failure: ShenyanError | None = None
    """Why the fail action had to decide."""
    raw: Mapping[str, Any]
    """The whole answer: `penalty`, `versions`, `dismissed` and what later versions add."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A recorded warn or block."""

    id: str
    decision: str
    severity: str
    state: str
    categories: tuple[str, ...]
    text: str
    platform: str
    shop_id: str
    agent_id: str
    message_id: str | None = None
    override_reason: str | None = None
    created_at: str
    raw: Mapping[str, Any]


def image(data: bytes) -> dict[str, str]:
    """A picture as an attachment: PNG, JPEG, WebP, GIF or BMP, up to 5 MiB."""
    return {"type": "image", "data": base64.b64encode(data).decode()}


@dataclass(frozen=True, slots=True)
class _Ask:
    method: str
    path: str
    body: Any
    headers: dict[str, str]
    seconds: float


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    retry_after: str
    content: bytes


_Came = _Answer | httpx.RequestError | TimeoutError | None
_Steps = Generator[_Ask | float, _Came, T]
"""A call as what to do next (ask, or wait so many seconds) and what came of it: the same for both kinds of client."""


class _Calls:
    """The calls, without the network."""

    def __init__(self, timeout: float, on_failure: OnFailure, language: str) -> None:
        if on_failure not in (*DECISIONS, "raise") or timeout <= 0:
            raise ValueError("on_failure is allow, warn, block or raise; timeout is seconds above 0")
        self.timeout, self.on_failure, self.language = timeout, on_failure, language

    def check(self, path: str, text: str, message: Fields) -> _Steps[Verdict]:
        try:
            needs_key = path == "/v1/moderate" and not message.get("message_id")
            return _verdict((yield from self.ask("POST", path, _body({"text": text, **message}), needs_key)))
        except Unavailable as error:
            return self.unchecked(text, error)

    def batch(self, messages: Iterable[Message]) -> _Steps[list[Verdict | ShenyanError]]:
        bodies = [_body(each) for each in messages]
        texts = [each.get("text", "") for each in bodies]
        try:
            answer = yield from self.ask("POST", "/v1/moderate/batch", {"messages": bodies}, True)
            results = answer.get("results", ())
            if len(results) != len(bodies):
                raise Unavailable("not_a_verdict", f"{len(results)} results for {len(bodies)} messages", 502)
        except Unavailable as error:
            if self.on_failure == "raise":
                raise
            return [self.unchecked(text, error) for text in texts]
        return [self.result(text, each) for text, each in zip(texts, results, strict=True)]

    def result(self, text: str, result: Mapping[str, Any]) -> Verdict | ShenyanError:
        try:
            if result["status"] == 200:
                return _verdict(result["body"])
            raise _error(result["status"], result["body"])
        except Unavailable as error:
            return error if self.on_failure == "raise" else self.unchecked(text, error)
        except Rejected as error:
            return error

    def override(self, incident_id: str, reason: str) -> _Steps[Incident]:
        path = f"/v1/incidents/{quote(incident_id, safe='')}"
        try:
            return _known(Incident, (yield from self.ask("POST", f"{path}/override", {"reason": reason})))
        except Rejected as error:
            # It may have been done by an earlier try whose answer was lost.
            found = (yield from self.incident(incident_id)) if error.code == "not_overridable" else None
            if found is None or found.override_reason != reason:
                raise
            return found

    def incident(self, incident_id: str) -> _Steps[Incident]:
        return _known(Incident, (yield from self.ask("GET", f"/v1/incidents/{quote(incident_id, safe='')}")))

    def ask(self, method: str, path: str, body: Any = None, needs_key: bool = False) -> _Steps[dict[str, Any]]:
        """The answer, after as many tries as the time allows. Raises Rejected, or Unavailable when it is over."""
        headers = {"Accept-Language": self.language}
        if needs_key:
            headers["Idempotency-Key"] = uuid.uuid4().hex
        ends, pause = time.monotonic() + self.timeout, FIRST_PAUSE
        while True:
            came = yield _Ask(method, path, body, headers, max(ends - time.monotonic(), 0.001))
            late = isinstance(came, (httpx.TimeoutException, TimeoutError))
            error: ShenyanError = Unavailable("timeout" if late else "unreachable", type(came).__name__)
            if isinstance(came, _Answer):
                answer = _json(came.content)
                if came.status == 200 and answer is not None:
                    return answer
                error = _error(came.status if came.status != 200 else 502, answer or {}, came.retry_after)
            if not isinstance(error, Unavailable):
                raise error
            wait, pause = random.uniform(pause / 2, pause), min(2 * pause, LONGEST_PAUSE)  # noqa: S311
            wait = wait if error.retry_after is None else error.retry_after + wait
            if time.monotonic() + wait >= ends:
                raise error
            yield wait

    def unchecked(self, text: str, error: Unavailable) -> Verdict:
        """What the fail action makes of it."""
        if self.on_failure == "raise":
            raise error
        said = "" if self.on_failure == "allow" else UNCHECKED["en" if self.language.startswith("en") else "zh"]
        degraded = (f"service: {error.code}",)
        return Verdict(
            decision=self.on_failure, masked_text=text, agent_message=said, degraded=degraded, failure=error, raw={}
        )


def _body(message: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON takes it, without what is None."""
    plain = {name: value for name, value in message.items() if value is not None}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in plain.items()}


def _json(content: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(content)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _error(status: int, problem: Mapping[str, Any], retry_after: str = "") -> ShenyanError:
    kind = Unavailable if status == 429 or status >= 500 else Rejected
    error = kind(
        problem.get("code", f"http_{status}"), problem.get("detail", "not an answer of Shenyan"), status, problem
    )
    if isinstance(error, Unavailable):
        error.retry_after = float(retry_after) if retry_after.isdecimal() else None
    return error


def _known(kind: type[T], answer: Mapping[str, Any], **more: Any) -> T:
    """`answer` as `kind`, with what that knows of it: later versions of the service may say more."""
    names = {field.name for field in fields(cast(Any, kind))}
    values = {name: tuple(each) if isinstance(each, list) else each for name, each in answer.items() if name in names}
    return kind(**{**values, **({"raw": answer} if "raw" in names else {}), **more})


def _verdict(answer: Mapping[str, Any]) -> Verdict:
    if answer.get("decision") not in DECISIONS:
        raise Unavailable("not_a_verdict", "the answer holds no decision", 502)
    return _known(Verdict, answer, findings=tuple([_known(Finding, each) for each in answer["findings"]]))


class Client:
    """For threads: one for all of them, as it keeps connections open."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float = 0.8,
        on_failure: OnFailure = "raise",
        language: str = "zh-CN",
        http: httpx.Client | None = None,
    ) -> None:
        """`timeout`: seconds for a call with all its tries. `on_failure`: what to do when there is no verdict by then.

        `http`: a client of your own, for a proxy or certificates; whoever made it closes it.
        """
        self._calls = _Calls(timeout, on_failure, language)
        self._url, self._headers = url.rstrip("/"), {"Authorization": f"Bearer {key}"}
        self._http, self._owns_http = http or httpx.Client(), http is None

    def moderate(self, text: str, **message: Unpack[Fields]) -> Verdict:
        """Decides and records. Raises Rejected; Unavailable where `on_failure` is `raise`."""
        return self._run(self._calls.check("/v1/moderate", text, message))

    def analyze(self, text: str, **message: Unpack[Fields]) -> Verdict:
        """Decides only: nothing is stored or counted. Raises as `moderate` does."""
        return self._run(self._calls.check("/v1/analyze", text, message))

    def batch(self, messages: Iterable[Message]) -> list[Verdict | ShenyanError]:
        """Decides and records up to 100, in their order; what was wrong with one stands in its place."""
        return self._run(self._calls.batch(messages))

    def override(self, incident_id: str, reason: str) -> Incident:
        """Says that a warned message was sent all the same. Raises Rejected, Unavailable."""
        return self._run(self._calls.override(incident_id, reason))

    def incident(self, incident_id: str) -> Incident:
        """One that this key caused. Raises Rejected, Unavailable."""
        return self._run(self._calls.incident(incident_id))

    def close(self) -> None:
        if self._owns_http:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, steps: _Steps[T]) -> T:
        came: _Came = None
        while True:
            try:
                step = steps.send(came)
            except StopIteration as done:
                return cast(T, done.value)
            if isinstance(step, _Ask):
                came = self._send(step)
            else:
                time.sleep(step)

    def _send(self, ask: _Ask) -> _Came:
        ends = time.monotonic() + ask.seconds
        url, headers = self._url + ask.path, self._headers | ask.headers
        request = self._http.build_request(ask.method, url, json=ask.body, headers=headers, timeout=ask.seconds)
        times = request.extensions["timeout"]
        # httpx bounds each of connecting, writing and reading by itself; each gets what the ones before have left over.
        request.extensions["trace"] = lambda *_: times.update(dict.fromkeys(times, max(ends - time.monotonic(), 0.001)))
        try:
            with closing(self._http.send(request, stream=True)) as response:
                content = bytearray()
                for chunk in response.iter_bytes():
                    content += chunk
                    if time.monotonic() > ends:
                        return TimeoutError()
                return _Answer(response.status_code, response.headers.get("Retry-After", ""), bytes(content))
        except httpx.UnsupportedProtocol:
            raise
        except httpx.RequestError as error:
            return error


class AsyncClient:
    """For asyncio: one for all tasks of a loop, as it keeps connections open."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float = 0.8,
        on_failure: OnFailure = "raise",
        language: str = "zh-CN",
        http: httpx.AsyncClient | None = None,
    ) -> None:
        """As `Client`."""
        self._calls = _Calls(timeout, on_failure, language)
        self._url, self._headers = url.rstrip("/"), {"Authorization": f"Bearer {key}"}
        self._http, self._owns_http = http or httpx.AsyncClient(), http is None

    async def moderate(self, text: str, **message: Unpack[Fields]) -> Verdict:
        """Decides and records. Raises Rejected; Unavailable where `on_failure` is `raise`."""
        return await self._run(self._calls.check("/v1/moderate", text, message))

    async def analyze(self, text: str, **message: Unpack[Fields]) -> Verdict:
        """Decides only: nothing is stored or counted. Raises as `moderate` does."""
        return await self._run(self._calls.check("/v1/analyze", text, message))

    async def batch(self, messages: Iterable[Message]) -> list[Verdict | ShenyanError]:
        """Decides and records up to 100, in their order; what was wrong with one stands in its place."""
        return await self._run(self._calls.batch(messages))

    async def override(self, incident_id: str, reason: str) -> Incident:
        """Says that a warned message was sent all the same. Raises Rejected, Unavailable."""
        return await self._run(self._calls.override(incident_id, reason))

    async def incident(self, incident_id: str) -> Incident:
        """One that this key caused. Raises Rejected, Unavailable."""
        return await self._run(self._calls.incident(incident_id))

    async def close(self) -> None:
        if self._owns_http:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _run(self, steps: _Steps[T]) -> T:
        came: _Came = None
        while True:
            try:
                step = steps.send(came)
            except StopIteration as done:
                return cast(T, done.value)
            if isinstance(step, _Ask):
                came = await self._send(step)
            else:
                await asyncio.sleep(step)

    async def _send(self, ask: _Ask) -> _Came:
        url, headers = self._url + ask.path, self._headers | ask.headers
        try:
            async with asyncio.timeout(ask.seconds):
                response = await self._http.request(ask.method, url, json=ask.body, headers=headers, timeout=None)
            return _Answer(response.status_code, response.headers.get("Retry-After", ""), response.content)
        except httpx.UnsupportedProtocol:
            raise
        except (httpx.RequestError, TimeoutError) as error:
            return error
