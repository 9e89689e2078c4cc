"""Each tool that tells us after the fact: proved, read and answered, by the fixtures and the documents' own rules."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from service.api.hooks.registry import TOOLS
from service.api.hooks.tool import Call, Forged, Incoming, Reading
from tests.api.hooks.after import (
    AT,
    DINGTALK_EVENT,
    FEISHU,
    SECRETS,
    TEXT,
    another_key,
    base64_of,
    call_of,
    dingtalk_event,
    mac,
    moment,
    payload_of,
    secret_of,
    signed,
)

AFTER = sorted(set(SECRETS) - {"wecom"})
"""WeCom's calls hold no message: `test_wecom.py`."""
TIMED = {"chatwoot": 300, "zendesk": 300, "front": 300, "crisp": 300, "slack": 300, "dingtalk": 3_600, "feishu": 28_800}
TIMED |= {"sobot": 300, "qiyu": 300}
"""Seconds that a signed time may be off."""
BODY_SIGNED = set(AFTER) - {"sunshine", "freshdesk", "livechat", "dingtalk", "sobot", "cometchat"}


def read(provider: str, payload: Any, call: Call | None = None, **settings: Any) -> Reading:
    """The call proved and read."""
    tool, call = TOOLS[provider], call or call_of(provider, payload)
    given = tool.settings(**settings)
    return tool.read(tool.verify(call, secret_of(provider), given), call, given)


def message_of(provider: str, payload: Any, **settings: Any) -> Incoming:
    (message,) = read(provider, payload, **settings).messages
    return message


def with_(provider: str, changes: dict[str, Any]) -> dict[str, Any]:
    """The fixture with other values at paths such as `event.comment.body`."""
    payload = payload_of(provider)
    for path, value in changes.items():
        *way, last = path.split(".")
        place: Any = payload
        for step in way:
            place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
        place[int(last) if isinstance(place, list) else last] = value
    return payload


@pytest.mark.parametrize("provider", AFTER)
def test_an_agents_message_is_read(provider: str) -> None:
    message = message_of(provider, payload_of(provider))
    assert message.text == TEXT
    assert message.agent_id in ("31", "tea_31", "U31", "ou_31", "阿青", "qing@shop.test")
    assert message.conversation_id in ("88", "cnv_88", "session_88", "C88", "oc_88", "905")
    assert message.delivery_id
    assert message.sent_at in (moment(AT), moment(AT + 0.0001), None)
    assert not message.is_edit
    assert message == message_of(provider, payload_of(provider)), "a retry is another message"


@pytest.mark.parametrize("provider", AFTER)
def test_a_foreign_secret_proves_nothing(provider: str) -> None:
    tool, call = TOOLS[provider], call_of(provider, payload_of(provider))
    other: Any = "something-else"
    if provider == "freshchat":
        other = {"public_key_spki_base64": another_key()}
    elif isinstance(SECRETS[provider], dict):
        other = {name: f"{value}-else" for name, value in SECRETS[provider].items()}
    with pytest.raises(Forged):
        tool.verify(call, secret_of(provider, other), tool.settings())


@pytest.mark.parametrize("provider", AFTER)
def test_a_call_without_proof_is_refused(provider: str) -> None:
    tool, payload = TOOLS[provider], payload_of(provider)
    payload.pop("secret_key", None)
    call = replace(call_of(provider, payload), headers={}, query={})
    with pytest.raises(Forged):
        tool.verify(call, secret_of(provider), tool.settings())


@pytest.mark.parametrize("provider", sorted(BODY_SIGNED))
def test_a_changed_body_is_refused(provider: str) -> None:
    tool, call = TOOLS[provider], call_of(provider, payload_of(provider))
    with pytest.raises(Forged):
        tool.verify(replace(call, body=call.body.replace(b"8", b"9", 1)), secret_of(provider), tool.settings())


@pytest.mark.parametrize("provider", sorted(TIMED))
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_time_outside_of_the_window_is_refused(provider: str, sign: int) -> None:
    tool, payload = TOOLS[provider], payload_of(provider)
    secret, settings = secret_of(provider), tool.settings()
    tool.verify(call_of(provider, payload, now=AT + sign * (TIMED[provider] - 1)), secret, settings)
    with pytest.raises(Forged, match="seconds from now"):
        tool.verify(call_of(provider, payload, now=AT + sign * (TIMED[provider] + 1)), secret, settings)


