"""Where words begin and end in Chinese text. The only file that knows the library (jieba).

The tokenizer is our own and knows the lexicon's words, so that 微信 is a word in 加我微信发您. The library keeps its dictionary
as a marshal file, by default under a predictable name in the system's temporary folder; ours lies in a folder of ours.
"""

from __future__ import annotations

import logging
import marshal
import warnings
from collections import ChainMap
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol, Self, cast

import msgspec

from service.compact.sections import Sections
from service.compact.table import MISSING, Table, pack_table

with warnings.catch_warnings():
    # The library's sources have invalid escapes, which newer Pythons report when they compile it.
    warnings.simplefilter("ignore")
    import jieba


CACHED = "jieba.cache"
"""As the library names it."""


class Own(Protocol):
    """The frequencies of words of ours in the dictionary itself, 0 where it does not have them."""

    def get(self, word: str, /) -> int | None:
        """None for a word that is none of ours."""

    def __contains__(self, word: object, /) -> bool:
        """Whether it is one of ours."""


class Frequencies(dict[str, int]):
    """Some words over a dictionary that is shared and stays as it is."""

    def __init__(self, shared: Mapping[str, int]) -> None:
        super().__init__()
        self.shared = shared

    def __missing__(self, word: str) -> int:
        return self.shared[word]

    def __contains__(self, word: object) -> bool:
        return dict.__contains__(self, word) or word in self.shared

    def get(self, word: str, default: int | None = None) -> int | None:  # type: ignore[override]
        own = dict.get(self, word)
        return self.shared.get(word, default) if own is None else own


class PackedFrequencies(Frequencies):
    """The same with those words in a table: its numbers have the frequency in their upper half."""

    def __init__(self, shared: Mapping[str, int], table: Table) -> None:
        super().__init__(shared)
        self.table = table

    def __missing__(self, word: str) -> int:
        found = self.table.find(word)
        return self.shared[word] if found == MISSING else found >> 32

    def __contains__(self, word: object) -> bool:
        # The dictionary first: it is quicker, and has most of what is asked for.
        return word in self.shared or word in self.table

    def get(self, word: str, default: int | None = None) -> int | None:  # type: ignore[override]
        found = self.table.find(word)
        return self.shared.get(word, default) if found == MISSING else found >> 32


class PackedOwn:
    """Words of ours with the frequency that the dictionary gives them: what is marked in the table's lower halves."""

    def __init__(self, shared: Own, table: Table) -> None:
        self.shared = shared
        self.table = table

    def get(self, word: str) -> int | None:
        """None for a word that is none of ours."""
        found = self.table.find(word)
        return (found & 0xFFFFFFFF) >> 1 if found != MISSING and found & 1 else self.shared.get(word)

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and self.get(word) is not None


class Words:
    """A segmenter over the library's dictionary and some words more; not changed once made."""

    def __init__(self, own: Iterable[str], cache: Path | None = None) -> None:
        """`own` words are cut as one where nothing speaks for another reading. `cache`: a folder that only we may write."""
        jieba.setLogLevel(logging.WARNING)
        self._tokenizer = jieba.Tokenizer()
        with TemporaryDirectory() as folder:
            if cache is not None:
                cache.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._tokenizer.tmp_dir = str(cache or folder)
            if cache is None or not read_dictionary(self._tokenizer, cache / CACHED):
                self._tokenizer.initialize()
        self._own: Own = self._add(own)
        self._hidden: frozenset[str] = frozenset()

    def over(self, own: Iterable[str], hidden: Iterable[str] = ()) -> Self:
        """A segmenter that knows some words more and is to forget the `hidden` ones of this one's own.

        The dictionary, half a million words, is shared with this one.
        """
        layered = object.__new__(type(self))
        frequencies = Frequencies(self._tokenizer.FREQ)
        frequencies.update((word, self._own.get(word) or 0) for word in hidden if word in self._own)
        layered._tokenizer = jieba.Tokenizer()
        layered._tokenizer.FREQ = frequencies
        layered._tokenizer.total = self._tokenizer.total
        layered._tokenizer.initialized = True
        # In one order always: a word's frequency depends on those that are there before it.
        added = layered._add(sorted(word for word in own if word not in self._own))
        layered._own = cast(Own, ChainMap(added, cast(dict[str, int], self._own)))
        layered._hidden = frozenset(hidden)
        return layered

    def pack(self) -> dict[str, bytes]:
        """The sections of what `over` has put over the dictionary."""
        added = cast(ChainMap[str, int], self._own).maps[0]
        entries = {word: count << 32 | (added[word] << 1 | 1 if word in added else 0)
                   for word, count in dict.items(cast(Frequencies, self._tokenizer.FREQ))}  # fmt: skip
        about = (self._tokenizer.total, sorted(self._hidden))
        return {"words": pack_table(entries), "words.about": msgspec.msgpack.encode(about)}

    def open(self, sections: Sections) -> Self:
        """A segmenter that knows what `pack` wrote, over the dictionary of this one."""
        layered = object.__new__(type(self))
        table = Table(sections["words"])
        layered._tokenizer = jieba.Tokenizer()
        layered._tokenizer.FREQ = PackedFrequencies(self._tokenizer.FREQ, table)
        layered._tokenizer.total, hidden = msgspec.msgpack.decode(sections["words.about"])
        layered._tokenizer.initialized = True
        layered._own = PackedOwn(self._own, table)
        layered._hidden = frozenset(hidden)
        return layered

    def _add(self, own: Iterable[str]) -> dict[str, int]:
        # As the dictionary had them before: a word of ours must not become an ordinary word by being added.
        new = {word: self._tokenizer.FREQ.get(word) or 0 for word in own}
        for word in new:
            self._tokenizer.add_word(word)
        return new

    def spans(self, clause: str) -> list[tuple[int, int]]:
        """The words of `clause` as offsets, in order. About 2 microseconds a character."""
        spans, start = [], 0
        for word in self._tokenizer.cut(clause, HMM=False):
            spans.append((start, start + len(word)))
            start += len(word)
        return spans

    def is_ordinary(self, word: str) -> bool:
        """Whether the dictionary itself has this word."""
        known = self._own.get(word)
        return bool(self._tokenizer.FREQ.get(word) if known is None else known)

    def is_own(self, word: str) -> bool:
        """Whether this is a word of the lexicon."""
        return word in self._own and word not in self._hidden


def read_dictionary(tokenizer: jieba.Tokenizer, file: Path) -> bool:
    """Whether the library's dictionary could be read from where it keeps it. It reads a few bytes at a time, which takes
    three times as long as all at once.
    """
    try:
        tokenizer.FREQ, tokenizer.total = marshal.loads(file.read_bytes())  # noqa: S302 - of a folder of ours
    except (OSError, EOFError, ValueError, TypeError):
        return False
    tokenizer.initialized = True
    return True
