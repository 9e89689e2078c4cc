from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.decide.collapse import collapse
from service.decide.decision import Verdict
from service.text.span import Span
from service.vocabulary import Action
from tests.decide.verdicts import verdict


def spans(verdicts: list[Verdict]) -> list[Span]:
    return [each.finding.candidate.span for each in verdicts]


def test_nothing_collapses_to_nothing() -> None:
    assert collapse([]) == ([], [])


def test_what_lies_inside_another_goes() -> None:
    kept, dropped = collapse([verdict(1, 3, value="inner"), verdict(0, 5, value="outer")])
    assert spans(kept) == [(0, 5)]
    assert [(d.candidate.value, d.check, d.because) for d in dropped] == [("inner", "contained", "inside phones outer")]


def test_what_is_graver_stays_inside_a_milder_one_of_another_kind() -> None:
    kept, dropped = collapse([verdict(1, 3), verdict(0, 5, action="warn", severity="medium", category="abuse")])
    assert spans(kept) == [(0, 5), (1, 3)]
    assert dropped == []


def test_a_milder_reading_around_a_graver_one_of_its_kind_goes() -> None:
    kept, _ = collapse([verdict(1, 3), verdict(0, 5, action="warn", severity="medium")])
    assert spans(kept) == [(1, 3)]


def test_of_equals_one_stays_and_the_plainest_reading_is_it() -> None:
    kept, dropped = collapse([verdict(0, 2, view="homophone"), verdict(0, 2), verdict(0, 2, view="lookalike")])
    assert [each.finding.candidate.view for each in kept] == ["squeezed"]
    assert len(dropped) == 2


@pytest.mark.parametrize("second", [(2, 5), (3, 6), (4, 6)])
def test_what_only_overlaps_or_follows_stays(second: tuple[int, int]) -> None:
    kept, dropped = collapse([verdict(0, 4), verdict(*second)])
    assert spans(kept) == [(0, 4), second]
    assert dropped == []


def test_other_texts_do_not_cover_each_other() -> None:
    kept, _ = collapse(
        [
            verdict(0, 9),
            verdict(0, 1, field="attachments/0", value="a"),
            verdict(0, 2, field="attachments/0", value="bb"),
            verdict(0, 1, field="attachments/1", value="a"),
        ]
    )
    assert len(kept) == 4


VERDICTS = st.lists(
    st.builds(
        lambda a, b, action: verdict(min(a, b), max(a, b) + 1, action=action),
        st.integers(0, 12),
        st.integers(0, 12),
        st.sampled_from(["warn", "block"]),
    ),
    max_size=8,
)


@given(VERDICTS)
def test_every_verdict_is_kept_or_dropped_and_the_strictest_action_survives(verdicts: list[Verdict]) -> None:
    kept, dropped = collapse(verdicts)
    assert len(kept) + len(dropped) == len(verdicts)
    assert spans(kept) == sorted(spans(kept))
    actions: set[Action] = {each.action for each in verdicts}
    assert ("block" in actions) == ("block" in {each.action for each in kept})


@given(VERDICTS)
def test_no_kept_verdict_lies_within_another_that_is_as_strict(verdicts: list[Verdict]) -> None:
    kept, _ = collapse(verdicts)
    for one in kept:
        for other in kept:
            if one is not other and one.action == other.action:
                assert not other.finding.candidate.span.contains(one.finding.candidate.span)


def test_ten_thousand_verdicts_collapse_in_no_time() -> None:
    kept, _ = collapse([verdict(n, n + 2) for n in range(10_000)])
    assert len(kept) == 10_000