@pytest.mark.parametrize("provider", AFTER)
def test_agents_may_be_named(provider: str) -> None:
    agent = message_of(provider, payload_of(provider)).agent_id
    assert message_of(provider, payload_of(provider), agents=(f"{agent[:2]}*",)).text == TEXT
    assert read(provider, payload_of(provider), agents=("somebody",)).ignored == "customer"


@pytest.mark.parametrize("provider", AFTER)
def test_the_sample_is_an_agents_message(provider: str) -> None:
    tool = TOOLS[provider]
    assert tool.sample is not None
    call = Call("POST", "", {}, {}, b"", moment(AT))
    (message,) = tool.read(tool.sample("a < b & 高仿"), call, tool.settings()).messages
    assert message.text == "a < b & 高仿"


IGNORED: list[tuple[str, dict[str, Any], str]] = [
    ("chatwoot", {"message_type": "incoming"}, "customer"),
    ("chatwoot", {"message_type": "activity"}, "system"),
    ("chatwoot", {"private": True}, "private note"),
    ("chatwoot", {"private": True, "content": "〔慎言 Shenyan〕 请勿…"}, "own note"),
    ("chatwoot", {"sender.type": "agent_bot"}, "bot"),
    ("chatwoot", {"event": "message_updated", "content_attributes": {"deleted": True}}, "deleted"),
    ("chatwoot", {"event": "conversation_created"}, "unknown event"),
    ("zendesk", {"event.comment.author.is_staff": False}, "customer"),
    ("zendesk", {"event.comment.is_public": False}, "private note"),
    ("zendesk", {"type": "zen:event-type:ticket.created"}, "unknown event"),
    ("sunshine", {"events.0.payload.message.author.type": "user"}, "customer"),
    ("sunshine", {"events.0.payload.message.source.type": "zd:answerBot"}, "bot"),
    ("sunshine", {"events.0.type": "conversation:read"}, "unknown event"),
    ("sunshine", {"events": []}, "unknown event"),
    ("intercom", {"topic": "conversation.user.replied"}, "customer"),
    ("intercom", {"topic": "conversation.admin.noted"}, "private note"),
    ("intercom", {"data.item.conversation_parts.conversation_parts.0.part_type": "note"}, "private note"),
    ("intercom", {"data.item.conversation_parts.conversation_parts.0.author.type": "bot"}, "bot"),
    ("intercom", {"topic": "ping"}, "ping"),
    ("intercom", {"topic": "conversation_part.redacted"}, "unknown event"),
    ("freshchat", {"actor.actor_type": "user"}, "customer"),
    ("freshchat", {"actor.actor_type": "system"}, "system"),
    ("freshchat", {"data.message.message_type": "private"}, "private note"),
    ("freshchat", {"action": "conversation_resolution"}, "unknown event"),
    ("freshdesk", {"freshdesk_webhook": {}}, "unknown event"),
    ("front", {"payload.target.data.is_inbound": True}, "customer"),
    ("front", {"payload.type": "inbound"}, "customer"),
    ("front", {"payload.type": "comment"}, "private note"),
    ("front", {"payload.source._meta.type": "rule"}, "bot"),
    ("front", {"payload.type": "tag"}, "unknown event"),
    ("helpscout", {"_embedded.threads.0.type": "note"}, "private note"),
    ("helpscout", {"_embedded.threads.0.state": "draft"}, "private note"),
    ("livechat", {"payload.event.author_id": "b7eff798-f8df"}, "customer"),
    ("livechat", {"payload.event.visibility": "agents"}, "private note"),
    ("livechat", {"payload.event.type": "system_message"}, "system"),
    ("livechat", {"action": "chat_deactivated"}, "unknown event"),
    ("crisp", {"event": "message:send", "data.from": "user"}, "customer"),
    ("crisp", {"data.type": "note"}, "private note"),
    ("crisp", {"data.automated": True}, "bot"),
    ("crisp", {"event": "session:set_email"}, "unknown event"),
    ("sendbird", {"sender.metadata.role": "customer"}, "customer"),
    ("sendbird", {"sender.metadata.role": "bot"}, "bot"),
    ("sendbird", {"type": "ADMM"}, "system"),
    ("sendbird", {"category": "group_channel:join"}, "unknown event"),
    ("slack", {"event.bot_id": "B1"}, "bot"),
    ("slack", {"event.subtype": "channel_join"}, "system"),
    ("slack", {"event.subtype": "message_changed", "event.message": {"text": "a"}, "event.previous_message": {"text": "a"}},
     "unchanged"),
    ("slack", {"event.type": "reaction_added"}, "unknown event"),
    ("dingtalk", {"senderStaffId": ""}, "customer"),
    ("dingtalk", {"msgtype": ""}, "unknown event"),
    ("feishu", {"event.sender.sender_type": "app"}, "bot"),
    ("feishu", {"header.event_type": "im.chat.updated_v1"}, "unknown event"),
    ("meiqia", {"messageId": ""}, "unknown event"),
    ("sobot", {"content.0.senderType": 1}, "customer"),
    ("sobot", {"content": []}, "unknown event"),
    ("qiyu", {"staffId": None}, "bot"),
    ("qiyu", {"msgType": ""}, "unknown event"),
    ("cometchat", {"data.message.category": "action"}, "system"),
    ("cometchat", {"trigger": "user_online"}, "unknown event"),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "changes", "reason"), IGNORED)
