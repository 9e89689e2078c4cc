"""A long term that is only heard is weighed amid its neighbours as if it were written plainly."""

from __future__ import annotations

import pytest

from service.engine import Engine
from service.text.message import Message
from service.text.span import Span
from service.verify.verify import write_plainly


def test_words_take_the_place_of_what_sounds_like_them() -> None:
    text, parts = write_plainly("您加weixin给脸步要脸", [Span(2, 8), Span(8, 13)], ["微信", "给脸不要脸"])
    assert text == "您加微信给脸不要脸"
    assert [text[part.start : part.end] for part in parts] == ["微信", "给脸不要脸"]


@pytest.mark.parametrize("text", ["给脸步要脸", "管制道具有货，不用登记", "jiawoweixin，老客户都在那边"])
def test_neighbours_cut_wrongly_do_not_hide_it(engine: Engine, text: str) -> None:
    assert engine.decide(Message(text, "generic")).action != "allow"


@pytest.mark.parametrize("text", ["件人签收就可以", "亲受天气影响会晚一天", "没见过市面上这种款"])
def test_short_ones_and_known_accidents_still_pass(engine: Engine, text: str) -> None:
    assert engine.decide(Message(text, "generic")).action == "allow"
