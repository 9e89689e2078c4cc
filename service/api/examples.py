"""Examples in the OpenAPI document. Each request is sent by a test and must be answered as its example says."""

from __future__ import annotations

from typing import Any

MESSAGE: dict[str, Any] = {
    "text": "加薇.信号abc123",
    "platform": "pinduoduo",
    "shop_id": "shop-1",
    "agent_id": "agent-7",
    "message_id": "m-1001",
}
CLEAN: dict[str, Any] = {
    "text": "亲，已经为您安排发货了",
    "platform": "taobao",
    "shop_id": "shop-2",
    "agent_id": "agent-7",
}

MODERATE = {"contact": MESSAGE, "clean": CLEAN}
ANALYZE = {"contact": {"text": MESSAGE["text"], "platform": "pinduoduo", "explain": True}}
BATCH = {"two": {"messages": [CLEAN, {"text": "", "platform": "taobao", "shop_id": "s", "agent_id": "a"}]}}
MODERATIONS = {"two": {"input": ["加薇.信号abc123", "亲，已经为您安排发货了"], "model": "omni-moderation-latest"}}

REQUEST_ID = "01930b5e-7a4c-7b1e-9d55-0f3f6c1b2a90"
VERSIONS = {"lexicon": "builtin@3f2a91c05b7d", "policy": "pinduoduo@2022-12", "engine": "0.1.0"}
BLOCKED: dict[str, Any] = {
    "request_id": REQUEST_ID,
    "decision": "block",
    "findings": [
        {
            "category": "contact",
            "severity": "high",
            "action": "block",
            "detector": "terms",
            "field": "text",
            "start": 1,
            "end": 5,
            "utf16_start": 1,
            "utf16_end": 5,
            "text": "薇.信号",
            "term": "微信号",
            "term_id": "contact/wechat-id",
            "lexicon": "builtin",
            "disguises": ["homophone", "separator"],
            "clauses": ["pinduoduo 2.2"],
            "reason": "引导顾客加微信",
        }
    ],
    "dismissed": [],
    "masked_text": "加****abc123",
    "agent_message": "平台规则 2.2：请勿发送微信号等站外联系方式",
    "suggestion": "请直接在本窗口留言，我会马上回复您",
    "incident_id": "01930b5e-7a4d-7c02-8a11-5d2e9b3c4f10",
    "recorded": "database",
    "penalty": {
        "forecast": [
            {
                "scheme": "kpi",
                "points": 15,
                "money": 0.0,
                "points_after": 15,
                "score_after": 85,
                "brings": [],
                "next": "降至 69 分：当月无奖金",
            }
        ],
        "exposure": [
            {
                "scheme": "pinduoduo",
                "points": 0,
                "money": 0.0,
                "points_after": 0,
                "score_after": None,
                "brings": ["限制店铺功能、关闭客服工具、终止协议并关店、扣除保证金中的一项或多项"],
                "next": "",
            }
        ],
    },
    "versions": VERSIONS,
    "degraded": [],
    "replayed": False,
    "latency_ms": 0.21,
}
ALLOWED: dict[str, Any] = BLOCKED | {
    "decision": "allow",
    "findings": [],
    "masked_text": CLEAN["text"],
    "agent_message": "",
    "suggestion": "",
    "incident_id": None,
    "recorded": "none",
    "penalty": {"forecast": [], "exposure": []},
}
SPLIT: dict[str, Any] = BLOCKED | {
    "findings": [
        BLOCKED["findings"][0]
        | {
            "detector": "accounts",
            "start": 0,
            "end": 6,
            "utf16_start": 0,
            "utf16_end": 6,
            "text": "abc123",
            "term": None,
            "term_id": None,
            "lexicon": None,
            "disguises": ["split_messages"],
            "reason": "含有微信号",
            "message_ids": ["m-1001", "m-1002", "m-1003"],
        }
    ],
    "masked_text": "******",
}
EMPTY_TEXT = {
    "type": "/docs#error-malformed",
    "title": "Malformed",
    "status": 422,
    "detail": "The message is not of the documented shape.",
    "code": "malformed",
    "request_id": REQUEST_ID,
    "errors": [{"pointer": "/text", "detail": "is empty; send a text, an attachment, or both"}],
}
ANSWER = {"blocked": BLOCKED, "allowed": ALLOWED, "split": SPLIT}
BATCH_ANSWER = {"two": {"results": [{"status": 200, "body": ALLOWED}, {"status": 422, "body": EMPTY_TEXT}]}}
MODERATIONS_ANSWER = {
    "one": {
        "id": f"modr-{REQUEST_ID}",
        "model": "shenyan-0.1.0",
        "results": [
            {
                "flagged": True,
                "categories": {"contact": True},
                "category_scores": {"contact": 0.75},
                "category_applied_input_types": {"contact": ["text"]},
            }
        ],
    }
}


def _problem(status: int, code: str, title: str, detail: str, *errors: dict[str, str]) -> dict[str, Any]:
    return {
        "type": f"/docs#error-{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": REQUEST_ID,
        "errors": list(errors),
    }


PROBLEMS = {
    problem["status"]: problem
    for problem in (
        _problem(400, "not_json", "Not JSON", "The body is not JSON, or it is cut off: Input data was truncated."),
        _problem(
            401,
            "unauthorized",
            "Unauthorized",
            "Send `Authorization: Bearer <key>` with a key that this service knows and that is not revoked.",
        ),
        _problem(403, "forbidden", "Forbidden", "This key's role is editor; this route is for admin or client."),
        _problem(404, "not_found", "Not found", "there is no incident nope; list them at /v1/incidents"),
        _problem(
            409,
            "idempotency_conflict",
            "Conflict",
            "this message_id was used for other content before; give each message its own",
        ),
        _problem(412, "stale", "Stale", "It was changed since you read it; read it again, then change it."),
        _problem(
            413,
            "too_large",
            "Too large",
            "The body is over 37,748,736 bytes; send less at once.",
        ),
        _problem(
            415,
            "unsupported_media_type",
            "Unsupported media type",
            "Send the body as `Content-Type: application/json` in UTF-8.",
        ),
        _problem(
            422,
            "malformed",
            "Malformed",
            "The body is not of the documented shape.",
            {"pointer": "/platform", "detail": "is required"},
        ),
        _problem(428, "if_match_required", "If-Match required", "Send the `ETag` that you read as `If-Match`."),
        _problem(429, "rate_limited", "Too many requests", "This key's rate is used up; wait for Retry-After."),
        _problem(
            500,
            "internal",
            "Internal error",
            "Something went wrong here; the log has it under this request_id.",
        ),
        _problem(503, "unavailable", "Unavailable", "the database cannot be used now; try again"),
    )
}
"""One error for each status that a route may declare."""