def test_what_is_no_agents_public_message_is_ignored(provider: str, changes: dict[str, Any], reason: str) -> None:
    assert {provider for provider, _, _ in IGNORED} == set(AFTER)
    reading = read(provider, with_(provider, changes))
    assert (reading.messages, reading.ignored) == ((), reason)


@pytest.mark.parametrize("provider", AFTER)
@pytest.mark.parametrize("broken", [[], {}, 0, None, "x", [[]], {"a": [None]}])
def test_fields_of_another_kind_end_in_no_crash(provider: str, broken: Any) -> None:
    for path in paths_of(payload_of(provider)):
        payload = with_(provider, {path: broken})
        if provider == "livechat":
            payload["secret_key"] = SECRETS["livechat"]
        if provider == "feishu":
            payload["header"] = payload_of(provider)["header"]
        tool = TOOLS[provider]
        tool.read(payload, Call("POST", "", {}, {}, b"", moment(AT)), tool.settings())


def paths_of(payload: dict[str, Any]) -> list[str]:
    """The outermost two levels."""
    inner = [f"{name}.{below}" for name, value in payload.items() if isinstance(value, dict) for below in value]
    return [*payload, *inner]


def test_markup_is_read_as_the_customer_reads_it() -> None:
    body = "<p>高<b>仿</b> &amp; <i>正</i>品</p><script>x</script><div>加我<br>微信</div><blockquote>在吗</blockquote>"
    plain = "高仿 & 正品\n加我\n微信\n在吗"
    parts = "data.item.conversation_parts.conversation_parts.0.body"
    for provider, path in [
        ("intercom", parts),
        ("front", "payload.target.data.body"),
        ("helpscout", "_embedded.threads.0.body"),
        ("freshdesk", "freshdesk_webhook.ticket_latest_public_comment"),
    ]:
        assert message_of(provider, with_(provider, {path: body})).text == plain, provider


