"""What stands in the log: what matters, as JSON, with names and ids; never a text, a key or a secret."""

from __future__ import annotations

import json
import logging
import logging.config
from typing import Any

import pytest

from service.api.log import make_log, server_logging
from service.api.metrics import Metrics
from service.api.vitals import Vitals
from service.errors import Unavailable
from service.live import Live
from service.settings import Settings
from tests.api.conftest import ADMIN, BLOCKED, CLEAN, message, running

SECRET = "sk_not-a-key-of-ours"


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """All that was written since the last look; every line is JSON."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


async def test_what_matters_is_told_and_nothing_else(
    live: Live, settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(live, settings) as service:
        client = service.client
        (started,) = lines(capsys)
        assert (started["event"], started["level"], started["lexicon"][:8]) == ("started", "info", "builtin@")

        for text in (CLEAN, BLOCKED):
            assert (await client.post("/v1/moderate", json=message(text, agent_id="agent-x"))).status_code == 200
        assert (await client.get("/v1/incidents")).status_code == 200
        assert lines(capsys) == []

        for _ in range(5):
            await client.post("/v1/moderate", json=message(CLEAN), headers={"Authorization": f"Bearer {SECRET}"})
        await client.get(f"/v1/{SECRET}")
        await client.post("/v1/moderate", content=CLEAN.encode())
        (refused,) = lines(capsys)
        assert (refused["event"], refused["status"], refused["route"]) == ("refused", 401, "/v1/moderate")

        service.state["notices"].slow_seconds = 0.0
        slow = await client.post("/v1/moderate", json=message(CLEAN), headers={"X-Request-Id": "mine-1"})
        assert slow.status_code == 200
        (line,) = lines(capsys)
        assert (line["event"], line["request_id"], line["status"]) == ("slow", "mine-1", 200)
        service.state["notices"].slow_seconds = 9.0

        async def fail(*_: Any) -> None:
            raise RuntimeError(f"{CLEAN} {ADMIN}")

        monkeypatch.setattr(service.state["pipeline"], "moderate", fail)
        assert (await client.post("/v1/moderate", json=message(BLOCKED))).status_code == 500
        crash, failed = lines(capsys)
        assert (crash["event"], crash["exception"]) == ("crash", "RuntimeError")
        assert (failed["event"], failed["status"]) == ("failed", 500)
        everything = json.dumps([started, refused, line, crash, failed], ensure_ascii=False)
    everything += capsys.readouterr().err
    for secret in (CLEAN, BLOCKED, ADMIN, SECRET, "agent-x"):
        assert secret not in everything
    assert '"stopped"' in everything


def test_a_condition_is_told_when_it_changes(capsys: pytest.CaptureFixture[str]) -> None:
    metrics, well = Metrics(None), [True]
    vitals = Vitals(metrics, make_log("info"))
    vitals.watch("test_well", lambda: well[0], "1: well.")
    for each in (True, False, False, True):
        well[0] = each
        vitals.look()
        assert f"shenyan_test_well {float(each)}" in metrics.text().decode()
    found = lines(capsys)
    assert [(each["event"], each["what"], each["level"]) for each in found] == [
        ("degraded", "test_well", "warning"),
        ("recovered", "test_well", "info"),
    ]


def test_libraries_speak_json_and_only_the_server_in_its_own_words(capsys: pytest.CaptureFixture[str]) -> None:
    before = logging.root.handlers[:], logging.root.level
    logging.config.dictConfig(server_logging("info"))
    try:
        logging.getLogger("uvicorn.error").info("Uvicorn running on %s", "here")
        logging.getLogger("somebody").info("too much")
        try:
            raise Unavailable(CLEAN)
        except Unavailable:
            logging.getLogger("somebody").exception("said %s", CLEAN)
            logging.getLogger("uvicorn.error").exception("Exception in ASGI application %s", CLEAN)
        server, library, crash = lines(capsys)
    finally:
        logging.root.handlers[:], logging.root.level = before
        for name in ("uvicorn", "uvicorn.error"):
            logging.getLogger(name).setLevel(logging.NOTSET)
    assert (server["message"], server["level"], server["logger"]) == (
        "Uvicorn running on here",
        "info",
        "uvicorn.error",
    )
    assert (library["event"], library["exception"]) == ("library", "Unavailable")
    assert CLEAN not in json.dumps([library, crash], ensure_ascii=False)
