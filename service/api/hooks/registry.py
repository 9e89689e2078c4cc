"""Which tools there are. A new one is a file of this folder and a line here."""

from __future__ import annotations

from service.api.hooks import (
    chatwoot,
    cometchat,
    crisp,
    dingtalk,
    feishu,
    freshchat,
    freshdesk,
    front,
    helpscout,
    intercom,
    livechat,
    meiqia,
    qiyu,
    sendbird,
    slack,
    sobot,
    sunshine,
    wecom,
    zendesk,
)
from service.api.hooks.tool import Tool

_ALL: tuple[Tool, ...] = (
    # Asked before the customer sees it.
    # Told after.
    chatwoot.TOOL,
    cometchat.TOOL,
    crisp.TOOL,
    dingtalk.TOOL,
    feishu.TOOL,
    freshchat.TOOL,
    freshdesk.TOOL,
    front.TOOL,
    helpscout.TOOL,
    intercom.TOOL,
    livechat.TOOL,
    meiqia.TOOL,
    qiyu.TOOL,
    sendbird.TOOL,
    slack.TOOL,
    sobot.TOOL,
    sunshine.TOOL,
    wecom.TOOL,
    zendesk.TOOL,
)

TOOLS: dict[str, Tool] = {tool.provider: tool for tool in _ALL}
"""By the name that a connection's `provider` has."""
