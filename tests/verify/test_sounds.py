from __future__ import annotations

import pytest

from service.engine import Engine
from service.text.message import Message
from tests.reading import dismissed_by, found, slices


@pytest.mark.parametrize("text", [
    "连接一下蓝牙", "元旦快乐", "面单已经打印", "这家店威信很高", "膏方要提前预约", "经方类的书有货", "卫星导航支持",
    "沙比利木的",
])  # fmt: skip
def test_an_ordinary_word_that_only_sounds_like_a_term_passes(engine: Engine, text: str) -> None:
    assert found(engine.decide(Message(text, "generic"))) == []


@pytest.mark.parametrize(("text", "expected"), [
    ("加薇信聊", "加薇信"),
    ("加wei信", "加wei信"),
    ("加weixin", "加weixin"),
    ("jia微信", "jia微信"),
    ("这款是gaofang的", "gaofang"),
    ("加我威信", "加我"),
])  # fmt: skip
def test_what_sounds_like_a_term_and_is_no_word_is_found(engine: Engine, text: str, expected: str) -> None:
    assert any(expected in slice_ for slice_ in slices(text, found(engine.decide(Message(text, "generic")))))


def test_the_dismissal_names_the_word(engine: Engine) -> None:
    decision = engine.decide(Message("沙比", "generic"))
    assert [candidate.value for candidate in dismissed_by(decision, "ordinary_word")] == ["傻逼"]
    assert decision.dismissed[0].because.startswith("沙比 is a word of its own")
