"""An event in the words of a chat group: a title and lines in Chinese, without the text of any message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from service.record.event import Event

TITLES = {
    "incident.created": "客服消息违规",
    "incident.reviewed": "违规复核结果",
    "incident.appealed": "客服提出申诉",
    "sanction.started": "处罚生效",
    "sanction.ended": "处罚结束",
    "lexicon.published": "词库已发布",
    "policy.changed": "平台策略已修改",
    "endpoint.disabled": "推送地址已停用",
    "endpoint.test": "测试消息",
}
PLATFORMS = {
    "pinduoduo": "拼多多", "kuaishou": "快手", "taobao": "淘宝", "tmall": "天猫", "jd": "京东", "douyin": "抖音",
    "generic": "通用",
}  # fmt: skip
DECISIONS = {"warn": "提醒", "block": "拦截"}
SEVERITIES = {"low": "低", "medium": "中", "high": "高", "critical": "严重"}
VERDICTS = {"upheld": "维持", "reduced": "从轻", "overturned": "撤销"}
ENDS = {"time": "到期", "supervisor": "主管解除", "correction": "扣分已更正"}
CATEGORIES = {
    "counterfeit": "假冒", "third_party_link": "第三方链接", "qr_code": "二维码", "bank_account": "银行账号",
    "payment_account": "支付账号", "contact": "联系方式", "physical_address": "线下地址", "advertising": "广告",
    "off_platform_trade": "站外交易", "abuse": "辱骂", "harassment": "骚扰", "threat": "威胁", "sexual": "色情",
    "political": "政治", "violence": "暴力", "gambling": "赌博", "drugs": "毒品", "mlm": "传销", "disparagement": "诋毁",
    "impersonation": "冒充平台", "privacy_leak": "泄露隐私", "review_incentive": "好评返现", "ad_law": "广告法用语",
    "overpromise": "过度承诺", "misuse": "违规使用客服工具",
}  # fmt: skip
LABELS: dict[str, tuple[str, Mapping[str, str]]] = {
    "platform": ("平台", PLATFORMS),
    "shop_id": ("店铺", {}),
    "agent_id": ("客服", {}),
    "decision": ("处理", DECISIONS),
    "severity": ("程度", SEVERITIES),
    "categories": ("类别", CATEGORIES),
    "clauses": ("条款", {}),
    "verdict": ("复核", VERDICTS),
    "points": ("扣分", {}),
    "due_at": ("应于此前处理", {}),
    "scheme": ("考核方案", {}),
    "consequence": ("处罚", {}),
    "starts_at": ("开始", {}),
    "ends_at": ("结束", {}),
    "ended_by": ("原因", ENDS),
    "lexicon": ("词库", {}),
    "version": ("版本", {}),
    "revision": ("修订", {}),
    "url": ("地址", {}),
    "reason": ("原因", {}),
    "message": ("说明", {}),
}
LONGEST = 200
"""Characters of one value: chat groups refuse long messages."""


def title_of(event: Event) -> str:
    return f"【慎言】{TITLES.get(event.type, event.type)}"


def lines_of(event: Event) -> list[tuple[str, str]]:
    """(label, value) of what a supervisor wants to know, in one order for all events."""
    return [
        (label, _shown(event.data[name], words))
        for name, (label, words) in LABELS.items()
        if event.data.get(name) not in (None, "", [])
    ]


def link_of(event: Event, public_url: str) -> str | None:
    """Where to look, for a browser; None when it is not known where this service is reached."""
    path = event.data.get("link")
    return f"{public_url.rstrip('/')}{quote(path, safe='/?=&%')}" if public_url and path else None


def plain(text: str) -> str:
    """Text that markdown shows as it stands, on one line: an id is a client's, and may be made to look like a link."""
    return "".join(f"\\{char}" if char in "\\`*_[]()<>#!|@" else char for char in " ".join(text.split()))


def _shown(value: Any, words: Mapping[str, str]) -> str:
    values: Iterable[Any] = value if isinstance(value, list) else [value]
    return "、".join(words.get(str(each), str(each)) for each in values)[:LONGEST]
