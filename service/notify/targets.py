"""Which kind of endpoint is spoken to in which way, and how its address is shown without what makes it a secret."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from service.notify.exchange import Target
from service.notify.robots.dingtalk import DingTalkRobot
from service.notify.robots.feishu import FeishuRobot
from service.notify.robots.wecom import WeComRobot
from service.notify.standard import Standard
from service.record.endpoints import Endpoint, Envelope, Kind
from service.record.sealed import Sealer

ROBOT_PACE = timedelta(seconds=3.1)
"""Between two messages to a robot: groups take 20 a minute."""


def target_of(kind: Kind, envelope: Envelope, public_url: str) -> Target:
    match kind:
        case "standard":
            return Standard(envelope)
        case "dingtalk_robot":
            return DingTalkRobot(public_url)
        case "feishu_robot":
            return FeishuRobot(public_url)
        case "wecom_robot":
            return WeComRobot(public_url)


def pace_of(kind: Kind) -> timedelta | None:
    return None if kind == "standard" else ROBOT_PACE


def secrets_of(endpoint: Endpoint, sealer: Sealer, now: datetime) -> tuple[str, ...]:
    """The endpoint's secret, and for a while the one before. Raises DataError when they were sealed with another key."""
    sealed = [endpoint.secret_sealed]
    if endpoint.old_secret_until is not None and now < endpoint.old_secret_until:
        sealed.append(endpoint.old_secret_sealed)
    return tuple(sealer.open(each) for each in sealed if each is not None)


def shown_url(url: str, kind: Kind) -> str:
    """The address without the values of its parameters; of Feishu's, whose secret is its end, without that."""
    parts = urlsplit(url)
    path = f"{parts.path.rpartition('/')[0]}/***" if kind == "feishu_robot" else parts.path
    query = "&".join(f"{name}=***" for name, _ in parse_qsl(parts.query, keep_blank_values=True))
    return urlunsplit((parts.scheme, parts.netloc, path, query, ""))
