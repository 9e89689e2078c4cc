from __future__ import annotations

import pytest

from service.engine import Engine
from service.text.message import Message


@pytest.mark.parametrize(("text", "disguises"), [
    ("这款是高仿的", ()),
    ("这款是高 仿的", ("separator",)),
    ("这款是高🌸仿的", ("separator",)),
    ("这款是高\u200b仿的", ("invisible",)),
    ("这款是高̶仿的", ("combining",)),
    ("这款是髙仿的", ("lookalike",)),
    ("这款是高彷的", ("lookalike",)),
    ("这款是高高仿的", ("repeated",)),
    ("这款是高亻方的", ("split",)),
    ("这款是gao仿的", ("homophone",)),
    ("支持調貨，非正品", ()),
    ("这款是複印版", ("traditional",)),
    ("加ｖＸ", ("width",)),
    ("加ⓥⓧ", ("compatibility",)),
    ("加VX", ()),
])  # fmt: skip
def test_disguises_are_named(engine: Engine, text: str, disguises: tuple[str, ...]) -> None:
    decision = engine.decide(Message(text, "kuaishou"))
    assert disguises in [verdict.finding.candidate.disguises for verdict in decision.verdicts]
