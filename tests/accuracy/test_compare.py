"""Precision and recall are counted as they are named, and peers that are missing are told."""

from __future__ import annotations

import pytest

from bench.compare import ALL, cells, compare, print_results, summary
from bench.peers import Peer, load_peers, plain_words
from bench.rows import Row
from service.lexicon.snapshot import Snapshot

ROWS = [
    Row(text="加微信", label=1, category="contact"),
    Row(text="高仿", label=1, category="counterfeit"),
    Row(text="稍微信任", label=0, category="contact"),
    Row(text="已经发货", label=0, category="contact"),
    Row(text="看情况", label="gray", category="contact"),
]


def contains(word: str) -> Peer:
    return Peer(word, "", lambda text: word in text)


def test_counts_precision_and_recall() -> None:
    ours, naive = compare(ROWS, lambda row: row.label == 1, "1", [contains("微信")])
    assert (ours.tallies[ALL].precision, ours.tallies[ALL].recall) == (1.0, 1.0)
    counts = naive.tallies[ALL]
    assert (counts.violations, counts.found, counts.honest, counts.false) == (2, 1, 2, 1)
    assert (counts.precision, counts.recall, counts.false_rate) == (0.5, 0.5, 0.5)
    assert naive.tallies["counterfeit"].precision is None


def test_the_tables_name_every_filter_and_category() -> None:
    results = compare(ROWS, lambda _row: True, "1", [contains("微信")])
    assert cells(results)[0][3:] == ("shenyan", "微信")
    assert [line[0] for line in cells(results)[1:]] == ["contact", "counterfeit", ALL]
    assert summary(results)[1][2] == "2 of 2"


def test_what_is_not_installed_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    print_results(compare(ROWS, lambda _row: True, "1", []), ["flashtext"])
    assert "make peers" in capsys.readouterr().out


def test_plain_lists_get_words_and_phrases_with_their_parts_joined(snapshot: Snapshot) -> None:
    words = plain_words(snapshot)
    assert {"加微信", "加我微信"} <= set(words)


def test_those_without_a_package_are_always_there(snapshot: Snapshot) -> None:
    peers, missing = load_peers(snapshot)
    by_name = {peer.name: peer for peer in peers}
    assert by_name["substring"].flags("您加微信吧")
    assert by_name["pyahocorasick"].flags("您加ＶＸ吧")
    assert not by_name["substring"].flags("今天发货")
    assert {"flashtext", "better-profanity", "wfgfw"} == {*by_name, *missing} - {
        "substring",
        "substring+regex",
        "pyahocorasick",
    }
