"""Rows with everything that a test does not care about filled in."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

from uuid_utils import uuid7

from service.record.database import Database
from service.record.incident import Incident
from service.record.replies import Reply
from service.record.storing import Entry
from service.record.writer import GroupWriter

NOW = datetime(2026, 3, 1, 12, 30, 15, 123_456, tzinfo=UTC)


def make_incident(**changes: Any) -> Incident:
    """A warned message of tenant `acme`."""
    fields: dict[str, Any] = {
        "id": str(uuid7()),
        "tenant_id": "acme",
        "key_id": "key-1",
        "request_id": str(uuid7()),
        "created_at": NOW,
        "sent_at": NOW,
        "platform": "pinduoduo",
        "channel": "chat",
        "shop_id": "shop-1",
        "agent_id": "agent-1",
        "decision": "warn",
        "severity": "medium",
        "categories": ("contact",),
        "text": "加微信聊😀",
        "findings": ({"category": "contact", "start": 1, "end": 3, "text": "微信"},),
        "lexicon_version": "builtin@3f2a",
        "policy_version": "pinduoduo@2022-12",
    }
    return Incident(**fields | changes)


def make_reply(reply_key: str = "message-1", **changes: Any) -> Reply:
    """A stored answer of tenant `acme`."""
    fields: dict[str, Any] = {
        "tenant_id": "acme",
        "scope": "message",
        "reply_key": reply_key,
        "fingerprint": "f00d",
        "body": f'{{"request_id": "{uuid7()}"}}'.encode(),
        "created_at": NOW,
    }
    return Reply(**fields | changes)


async def store(database: Database, *entries: Entry | Incident | Reply) -> None:
    """Writes rows the way the service does."""
    writer = GroupWriter(database)
    writer.start()
    for entry in entries:
        if isinstance(entry, Incident):
            entry = Entry(entry)
        elif isinstance(entry, Reply):
            entry = Entry(None, (entry,))
        await writer.write(entry)
    await writer.close()


def start_script(script: str, *arguments: str) -> subprocess.Popen[str]:
    """Another Python process that runs `script`, with pipes to talk through."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def race(count: int, script: str, *arguments: str) -> list[str]:
    """What each of `count` processes printed after `ready`, where all wait until all are ready."""
    processes = [start_script(script, *arguments) for _ in range(count)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return [process.communicate()[0] for process in processes]
