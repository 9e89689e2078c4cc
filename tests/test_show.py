from __future__ import annotations

import pytest
from click import unstyle

from service.engine import Engine
from service.show import show_decision
from service.text.message import Image, Message

RED, YELLOW, END = "\x1b[31m\x1b[1m", "\x1b[33m\x1b[1m", "\x1b[0m"


def shown(engine: Engine, text: str, *, explain: bool = False) -> list[str]:
    return show_decision(text, engine.decide(Message(text, "kuaishou")), explain=explain).split("\n")


@pytest.mark.parametrize(("text", "coloured"), [
    ("这款是高仿的", f"这款是{RED}高仿{END}的"),
    ("国家级品质", f"{YELLOW}国家级{END}品质"),
    ("🐧高\u200b仿！", f"🐧{RED}高\u200b仿{END}！"),
    ("亲，在的", "亲，在的"),
    ("亲\x00在的", "亲␀在的"),
])  # fmt: skip
def test_spans_are_coloured_by_their_action(engine: Engine, text: str, coloured: str) -> None:
    assert shown(engine, text)[0].endswith(f"  {coloured}")


def test_every_place_is_coloured(engine: Engine) -> None:
    text = "打13800138000。" * 3
    assert shown(engine, text)[0].count(f"{RED}13800138000{END}") == 3


def test_without_colours_the_message_is_as_typed(engine: Engine) -> None:
    text = "这款是高仿的，国家级，加我微信abc12345，加我微信abc12345"
    assert unstyle(shown(engine, text)[0]) == f"block  {text}"


def test_reasons_stand_with_place_clause_disguise_and_check(engine: Engine) -> None:
    _, verdict, advice, suggestion = map(unstyle, shown(engine, "这款是髙仿的"))
    assert verdict.startswith("  block  3-5 counterfeit/gaofang  ")
    assert verdict.endswith("(kuaishou 2.8; lookalike; word boundaries)")
    assert advice.startswith("  → 平台规则 2.8：")
    assert suggestion.startswith("  → ")


def test_what_passed_is_shown_on_demand(engine: Engine) -> None:
    assert len(shown(engine, "高仿真花")) == 1
    _, passed = shown(engine, "高仿真花", explain=True)
    assert passed == "  passed  0-2 counterfeit/gaofang  exception: inside 高仿真"


def test_a_pictures_code_colours_no_text(engine: Engine) -> None:
    decision = engine.decide(Message("在的", "generic", images=(Image(payloads=("https://example.com",)),)))
    assert unstyle(show_decision("在的", decision)).split("\n")[0] == "block  在的"
    assert show_decision("在的", decision).split("\n")[0].endswith("  在的")
