"""WeCom customer service (微信客服): the call only says that there is news; `pull` then fetches it.

Sources: sbzhu/weworkapi_python; developer.work.weixin.qq.com/document/path/94670 (sync_msg).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from service.api.hooks.envelope import key_of, signature, unseal
from service.api.hooks.notes import NotSetUp, Refused, required, send
from service.api.hooks.parts import sort_media
from service.api.hooks.payload import dig, id_at, is_agent, joined, list_at, moment, text_at
from service.api.hooks.proofs import json_object, number, require, require_fresh
from service.api.hooks.tool import Call, HookSettings, Incoming, Page, Pulling, Reading, Reply, Tool
from service.errors import BadRequest

NEWS = "kf_msg_or_event"
AGENT, CUSTOMER = 5, 3
"""Origins; 4 is the system."""
PAGE = 1_000
STALE_TOKEN = frozenset({40001, 40014, 42001})
BUSY = frozenset({-1, 45009})
DONE = Reply(content=b"", media_type="text/plain")
MEDIA = ("image", "voice", "video", "file")


class WecomSecret(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The callback's token and key as the console shows them; `app_secret` is what messages are fetched with."""

    token: str
    encoding_aes_key: str
    corp_id: str
    app_secret: str | None = None

    def __post_init__(self) -> None:
        key_of(self.encoding_aes_key)


class WecomSettings(HookSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    api_base: str = "https://qyapi.weixin.qq.com"


def verify(call: Call, secret: WecomSecret, settings: HookSettings) -> Any:
    """The decrypted XML as an object; for GET the echo, as bytes."""
    query = call.query
    encrypted = query.get("echostr", "") if call.method == "GET" else _xml(call.body).get("Encrypt", "")
    expected = signature(secret.token, query.get("timestamp", ""), query.get("nonce", ""), encrypted)
    require(query.get("msg_signature"), expected, "query `msg_signature`")
    require_fresh(call.now, number(query.get("timestamp"), "query `timestamp`"), "query `timestamp`")
    plain = unseal(key_of(secret.encoding_aes_key), encrypted, secret.corp_id)
    return plain if call.method == "GET" else _xml(plain)


def _xml(body: bytes) -> dict[str, str]:
    """The texts directly below the root. Raises BadRequest for what is no XML, or has a DTD or entities of its own."""
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise BadRequest("The body is no XML without DTD.") from None
    return {child.tag: child.text or "" for child in root}


def read(payload: Any, call: Call, settings: HookSettings) -> Reading:
    if isinstance(payload, bytes):
        return Reading(ignored="echo", reply=Reply(content=payload, media_type="text/plain"))
    # No call of the tool's has messages in it; what `pull` was answered can be tried by hand.
    if found := list_at(payload, "msg_list"):
        return Reading(messages=tuple(_messages(found, settings)))
    if text_at(payload, "Event") != NEWS:
        return Reading(ignored="unknown event")
    what = {"token": text_at(payload, "Token"), "account": text_at(payload, "OpenKfId")}
    return Reading(ignored="announcement", pull=what)


async def pull(pulling: Pulling, secret: WecomSecret, settings: WecomSettings) -> Page:
    """The next page after the cursor. Raises httpx errors, NotSetUp for what will not change by itself."""
    base, client = settings.api_base.rstrip("/"), pulling.client
    app_secret = required(secret.app_secret, "app_secret")
    if (token := pulling.tokens.get("access_token")) is None:
        asked = {"corpid": secret.corp_id, "corpsecret": app_secret}
        answer = json_object((await send(client, "GET", f"{base}/cgi-bin/gettoken", params=asked)).content)
        if not (token := text_at(answer, "access_token")):
            raise NotSetUp(f"WeCom gives no access token: errcode {text_at(answer, 'errcode')}")
        pulling.tokens["access_token"] = token
    wanted = {"cursor": pulling.cursor, "token": pulling.what["token"], "limit": PAGE, "voice_format": 0}
    news = {**wanted, "open_kfid": pulling.what["account"]}
    url = f"{base}/cgi-bin/kf/sync_msg"
    answer = json_object((await send(client, "POST", url, params={"access_token": token}, json=news)).content)
    if (code := dig(answer, "errcode")) not in (0, None):
        if code in STALE_TOKEN:
            pulling.tokens.pop("access_token", None)
        is_passing = code in STALE_TOKEN | BUSY
        raise (Refused if is_passing else NotSetUp)(f"WeCom gives no messages: errcode {text_at(answer, 'errcode')}")
    messages = tuple(_messages(list_at(answer, "msg_list"), settings))
    return Page(messages=messages, cursor=text_at(answer, "next_cursor"), has_more=dig(answer, "has_more") == 1)


def _messages(found: list[Any], settings: HookSettings) -> Iterator[Incoming]:
    for each in found:
        agent, account, customer = (
            text_at(each, "servicer_userid"),
            text_at(each, "open_kfid"),
            id_at(each, "external_userid"),
        )
        if dig(each, "origin") != AGENT or not is_agent(agent, settings):
            continue
        kind = text_at(each, "msgtype")
        # Media are ids, to be fetched with the token: nobody can look into them from here.
        _, rest = sort_media([(kind, None)] if kind in MEDIA else ())
        yield Incoming(
            text=joined(_texts(each, kind)),
            agent_id=agent,
            delivery_id=text_at(each, "msgid"),
            conversation_id=f"{account}|{customer}",
            customer_id=customer,
            message_id=id_at(each, "msgid"),
            sent_at=moment(dig(each, "send_time")),
            uninspected=rest,
        )


def _texts(message: Any, kind: str) -> Iterator[str]:
    """Text, menus, links, cards, places: whatever can be read."""
    for name in ("content", "head_content", "title", "desc", "name", "address"):
        yield text_at(message, kind, name)
    for entry in list_at(message, kind, "list"):
        yield from (text_at(entry, form, "content") for form in ("click", "view", "miniprogram", "text"))
    yield text_at(message, kind, "tail_content")


def sample(text: str) -> dict[str, Any]:
    """As it is fetched."""
    message = {"msgid": "1", "open_kfid": "1", "external_userid": "1", "servicer_userid": "1", "origin": AGENT}
    return {"msg_list": [{**message, "msgtype": "text", "text": {"content": text}}]}


TOOL = Tool(
    provider="wecom",
    delivery="after",
    deadline_ms=4_000,
    secret=WecomSecret,
    settings=WecomSettings,
    verify=verify,
    read=read,
    pull=pull,
    answer=lambda checked, call, settings: DONE,
    sample=sample,
    experimental=("that it waits 5 seconds and tries three times",),
)
