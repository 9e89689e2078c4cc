from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from service.notify.exchange import Answer, Heard, NotHeard, judge_by_status
from service.notify.standard import Standard, is_secret, new_secret
from service.record.event import Event

AT = datetime(2026, 3, 1, 12, 30, 15, 123, tzinfo=UTC)
EVENT = Event(
    id="01a2", tenant_id="店", type="incident.created", subject="agents/s/a", at=AT, data={"agent_id": "小美"}
)


def test_the_reference_library_agrees() -> None:
    secrets, now = (new_secret(), new_secret()), datetime.now(UTC)
    outgoing = Standard("standard").write(EVENT, "https://x", secrets, now)
    for secret in secrets:
        event = Webhook(secret).verify(outgoing.body, outgoing.headers)
        assert event == {
            "type": "incident.created",
            "timestamp": "2026-03-01T12:30:15.000123Z",
            "data": {"agent_id": "小美"},
        }


def test_a_published_vector() -> None:
    """Of the specification's reference implementations."""
    secret, at = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", datetime.fromtimestamp(1614265330, UTC)
    signature = Webhook(secret).sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, '{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_cloudevents_in_structured_mode() -> None:
    outgoing = Standard("cloudevents").write(EVENT, "https://x", (new_secret(),), AT)
    assert outgoing.headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    assert json.loads(outgoing.body) == {
        "specversion": "1.0",
        "id": "01a2",
        "source": "/shenyan/%E5%BA%97",
        "type": "shenyan.incident.created",
        "time": "2026-03-01T12:30:15.000123Z",
        "subject": "agents/s/a",
        "datacontenttype": "application/json",
        "data": {"agent_id": "小美"},
    }


@pytest.mark.parametrize(
    ("secret", "good"),
    [
        ("whsec_" + base64.b64encode(b"x" * 24).decode(), True),
        ("whsec_" + base64.b64encode(b"x" * 64).decode(), True),
        ("whsec_" + base64.b64encode(b"x" * 23).decode(), False),
        ("whsec_" + base64.b64encode(b"x" * 65).decode(), False),
        ("whsec_not base64 at all, however long it may be", False),
        (base64.b64encode(b"x" * 32).decode(), False),
    ],
)
def test_what_a_secret_is(secret: str, good: bool) -> None:
    assert is_secret(secret) is good
    assert is_secret(new_secret())


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Heard()),
        (204, Heard()),
        (301, NotHeard("answered 301, which is not followed")),
        (404, NotHeard("answered 404")),
        (410, NotHeard("answered 410: gone", gone=True)),
        (429, NotHeard("answered 429", pause=7)),
        (500, NotHeard("answered 500")),
        (502, NotHeard("answered 502", pause=7)),
        (504, NotHeard("answered 504", pause=7)),
        (None, NotHeard("no connection")),
    ],
)
def test_what_an_answer_means(status: int | None, verdict: object) -> None:
    assert judge_by_status(Answer(1.0, status, "no connection" if status is None else None, 7)) == verdict
