"""Standard Webhooks 1.0: the event as JSON, signed; in its own envelope or in that of CloudEvents 1.0 (structured mode).

https://www.standardwebhooks.com, https://github.com/cloudevents/spec
"""

from __future__ import annotations

import base64
import binascii
import os
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec
from standardwebhooks import Webhook

from service.notify.exchange import Answer, Outgoing, Verdict, judge_by_status
from service.record.endpoints import Envelope
from service.record.event import Event

PREFIX = "whsec_"
SECRET_BYTES = 32
LEAST, MOST = 24, 64
"""Bytes of a secret."""


class Standard:
    """Speaks to a program."""

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope

    def write(self, event: Event, url: str, secrets: tuple[str, ...], now: datetime) -> Outgoing:
        cloud = self._envelope == "cloudevents"
        body = msgspec.json.encode(as_cloudevent(event) if cloud else as_standard(event))
        kind = "application/cloudevents+json; charset=utf-8" if cloud else "application/json"
        return Outgoing(url, body, {"Content-Type": kind, **signed(event.id, now, body, secrets)})

    def judge(self, answer: Answer) -> Verdict:
        return judge_by_status(answer)


def as_standard(event: Event) -> dict[str, Any]:
    return {"type": event.type, "timestamp": rfc3339(event.at), "data": event.data}


def as_cloudevent(event: Event) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": event.id,
        "source": f"/shenyan/{quote(event.tenant_id, safe='')}",
        "type": f"shenyan.{event.type}",
        "time": rfc3339(event.at),
        "subject": event.subject,
        "datacontenttype": "application/json",
        "data": event.data,
    }


def signed(event_id: str, now: datetime, body: bytes, secrets: tuple[str, ...]) -> dict[str, str]:
    """The three headers; a signature for each secret."""
    # The library takes a time for UTC whatever its zone.
    at = now.astimezone(UTC)
    signatures = [Webhook(secret).sign(event_id, at, body.decode()) for secret in secrets]
    headers = {"webhook-id": event_id, "webhook-timestamp": str(int(at.timestamp()))}
    return headers | ({"webhook-signature": " ".join(signatures)} if signatures else {})


def rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def new_secret() -> str:
    return PREFIX + base64.b64encode(os.urandom(SECRET_BYTES)).decode("ascii")


def is_secret(text: str) -> bool:
    """Whether it is `whsec_` and the base64 of 24 to 64 bytes."""
    if not text.startswith(PREFIX):
        return False
    try:
        return LEAST <= len(base64.b64decode(text.removeprefix(PREFIX), validate=True)) <= MOST
    except binascii.Error:
        return False
