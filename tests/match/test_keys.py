from __future__ import annotations

from service.match.keys import collect_keys
from tests.terms import term

TERMS = [
    term("微信"),
    term("加 微信", match="phrase"),
    term("发 微信", match="phrase"),
    term("好评", with_=("微信", "返")),
    term("ＷＸ"),
]


def test_a_word_that_several_terms_share_is_looked_for_once() -> None:
    keys = collect_keys(TERMS, range(len(TERMS)), str.lower, "")
    assert sorted(keys.uses) == sorted({"微信", "好评", "ｗｘ"})


def test_keys_know_what_they_are_used_for() -> None:
    keys = collect_keys(TERMS, range(len(TERMS)), str.lower, "")
    assert keys.uses["微信"].whole == [0]
    assert keys.uses["微信"].anchored == [(1, ("加",)), (2, ("发",))]
    assert keys.uses["好评"].whole == [3]
    assert keys.parts == {1: ("加", "微信"), 2: ("发", "微信")}
    assert keys.companions == {3: ("微信", "返")}


def test_only_the_chosen_terms_have_keys() -> None:
    keys = collect_keys(TERMS, [0], str.lower, "")
    assert list(keys.uses) == ["微信"]


def test_a_phrase_hangs_on_its_part_that_is_rarest_in_ordinary_text() -> None:
    keys = collect_keys(TERMS, [1, 2], str.lower, "微信 微信 微信 发 发 加")
    assert {anchor: uses.anchored for anchor, uses in keys.uses.items()} == {
        "加": [(1, ("微信",))],
        "发": [(2, ("微信",))],
    }


def test_of_parts_that_are_equally_rare_the_longest() -> None:
    keys = collect_keys(TERMS, [1], str.lower, "")
    assert list(keys.uses) == ["微信"]
