"""The shipped data files: enough of everything, and true to their own examples."""

from __future__ import annotations

from collections import Counter

from service.engine import Engine
from service.lexicon.snapshot import Snapshot
from service.lint import lint
from service.vocabulary import CATEGORIES, PLATFORMS

FEWEST_TERMS = 1200
FEWEST_IN_A_CATEGORY = 30


def test_there_are_terms_enough(snapshot: Snapshot) -> None:
    counts = Counter(term.category for term in snapshot.terms)
    assert len(snapshot.terms) >= FEWEST_TERMS
    assert {category: counts[category] for category in CATEGORIES if counts[category] < FEWEST_IN_A_CATEGORY} == {}


def test_every_term_says_where_it_comes_from(snapshot: Snapshot) -> None:
    assert [term.id for term in snapshot.terms if not term.source] == []


def test_every_platform_and_category_has_its_words(snapshot: Snapshot) -> None:
    assert set(snapshot.platforms) == set(PLATFORMS)
    assert set(snapshot.categories) == set(CATEGORIES)
    for words in snapshot.categories.values():
        assert all(part.zh_cn and part.en for part in (words.name, words.advice, words.suggestion))


def test_every_clause_has_a_title_in_both_languages(snapshot: Snapshot) -> None:
    clauses = [c for rules in snapshot.platforms.values() for policy in rules.policies for c in policy.clauses]
    assert clauses
    assert [clause.number for clause in clauses if not (clause.title.zh_cn and clause.title.en)] == []


def test_the_lexicon_proves_itself_by_its_examples(snapshot: Snapshot, engine: Engine) -> None:
    complaints = lint(snapshot, engine)
    assert [str(complaint) for complaint in complaints] == []
