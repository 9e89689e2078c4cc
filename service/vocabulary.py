"""The fixed words of the field: categories, severities, actions, platforms, channels. Nothing here is a rule."""

from __future__ import annotations

from typing import Literal, get_args

Category = Literal[
    "counterfeit", "third_party_link", "qr_code", "bank_account", "payment_account", "contact", "physical_address",
    "advertising", "off_platform_trade", "abuse", "harassment", "threat", "sexual", "political", "violence", "gambling",
    "drugs", "mlm", "disparagement", "impersonation", "privacy_leak", "review_incentive", "ad_law", "overpromise",
    "misuse",
]  # fmt: skip
Severity = Literal["low", "medium", "high", "critical"]
Action = Literal["allow", "warn", "block"]
Platform = Literal["pinduoduo", "kuaishou", "taobao", "tmall", "jd", "douyin", "generic"]
Channel = Literal["chat", "review_reply"]

CATEGORIES: tuple[Category, ...] = get_args(Category)
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
ACTIONS: tuple[Action, ...] = get_args(Action)
PLATFORMS: tuple[Platform, ...] = get_args(Platform)
CHANNELS: tuple[Channel, ...] = get_args(Channel)

SEVERITY_RANK: dict[Severity, int] = {severity: rank for rank, severity in enumerate(SEVERITIES)}
"""low 0 … critical 3."""
ACTION_RANK: dict[Action, int] = {action: rank for rank, action in enumerate(ACTIONS)}
"""allow 0 < warn 1 < block 2; the strictest wins."""
