"""What a Python user would take instead: plain word lists and the packages that match them, each loaded with our own terms.

None of the packages brings a Chinese list that fits, so each gets ours: what they are compared in is matching. A phrase of
ours, which such a list cannot express, is given with its parts joined; a term that needs other words near it is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

import ahocorasick

from bench.report import BenchError
from service.lexicon.snapshot import Snapshot
from service.lexicon.term import parts_of
from service.normalise.views import fold

Flags = Callable[[str], bool]

USUAL = re.compile(
    r"1[3-9]\d{9}|https?://|www\.|[\w.+-]+@[\w-]+\.\w+|\d{16,19}|(?:QQ|微信|vx)\D{0,4}\w{5,}", re.IGNORECASE
)
"""The expressions that word lists are usually helped out with."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One of them, ready to use."""

    name: str
    about: str
    """Version and licence, or how it works."""
    flags: Flags


@dataclass(frozen=True, slots=True)
class Package:
    """One that must be installed: `pip install --group peers`."""

    name: str
    module: str
    licence: str
    load: Callable[[object, Sequence[str]], Flags]


def load_flashtext(module: object, words: Sequence[str]) -> Flags:
    processor = module.KeywordProcessor()  # type: ignore[attr-defined]
    processor.add_keywords_from_list(list(words))
    return lambda text: bool(processor.extract_keywords(text))


def load_better_profanity(module: object, words: Sequence[str]) -> Flags:
    profanity = module.Profanity()  # type: ignore[attr-defined]
    profanity.load_censor_words()
    profanity.add_censor_words(list(words))
    return lambda text: bool(profanity.contains_profanity(text))


def load_wfgfw(module: object, words: Sequence[str]) -> Flags:
    dfa = module.DFAFilter()  # type: ignore[attr-defined]
    for word in words:
        dfa.add(word)
    # Its answer is whether anything was found, and the text with that starred out.
    return lambda text: bool(dfa.filter(text)[0])


PACKAGES = (
    Package("flashtext", "flashtext", "MIT", load_flashtext),
    Package("better-profanity", "better_profanity", "MIT", load_better_profanity),
    Package("wfgfw", "wfgfw", "BSD", load_wfgfw),
)


def plain_words(snapshot: Snapshot) -> list[str]:
    """Our terms as a plain list has them, without those of severity low, which flag nothing."""
    chosen = (term for term in snapshot.terms if term.severity != "low" and not term.with_)
    return sorted({"".join(parts_of(term)) for term in chosen})


def load_substrings(words: Sequence[str]) -> Flags:
    return lambda text: any(word in text for word in words)


def load_automaton(words: Sequence[str], snapshot: Snapshot) -> Flags:
    automaton = ahocorasick.Automaton(ahocorasick.STORE_INTS)
    for number, word in enumerate(words):
        automaton.add_word(fold(word, snapshot.tables).text, number)
    automaton.make_automaton()
    return lambda text: next(automaton.iter(fold(text, snapshot.tables).text), None) is not None


def load_peers(snapshot: Snapshot) -> tuple[list[Peer], list[str]]:
    """Those that can be used here, and the names of those that are not installed."""
    words = plain_words(snapshot)
    substrings = load_substrings(words)
    peers = [
        Peer("substring", "plain list, no package", substrings),
        Peer(
            "substring+regex",
            "plain list and the usual regular expressions",
            lambda t: substrings(t) or bool(USUAL.search(t)),
        ),
        Peer("pyahocorasick", f"{version('pyahocorasick')}, BSD, on folded text", load_automaton(words, snapshot)),
    ]
    missing = []
    for package in PACKAGES:
        try:
            module = import_module(package.module)
            about = f"{version(package.name)}, {package.licence}"
        except (ModuleNotFoundError, PackageNotFoundError):
            missing.append(package.name)
            continue
        try:
            flags = package.load(module, words)
        except Exception as error:
            raise BenchError(f"{package.name}: cannot be loaded with {len(words)} words: {error}") from error
        peers.append(Peer(package.name, about, flags))
    return peers, missing
