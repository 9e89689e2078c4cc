"""How large the parts of a tenant's term may be, whichever way it comes in. Shipped terms are the maintainers' affair."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.lexicon.term import ExceptionPhrase, Localized, Term

MAX_ID = 128
MAX_PATTERN = 128
MAX_WORDS = 200
"""Entries of a list."""
MAX_SENTENCE = 500
TERM_ID = r"^[a-z_]+/[^\s/?#%,\x00-\x1f\x7f]+$"
"""Category, slash, name. The name is part of addresses."""
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def name_term(category: str, pattern: str) -> str:
    """The id of a term that was given none: its category and its pattern."""
    name = re.sub(r"[\s/?#%,]+", "-", pattern.strip())
    return f"{category}/{name}"[:MAX_ID]


def term_problems(term: Term) -> Iterator[tuple[str, str]]:
    """(field, what is wrong) of all that is too large or not of its form."""
    if not term.pattern.strip():
        yield "pattern", "is empty"
    if not term.platforms:
        yield "platforms", 'is empty; ["*"] is everywhere'
    if not 0 <= term.gap <= 20:
        yield "gap", "0 to 20"
    if not 1 <= term.within <= 100:
        yield "within", "1 to 100"
    if term.valid_from and term.valid_until and term.valid_until < term.valid_from:
        yield "valid_until", "is before valid_from"
    yield from long_words("pattern", (term.pattern,), MAX_PATTERN)
    # After the pattern, which it may be made of.
    yield from id_problems(term.id, term.category)
    yield from long_words("with", term.with_, MAX_PATTERN)
    yield from long_words("except", term.except_, MAX_PATTERN)
    yield from long_words("hits", term.hits, MAX_SENTENCE)
    yield from long_words("passes", term.passes, MAX_SENTENCE)
    yield from long_words("source", (term.source,), MAX_SENTENCE)
    yield from long_texts("reason", term.reason)
    yield from long_texts("suggestion", term.suggestion)


def id_problems(term_id: str, category: str = "") -> Iterator[tuple[str, str]]:
    """The same for an id; without a `category` that of any."""
    if not re.fullmatch(TERM_ID, term_id) or not term_id.startswith(f"{category}/" if category else ""):
        yield "id", f"should be {category or 'category'}/name, the name without blanks and without / ? # % ,"
    yield from long_words("id", (term_id,), MAX_ID)


def name_problems(kind: str, name: str) -> Iterator[tuple[str, str]]:
    """The same for what is switched off, of which there is no more than the name."""
    return id_problems(name) if kind == "term" else exception_problems(ExceptionPhrase(phrase=name))


def exception_problems(entry: ExceptionPhrase) -> Iterator[tuple[str, str]]:
    """The same for an exception."""
    if not entry.phrase.strip() or entry.phrase != entry.phrase.strip() or "/" in entry.phrase:
        yield "phrase", "should have a letter or digit, no blanks around it, and no /"
    yield from long_words("phrase", (entry.phrase,), MAX_PATTERN)
    yield from long_words("passes", entry.passes, MAX_SENTENCE)
    yield from long_words("source", (entry.source,), MAX_SENTENCE)
    yield from long_texts("reason", entry.reason)


def long_texts(field: str, text: Localized) -> Iterator[tuple[str, str]]:
    yield from long_words(field, (text.zh_cn, text.en), MAX_SENTENCE)


def long_words(field: str, words: tuple[str, ...], limit: int) -> Iterator[tuple[str, str]]:
    if len(words) > MAX_WORDS:
        yield field, f"at most {MAX_WORDS} entries"
    if any(len(word) > limit for word in words):
        yield field, f"at most {limit} characters"
    if any(CONTROL.search(word) for word in words):
        yield field, "holds a control character"
    if field in ("with", "except") and not all(map(str.strip, words)):
        yield field, "holds an empty entry"