CONTENT = "events.0.payload.message.content"
MIXED: list[tuple[str, dict[str, Any], str, tuple[str, ...], tuple[str, ...]]] = [
    ("chatwoot", {"content": None, "attachments": [{"file_type": "image", "data_url": "https://c.test/1"},
                  {"file_type": "audio", "data_url": "https://c.test/2"}]}, "", ("https://c.test/1",), ("voice: not inspected",)),
    ("sunshine", {CONTENT: {"type": "image", "mediaUrl": "https://s.test/1", "text": "看图"}}, "看图", ("https://s.test/1",), ()),
    ("sunshine", {CONTENT: {"type": "carousel", "items": [{"title": "包", "description": "高仿", "actions": [{"text": "买"}]}]}},
     "包\n高仿\n买", (), ()),
    ("intercom", {"data.item.conversation_parts.conversation_parts.0.body": '<p>看</p><img src="https://i.test/1">'},
     "看", ("https://i.test/1",), ()),
    ("freshchat", {"data.message.message_parts": [{"text": {"content": "一"}}, {"image": {"url": "https://f.test/1"}},
                   {"text": {"content": "二"}}, {"video": {"url": "https://f.test/2"}}]},
     "一\n二", ("https://f.test/1",), ("video: not inspected",)),
    ("front", {"payload.target.data.attachments": [{"content_type": "application/pdf", "url": "https://x.test/1"}]},
     TEXT, (), ("file: not inspected",)),
    ("livechat", {"payload.event": {"id": "1", "type": "file", "content_type": "image/png", "url": "https://l.test/1",
                  "author_id": "a@b.test", "visibility": "all"}}, "", ("https://l.test/1",), ()),
    ("crisp", {"data.type": "file", "data.content": {"type": "image/png", "url": "https://c.test/1"}},
     "", ("https://c.test/1",), ()),
    ("crisp", {"data.type": "picker", "data.content": {"text": "选", "choices": [{"label": "高仿"}]}}, "选\n高仿", (), ()),
    ("sendbird", {"type": "FILE", "payload": {"message_id": 1, "url": "https://b.test/1", "content_type": "image/png"}},
     "", ("https://b.test/1",), ()),
    ("slack", {"event.text": "看 <https://a.test|这里> &lt;b&gt; <@U2>", "event.subtype": "file_share",
               "event.files": [{"mimetype": "video/mp4", "url_private": "https://k.test/1"}]},
     "看 这里 <b> @U2", (), ("video: not inspected",)),
    ("dingtalk", {"msgtype": "richText", "content": {"richText": [{"text": "高"}, {"downloadCode": "c"}]}, "text": None},
     "高", (), ("image: not inspected",)),
    ("feishu", {"event.message.message_type": "post", "event.message.content": json.dumps({"zh_cn": {"title": "新品", "content": [
        [{"tag": "text", "text": "高"}, {"tag": "a", "text": "仿"}], [{"tag": "img", "image_key": "k"}]]}})},
     "新品\n高仿", (), ("image: not inspected",)),
    ("feishu", {"event.message.content": json.dumps({"text": "@_user_1 好"}), "event.message.mentions":
                [{"key": "@_user_1", "name": "小红"}]}, "@小红 好", (), ()),
    ("meiqia", {"contentType": "photo", "content": "https://m.test/1"}, "", ("https://m.test/1",), ()),
    ("sobot", {"content.0.msgType": "1", "content.0.content": "https://s.test/1"}, "", ("https://s.test/1",), ()),
    ("qiyu", {"msgType": "PICTURE", "content": json.dumps({"url": "https://q.test/1"})}, "", ("https://q.test/1",), ()),
    ("cometchat", {"data.message.type": "image", "data.message.data": {"attachments": [{"mimeType": "image/png",
     "url": "https://t.test/1"}]}}, "", ("https://t.test/1",), ()),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "changes", "text", "pictures", "rest"), MIXED)
def test_parts_are_joined_or_named(
    provider: str, changes: dict[str, Any], text: str, pictures: tuple[str, ...], rest: tuple[str, ...]
) -> None:
    message = message_of(provider, with_(provider, changes))
    assert (message.text, message.image_urls, message.uninspected) == (text, pictures, rest)


EDITED: list[tuple[str, dict[str, Any]]] = [
    ("chatwoot", {"event": "message_updated", "content": "改"}),
    ("livechat", {"action": "event_updated", "payload.event.text": "改"}),
    ("crisp", {"event": "message:updated", "data.content": "改"}),
    ("sendbird", {"category": "group_channel:message_update", "payload.message": "改"}),
    ("slack", {"event_id": "Ev2", "event.subtype": "message_changed", "event.previous_message": {"text": TEXT},
               "event.message": {"type": "message", "user": "U31", "text": "改", "ts": "1767225600.000100"}}),
    ("cometchat", {"trigger": "message_edited", "data.message.data.text": "改"}),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "changes"), EDITED)
def test_an_edit_is_one_more_message(provider: str, changes: dict[str, Any]) -> None:
    first, edit = message_of(provider, payload_of(provider)), message_of(provider, with_(provider, changes))
    assert edit.is_edit
    assert edit.text == "改"
    assert edit.message_id == first.message_id
    assert edit.delivery_id != first.delivery_id


