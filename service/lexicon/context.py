"""Words around a hit that change what it means (`lexicons/contexts.toml`): denial, explanation, quotation."""

from __future__ import annotations

from typing import Literal

import msgspec

from service.lexicon.term import Localized
from service.vocabulary import Category


class Context(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A pattern before or after a hit, within the same sentence."""

    id: str
    effect: Literal["dismiss", "lower"]
    """dismiss: no finding. lower: severity becomes `low`, which policies allow."""
    reason: Localized
    categories: tuple[Category, ...]
    detectors: tuple[str, ...] = ()
    """Only hits of these detectors; empty means all."""
    before: str = ""
    """RE2 pattern that must match right up to the hit's start, in folded text."""
    after: str = ""
    """RE2 pattern that must match from the hit's end on. With `before`, both must match."""
    near: str = ""
    """RE2 pattern that must be found in the hit together with 24 characters on either side; with the others, all must match."""
    unless: str = ""
    """RE2 pattern that must not be found there."""
    passes: tuple[str, ...] = ()
    """Sentences that pass because of it."""
    hits: tuple[str, ...] = ()
    """Sentences that look alike but must still be found."""
    source: str = ""
