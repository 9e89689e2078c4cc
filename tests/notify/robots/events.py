"""Events as robots get them."""

from __future__ import annotations

from datetime import UTC, datetime

from service.record.event import Event

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
INCIDENT = Event(
    id="01a2",
    tenant_id="acme",
    type="incident.created",
    subject="agents/shop-1/kefu_1024",
    at=NOW,
    data={
        "incident_id": "01a3",
        "decision": "block",
        "severity": "high",
        "categories": ["contact", "counterfeit"],
        "platform": "pinduoduo",
        "shop_id": "shop-1",
        # A client chooses ids: this one would be a link.
        "agent_id": "[点我](https://evil.example)\n# 标题",
        "clauses": ["pinduoduo 2.2"],
        "points": 1,
        "link": "/v1/incidents/01a3",
    },
)
HARMLESS = "\\[点我\\]\\(https://evil.example\\) \\# 标题"
PUBLIC = "https://shenyan.example/"
