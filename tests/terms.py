"""Made-up terms for tests."""

from __future__ import annotations

from typing import Any

from service.lexicon.term import Localized, Term

BOTH = Localized("不可以", "not allowed")


def term(pattern: str, **fields: Any) -> Term:
    """A term with what every term has; `fields` change it."""
    given: dict[str, Any] = {
        "id": f"abuse/{pattern}",
        "category": "abuse",
        "severity": "high",
        "reason": BOTH,
        "hits": (pattern,),
    }
    return Term(pattern=pattern, **{**given, **fields})
