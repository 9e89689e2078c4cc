"""Which tools there are. A new one is a file of this folder and a line here."""

from __future__ import annotations

from service.api.hooks import (
    chatwoot,
    cometchat,
    crisp,
    dingtalk,
    easemob,
    feishu,
    freshchat,
    freshdesk,
    front,
    helpscout,
    intercom,
    livechat,
    mattermost,
    meiqia,
    openim,
    qiyu,
    rocketchat,
    rongcloud,
    sendbird,
    slack,
    sobot,
    stream,
    sunshine,
    tencent_im,
    wecom,
    yunxin,
    zendesk,
)
from service.api.hooks.tool import Tool

_ALL: tuple[Tool, ...] = (
    # Asked before the customer sees it.
    easemob.TOOL,
    openim.TOOL,
    rongcloud.TOOL,
    stream.TOOL,
    tencent_im.TOOL,
    yunxin.TOOL,
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
    mattermost.TOOL,
    meiqia.TOOL,
    qiyu.TOOL,
    rocketchat.TOOL,
    sendbird.TOOL,
    slack.TOOL,
    sobot.TOOL,
    sunshine.TOOL,
    wecom.TOOL,
    zendesk.TOOL,
)

TOOLS: dict[str, Tool] = {tool.provider: tool for tool in _ALL}
"""By the name that a connection's `provider` has."""
