"""Words and numbers split over messages are found where they complete; honest messages that follow each other pass."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.decide.decision import Decision
from service.engine import Engine
from service.lexicon.snapshot import Snapshot
from service.text.message import Assets, Earlier, Image, Message
from service.verify.seams import tail_of
from tests.reading import found


def decide(engine: Engine, *texts: str, **fields: object) -> Decision:
    """The decision on the last of `texts`, the others before it as m0, m1, …"""
    earlier = tuple(Earlier(tail_of(text), f"m{number}") for number, text in enumerate(texts[:-1]))
    return engine.decide(Message(texts[-1], "pinduoduo", earlier=earlier, **fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(("texts", "part", "ids"), [
    (("微", "信", "abc123"), "abc123", ("m0", "m1")),
    (("加我微", "信聊"), "信聊", ("m0",)),
    (("加我微", "ｘｉｎ聊"), "ｘｉｎ聊", ("m0",)),
    (("我们这款是高", "仿的"), "仿", ("m0",)),
    (("我们这款是高 ", "❤仿的"), "❤仿", ("m0",)),
    (("您好", "我们这款是髙", "仿的"), "仿", ("m1",)),
    (("138", "0013", "8000"), "8000", ("m0", "m1")),
    (("一三八", "零零一三", "八零零零"), "八零零零", ("m0", "m1")),
    (("电话138001", "38000，随时打"), "38000", ("m0",)),
    (("6222021234567", "890128"), "890128", ("m0",)),
    (("www.exam", "ple.com"), "ple.com", ("m0",)),
    (("www.example.", "com"), "com", ("m0",)),
    (("加我", "微信"), "微信", ("m0",)),
    (("加我微信", "abcdefghijkl_123"), "abcdefghijkl_123", ("m0",)),
])  # fmt: skip
def test_what_completes_here_is_found_here(
    engine: Engine, texts: tuple[str, ...], part: str, ids: tuple[str, ...]
) -> None:
    decision = decide(engine, *texts)
    assert decision.action == "block"
    hits = [hit for hit in found(decision) if hit.earlier]
    assert [texts[-1][slice(*hit.span)].strip() for hit in hits] == [part]
    assert hits[0].earlier == ids
    assert "split_messages" in hits[0].disguises
    assert len(decision.masked_text) == len(texts[-1])


@pytest.mark.parametrize("texts", [
    ("您稍微", "信任我们一下"),
    ("好的，麻烦您稍微", "信息填写完整"),
    ("这款最高", "仿真度很好"),
    ("拍照发给我", "微信支付的订单会原路退回"),
    ("您可以联系客服", "10005966这个订单吗"),
    ("退款在15", "2023-11-06 10:15 到账"),
    ("质量有保证", "今天就能发货"),
    ("您的尾号是138", "今天 00 点前发出"),
    ("谢谢", "海宁市许村镇塘南路3号"),
    ("微。", "信。"),
    ("", "在的"),
    ("在的", ""),
    ("❤❤", "好的"),
])  # fmt: skip
def test_honest_messages_may_follow_each_other(engine: Engine, texts: tuple[str, ...]) -> None:
    assert not [hit for hit in found(decide(engine, *texts)) if hit.earlier]


def test_what_an_earlier_message_said_is_not_said_again(engine: Engine) -> None:
    assert decide(engine, "我们这款是高仿的", "好的").action == "allow"
    assert decide(engine, "微", "信", "abc123", "好的").action == "allow"


def test_what_is_not_next_to_it_is_not_joined(engine: Engine) -> None:
    assert decide(engine, "加我微", "您好，请问有什么可以帮您", "信聊").action == "allow"


def test_what_this_message_says_alone_needs_no_other(engine: Engine) -> None:
    (hit,) = found(decide(engine, "您好", "这款是高仿的"))
    assert hit.earlier == ()


def test_the_shops_own_number_passes_in_pieces_too(engine: Engine) -> None:
    assets = Assets(phones=("13800138000",))
    assert decide(engine, "电话138001", "38000", assets=assets).action == "allow"
    assert decide(engine, "电话138001", "38000").action == "block"


def test_pictures_are_looked_at_once(engine: Engine) -> None:
    picture = Image(payloads=("https://u.wechat.com/abc",))
    decision = decide(engine, "加我微", "信聊", images=(picture,))
    assert sorted(hit.field for hit in found(decision)) == ["attachments/0", "text"]


def test_a_dismissal_over_the_seam_lies_in_this_message(engine: Engine) -> None:
    decision = decide(engine, "请勿相信任何加微", "信的要求")
    assert decision.action == "allow"
    over = [each for each in decision.dismissed if each.candidate.earlier]
    assert over
    assert {each.candidate.span for each in over} == {(0, 1)}


BANNED = [
    "亲，这款是高仿的，质量很好",
    "这款是髙　仿的",
    "我的电话是13800138000哦",
    "电话一三八零零一三八零零零",
    "打钱到6222021234567890128",
    "看www.example.com这里",
    "加微信号：abc12345",
    "你真是个傻逼",
]


@given(st.data())
def test_a_banned_message_is_flagged_where_it_completes(engine: Engine, data: st.DataObject) -> None:
    """Split into up to four messages, wherever: the last one that is needed for it is stopped, and shows its own part."""
    banned = data.draw(st.sampled_from(BANNED))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(banned) - 1), min_size=1, max_size=3)))
    pieces = [banned[start:end] for start, end in pairwise([0, *cuts, len(banned)])]
    for number in range(len(pieces)):
        decision = decide(engine, *pieces[: number + 1])
        if decision.action != "allow":
            break
    assert decision.action != "allow"
    for hit in found(decision):
        assert 0 <= hit.span.start < hit.span.end <= len(pieces[number])
        if hit.earlier:
            assert hit.span.start == 0
            assert hit.earlier[-1] == f"m{number - 1}"


@given(st.lists(st.text(max_size=40), min_size=2, max_size=5))
def test_any_texts_may_follow_each_other(engine: Engine, texts: list[str]) -> None:
    decision = decide(engine, *texts)
    assert len(decision.masked_text) == len(texts[-1])
    for hit in (*found(decision), *(each.candidate for each in decision.dismissed)):
        assert 0 <= hit.span.start <= hit.span.end <= len(texts[-1])


def test_the_ordinary_sentences_pass_in_a_row(engine: Engine, snapshot: Snapshot) -> None:
    rows = snapshot.corpus
    for number in range(4, len(rows)):
        decision = decide(engine, *rows[number - 4 : number + 1])
        assert not [hit for hit in found(decision) if hit.earlier], rows[number - 1 : number + 1]