def test_an_update_of_the_status_is_the_same_wording_again() -> None:
    first = message_of("chatwoot", payload_of("chatwoot"))
    update = message_of("chatwoot", with_("chatwoot", {"event": "message_updated", "status": "read"}))
    assert update.delivery_id == first.delivery_id


def test_several_messages_of_one_call_are_read_each() -> None:
    event = payload_of("sunshine")["events"][0]
    customers = json.loads(json.dumps(event).replace('"business"', '"user"'))
    reading = read("sunshine", {"events": [event, customers, {**event, "id": "ev2"}]})
    assert [message.delivery_id for message in reading.messages] == ["ev1", "ev2"]
    part = payload_of("intercom")["data"]["item"]["conversation_parts"]["conversation_parts"][0]
    path = "data.item.conversation_parts.conversation_parts"
    parts = [part, {**part, "id": "2"}, {**part, "id": "3", "author": {"type": "user"}}]
    assert [message.message_id for message in read("intercom", with_("intercom", {path: parts})).messages] == [
        "7301",
        "2",
    ]
    item = payload_of("sobot")["content"][0]
    items = [{**item, "msgId": str(number)} for number in range(20)]
    assert len(read("sobot", with_("sobot", {"content": items})).messages) == 20


def test_handshakes_are_answered_in_the_tools_words() -> None:
    hello = {"type": "url_verification", "challenge": "c-1", "token": FEISHU["verification_token"]}
    reply = read("slack", hello).reply
    assert reply is not None
    assert reply.content == {"challenge": "c-1"}
    unsigned = call_of("feishu", hello)
    for call in (unsigned, replace(unsigned, headers={})):
        reply = read("feishu", hello, call).reply
        assert reply is not None
        assert reply.content == {"challenge": "c-1"}
    sync = Call("POST", "", {}, {"x-front-challenge": "c-2"}, b'{"type": "sync"}', moment(AT))
    reply = read("front", None, sync).reply
    assert reply is not None
    assert (reply.content, reply.media_type) == (b"c-2", "text/plain")
    with pytest.raises(Forged):
        read("front", None, replace(sync, body=b'{"type": "outbound_sent"}'))


def test_feishu_without_a_key_is_proved_by_the_token_in_the_body() -> None:
    tool, secret = TOOLS["feishu"], secret_of("feishu", {"verification_token": FEISHU["verification_token"]})
    body = json.dumps(payload_of("feishu")).encode()
    call = Call("POST", "", {}, {}, body, moment(AT))
    assert tool.read(tool.verify(call, secret, tool.settings()), call, tool.settings()).messages[0].text == TEXT
    with pytest.raises(Forged):
        tool.verify(replace(call, body=body.replace(b"own-token", b"other-token")), secret, tool.settings())
    with pytest.raises(Forged, match="Signature is missing"):
        read("feishu", None, replace(call_of("feishu", payload_of("feishu")), headers={}))


def test_a_rule_of_front_signs_with_sha1() -> None:
    body = json.dumps(payload_of("front")["payload"]).encode()
    headers = {"x-front-signature": base64_of(mac("front-own-key", body, "sha1"))}
    call = Call("POST", "", {}, headers, body, moment(AT))
    assert read("front", None, call).messages[0].text == TEXT
    with pytest.raises(Forged):
        read("front", None, replace(call, body=body + b" "))


def test_crisp_signs_what_it_dumps_itself() -> None:
    headers, query, _ = signed(
        "crisp", json.dumps(payload_of("crisp"), ensure_ascii=False, separators=(",", ":")).encode()
    )
    spaced = json.dumps(payload_of("crisp"), indent=1).encode()
    lower = {name.lower(): value for name, value in headers.items()}
    assert read("crisp", None, Call("POST", "", query, lower, spaced, moment(AT))).messages[0].text == TEXT


def test_zendesks_trigger_sends_our_template() -> None:
    body = {"ticket_id": "88", "comment": {"id": "7301", "body": TEXT}, "agent": "31"}
    message = message_of("zendesk", body)
    assert (message.text, message.agent_id, message.conversation_id) == (TEXT, "31", "88")


