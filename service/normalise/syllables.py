"""Latin letters that spell Chinese syllables: `weixin`, `wei信`. Takes and gives views; knows no terms."""

from __future__ import annotations

import re
from collections.abc import Mapping

from service.normalise.aligned import AlignedText

LATIN_RUN = re.compile("[a-z]{2,24}")
"""Longer runs are no pinyin that anyone would read."""
LONGEST = 6
"""Letters of the longest syllable, `zhuang`."""


def read_syllables(view: AlignedText, syllables: Mapping[str, str]) -> AlignedText:
    """Every Latin run that can be cut into syllables wholly, as one symbol a syllable; others stay."""
    pieces: list[tuple[str, int, int]] = []
    known: dict[str, tuple[int, ...]] = {}
    done = 0
    for run in LATIN_RUN.finditer(view.text):
        cuts = cut_once(run.group(), syllables, known)
        if not cuts:
            continue
        pieces += [(view.text[i], i, i + 1) for i in range(done, run.start())]
        done = run.start()
        for cut in cuts:
            end = run.start() + cut
            pieces.append((syllables[view.text[done:end]], done, end))
            done = end
    if not pieces:
        return view
    pieces += [(view.text[i], i, i + 1) for i in range(done, len(view.text))]
    return view.expand(pieces)


def spell_syllables(text: str, syllables: Mapping[str, str]) -> str:
    """The text of `read_syllables`, without its offsets."""

    known: dict[str, tuple[int, ...]] = {}

    def symbols(run: re.Match[str]) -> str:
        letters, start, spelled = run.group(), 0, ""
        for end in cut_once(letters, syllables, known):
            spelled += syllables[letters[start:end]]
            start = end
        return spelled or letters

    return LATIN_RUN.sub(symbols, text)


def cut_once(letters: str, syllables: Mapping[str, str], known: dict[str, tuple[int, ...]]) -> tuple[int, ...]:
    """`cut_syllables`, which is slow, once for each run of a text: hostile ones repeat the same."""
    cuts = known.get(letters)
    if cuts is None:
        cuts = known[letters] = cut_syllables(letters, syllables)
    return cuts


def cut_syllables(letters: str, syllables: Mapping[str, str]) -> tuple[int, ...]:
    """Ends of the syllables that spell `letters`, the fewest possible; empty when it cannot be spelled."""
    best: list[tuple[int, ...] | None] = [(), *[None] * len(letters)]
    for end in range(1, len(letters) + 1):
        for start in range(max(0, end - LONGEST), end):
            before, found = best[start], best[end]
            if before is None or letters[start:end] not in syllables:
                continue
            if found is None or len(before) + 1 < len(found):
                best[end] = (*before, end)
    return best[-1] or ()
