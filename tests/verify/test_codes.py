"""What the codes in a picture lead to: rows of a payload and what it is found to be."""

from __future__ import annotations

import pytest

from service.engine import Engine
from service.text.message import MAX_TEXT, Assets, Image, Message
from service.text.span import Span
from service.verify.codes import MAX_READ
from service.vocabulary import Platform, Severity
from tests.reading import found

SHOP = Assets(
    domains=("example.com",),
    phones=("400-800-1234",),
    emails=("kefu@example.net",),
    accounts=("shop_kefu", "https://u.wechat.com/EDqAbCdEf"),
)


def read(engine: Engine, payload: str, platform: Platform = "pinduoduo", assets: Assets = SHOP) -> tuple[str, Severity]:
    """Kind and severity of the one finding; empty and low where the code passes."""
    candidates = found(engine.decide(Message("", platform, assets=assets, images=(Image((payload,)),))))
    assert len(candidates) <= 1
    for candidate in candidates:
        assert (candidate.category, candidate.field) == ("qr_code", "attachments/0")
        assert (candidate.value, candidate.span) == (payload, Span(0, len(payload)))
        return candidate.kind, candidate.severity
    return "", "low"


@pytest.mark.parametrize(("payload", "kind", "severity"), [
    ("wxp://f2f0AbCdEf", "wechat_pay", "critical"),
    ("weixin://wxpay/bizpayurl?pr=AbCdEf", "wechat_pay", "critical"),
    ("https://payapp.weixin.qq.com/qr/AQE", "wechat_pay", "critical"),
    ("https://qr.alipay.com/fkx00000abcdefgh", "alipay", "critical"),
    ("HTTPS://QR.ALIPAY.COM/FKX00000ABCDEFGH", "alipay", "critical"),
    ("alipays://platformapi/startapp?appId=1", "alipay", "critical"),
    ("https://qr.95516.com/00010000/6200000000", "payment", "critical"),
    ("00020101021129300012D156000000000510A93FO3230Q", "payment", "critical"),
    ("bitcoin:bc1qexampleexampleexampleexampleexam", "payment", "critical"),
    ("https://u.wechat.com/EAbCdEfGh", "wechat", "high"),
    ("http://weixin.qq.com/r/abcdefg", "wechat", "high"),
    ("https://work.weixin.qq.com/ca/cawcde0000", "wechat", "high"),
    ("weixin://dl/chat?abc", "wechat", "high"),
    ("https://qm.qq.com/cgi-bin/qm/qr?k=abc", "qq", "high"),
    ("mqqapi://card/show_pslcard?uin=123456", "qq", "high"),
    ("https://t.me/abcdef", "account", "high"),
    ("加微信abcd1234", "account", "high"),
    ("tel:13900139000", "phone", "high"),
    ("BEGIN:VCARD\nVERSION:3.0\nFN:A\nTEL:+86 139 0013 9000\nEND:VCARD", "phone", "high"),
    ("mailto:a@example.org", "email", "high"),
    ("6222021000000000009", "bank", "critical"),
    ("11010519491231002X", "identity", "critical"),
    ("实体店在人民路12号", "address", "high"),
    ("https://example.org/a", "link", "high"),
    ("https://mobile.example.org/redirect?to=mobile.yangkeduo.com", "link", "high"),
    ("https://mobile.yangkeduo.com@example.org/", "link", "high"),
    ("https://mobile.yangkeduo.com:x@example.org/", "link", "high"),
    ("https://mobile.yangkeduo.com\n.example.org/", "link", "high"),
    ("https://item.taobao.com/item.htm?id=1", "link", "high"),
    ("这款是高仿的", "words", "high"),
    ("SN20240001A7", "text", "high"),
    ("", "text", "high"),
])  # fmt: skip
def test_where_a_code_leads(engine: Engine, payload: str, kind: str, severity: Severity) -> None:
    assert read(engine, payload) == (kind, severity)


@pytest.mark.parametrize(("payload", "check"), [
    ("https://mobile.yangkeduo.com/goods.html?goods_id=1", "own_domain"),
    ("https://www.example.com/join?from=微信", "own_domain"),
    ("tel:400-800-1234", "own_account"),
    ("mailto:KEFU@EXAMPLE.NET", "own_account"),
    ("微信号：shop_kefu", "own_account"),
    ("weixin://contacts/profile/shop_kefu", "own_account"),
    ("https://u.wechat.com/EDqAbCdEf", "own_account"),
])  # fmt: skip
def test_what_the_platform_or_the_shop_owns_passes(engine: Engine, payload: str, check: str) -> None:
    decision = engine.decide(Message("", "pinduoduo", assets=SHOP, images=(Image((payload,)),)))
    assert decision.action == "allow"
    assert [(each.candidate.category, each.check) for each in decision.dismissed] == [("qr_code", check)]


def test_a_payment_code_is_one_on_every_platform(engine: Engine) -> None:
    for platform in engine.platforms:
        assert read(engine, "https://qr.alipay.com/fkx00000abcdefgh", platform, Assets()) == ("alipay", "critical")


def test_the_reason_names_where_it_leads_and_what_is_wrong_there(engine: Engine) -> None:
    images = (Image(("这款是高仿的", "https://qr.alipay.com/fkx00000abcdefgh")),)
    words, alipay = sorted(
        found(engine.decide(Message("", "generic", images=images))), key=lambda each: -ord(each.kind[0])
    )
    assert alipay.reason.zh_cn == "图片中含有支付宝二维码"
    assert words.reason.zh_cn.startswith("图片中的二维码含有违规内容：")
    assert words.reason.en.startswith("A code in the picture says what is not allowed: ")


@pytest.mark.parametrize(("payload", "detector", "term"), [
    ("tel:13900139000", "phones", None),
    ("https://example.org/a", "links", None),
    ("这款是高仿的", "terms", "高仿"),
    ("wxp://f2f0AbCdEf", "pictures", None),
    ("SN20240001A7", "pictures", None),
])  # fmt: skip
def test_names_what_found_it(engine: Engine, payload: str, detector: str, term: str | None) -> None:
    (candidate,) = found(engine.decide(Message("", "generic", images=(Image((payload,)),))))
    assert (candidate.detector, candidate.term and candidate.term.pattern) == (detector, term)


def test_somebody_elses_number_beside_the_shops_own_is_found(engine: Engine) -> None:
    assert read(engine, "TEL:400-800-1234;TEL:13900139000")[0] == "phone"


def test_codes_past_the_longest_text_are_found_without_being_read(engine: Engine) -> None:
    payloads = ("wxp://" + "a" * (MAX_TEXT - 10), "tel:13900139000", "https://t.me/abcdef")
    candidates = found(engine.decide(Message("", "generic", images=(Image(payloads),))))
    assert sorted(candidate.kind for candidate in candidates) == ["text", "text", "wechat_pay"]
    images = (Image(tuple(f"https://t.me/abcdef{number}" for number in range(MAX_READ + 3))),)
    kinds = [candidate.kind for candidate in found(engine.decide(Message("", "generic", images=images)))]
    assert (kinds.count("account"), kinds.count("text")) == (MAX_READ, 3)