def test_freshdesk_takes_basic_authentication_and_a_flat_body() -> None:
    tool = TOOLS["freshdesk"]
    body = json.dumps(payload_of("freshdesk")["freshdesk_webhook"]).encode()
    call = Call("POST", "", {}, {"authorization": f"Basic {base64_of(b'me:secret')}"}, body, moment(AT))
    payload = tool.verify(call, secret_of("freshdesk", "me:secret"), tool.settings())
    assert tool.read(payload, call, tool.settings()).messages[0].text == TEXT
    with pytest.raises(Forged):
        tool.verify(call, secret_of("freshdesk"), tool.settings())


def test_livechats_secret_does_not_go_further_than_the_check() -> None:
    tool, call = TOOLS["livechat"], call_of("livechat", payload_of("livechat"))
    assert SECRETS["livechat"] not in str(tool.verify(call, secret_of("livechat"), tool.settings()))


def test_sobots_fields_lie_where_the_settings_say() -> None:
    item = {"who": {"id": "31"}, "said": TEXT, "by": "staff", "no": "9"}
    places = {"items": "data.list", "agent": "who.id", "text": "said", "sender": "by", "message": "no"}
    message = message_of("sobot", {"data": {"list": [item]}}, **places, agent_senders=("staff",))
    assert (message.text, message.agent_id, message.delivery_id) == (TEXT, "31", "9")
    reply = TOOLS["sobot"].answer((), call_of("sobot", {}), TOOLS["sobot"].settings())
    assert reply.content == {"ret_code": "000000"}


def test_slacks_retries_are_told_to_stop() -> None:
    tool, call = TOOLS["slack"], call_of("slack", payload_of("slack"))
    assert tool.answer((), call, tool.settings()).headers == {}
    again = replace(call, headers={**call.headers, "x-slack-retry-num": "1"})
    assert tool.answer((), again, tool.settings()).headers == {"X-Slack-No-Retry": "1"}


@pytest.mark.parametrize("provider", ["chatwoot", "crisp"])
def test_what_does_not_sign_is_read_without_a_secret(provider: str) -> None:
    tool, call = TOOLS[provider], call_of(provider, payload_of(provider))
    assert tool.secret_optional
    payload = tool.verify(replace(call, headers={}), None, tool.settings())
    assert tool.read(payload, call, tool.settings()).messages[0].text == TEXT


@pytest.mark.parametrize(
    ("provider", "shown"),
    [
        ("freshchat", {"public_key_spki_base64": "bm8="}),
        ("wecom", {"token": "t", "encoding_aes_key": "short", "corp_id": "c"}),
        ("dingtalk", {"token": "t"}),
        ("dingtalk", {**DINGTALK_EVENT, "aes_key": "short"}),
        ("feishu", {}),
    ],
)
def test_a_secret_that_can_prove_nothing_is_not_taken(provider: str, shown: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        secret_of(provider, shown)


def test_the_pem_lines_of_freshchats_page_are_left_out() -> None:
    shown = f"-----BEGIN RSA PUBLIC KEY-----\n{SECRETS['freshchat']['public_key_spki_base64']}\n-----END RSA PUBLIC KEY-----"
    tool, call = TOOLS["freshchat"], call_of("freshchat", payload_of("freshchat"))
    assert tool.verify(call, secret_of("freshchat", {"public_key_spki_base64": shown}), tool.settings())


def test_an_event_of_dingtalk_is_answered_with_an_encrypted_success() -> None:
    tool, secret = TOOLS["dingtalk"], secret_of("dingtalk", DINGTALK_EVENT)
    call = dingtalk_event({"EventType": "check_url"})
    reading = tool.read(tool.verify(call, secret, tool.settings()), call, tool.settings())
    assert reading.reply is not None
    assert set(reading.reply.content) == {"msg_signature", "encrypt", "timeStamp", "nonce"}
    with pytest.raises(Forged):
        tool.verify(replace(call, query={**call.query, "nonce": "n2"}), secret, tool.settings())
    with pytest.raises(Forged, match="no token"):
        tool.verify(call, secret_of("dingtalk"), tool.settings())


def test_a_robots_message_cannot_bring_its_own_answer() -> None:
    payload = {**payload_of("dingtalk"), "_reply": {"encrypt": "x"}}
    assert read("dingtalk", payload).messages[0].text == TEXT
