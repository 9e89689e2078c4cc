"""Disguises what was flagged and asks again: `python -m bench.disguises [FILE...]`, by default the project's own set.

Of each flagged message that is not disguised already, what the findings stand on is disguised, or the whole text
where a writer would do that, and the share
that is still flagged is told for each disguise. The choices are drawn with a fixed seed.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jieba
import opencc

from bench.accuracy import OWN, message_of
from bench.report import BenchError, table
from bench.rows import Row, find_files, read_rows
from service.decide.decision import Decision
from service.engine import Engine
from service.errors import ShenyanError
from service.lexicon.load import load_snapshot
from service.normalise.tables import Tables
from service.settings import shipped_lexicons
from service.text.span import Span

SEED = 20261121
USUAL = 4
"""How many of the most frequent characters of a sound a writer chooses from."""
EMOJI = "❤🌹😄👍🔥✨"
MARKS = ". -*~_|、"
INVISIBLE = "\u200b\u200c\u2060"
CIRCLED = {ord(str(digit)): "⓪①②③④⑤⑥⑦⑧⑨"[digit] for digit in range(10)}
WORDS = {ord(str(digit)): "零一二三四五六七八九"[digit] for digit in range(10)}
WIDE = {code: chr(code + 0xFEE0) for code in range(0x21, 0x7F)}


@dataclass(frozen=True, slots=True)
class Sounds:
    """Characters and Latin spellings by sound."""

    same: Mapping[str, Sequence[str]]
    """Character -> the usual others of its sound."""
    spelling: Mapping[str, str]


Disguise = Callable[[str, random.Random, Sounds], str]


def is_han(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"


def load_sounds(tables: Tables) -> Sounds:
    """From the engine's own syllables; how usual a character is, the segmenter's dictionary says."""
    jieba.setLogLevel("WARNING")
    jieba.initialize()
    frequency = jieba.dt.FREQ
    spelled = {symbol: syllable for syllable, symbol in tables.syllables.items()}
    groups: dict[str, list[str]] = {}
    for code, symbol in tables.symbols.items():
        if is_han(chr(code)) and chr(code).translate(tables.fold) == chr(code):
            groups.setdefault(symbol, []).append(chr(code))
    same: dict[str, Sequence[str]] = {}
    for characters in groups.values():
        usual = sorted(characters, key=lambda c: -int(frequency.get(c, 0)))[: USUAL + 1]
        for character in characters:
            same[character] = [other for other in usual if other != character][:USUAL]
    return Sounds(same, {chr(code): spelled[symbol] for code, symbol in tables.symbols.items()})


def sound_one(text: str, chance: random.Random, sounds: Sounds) -> str:
    places = [place for place, character in enumerate(text) if sounds.same.get(character)]
    if not places:
        return text
    place = chance.choice(places)
    return text[:place] + chance.choice(sounds.same[text[place]]) + text[place + 1 :]


def sound_all(text: str, chance: random.Random, sounds: Sounds) -> str:
    return "".join(chance.choice(sounds.same[c]) if sounds.same.get(c) else c for c in text)


def spell_one(text: str, chance: random.Random, sounds: Sounds) -> str:
    places = [place for place, character in enumerate(text) if is_han(character) and character in sounds.spelling]
    if not places:
        return text
    place = chance.choice(places)
    return text[:place] + sounds.spelling[text[place]] + text[place + 1 :]


def spell_all(text: str, _chance: random.Random, sounds: Sounds) -> str:
    return "".join(sounds.spelling.get(c, c) if is_han(c) else c for c in text)


def between(signs: str) -> Disguise:
    """Puts one of `signs` between every two characters."""

    def put(text: str, chance: random.Random, _sounds: Sounds) -> str:
        return "".join(c + chance.choice(signs) for c in text[:-1]) + text[-1:]

    return put


def twice(text: str, _chance: random.Random, _sounds: Sounds) -> str:
    return "".join(c * 2 if is_han(c) else c for c in text)


def translated(mapping: Mapping[int, str]) -> Disguise:
    return lambda text, _chance, _sounds: text.translate(mapping)


TO_TRADITIONAL = opencc.OpenCC("s2t")


def traditional(text: str, _chance: random.Random, _sounds: Sounds) -> str:
    return str(TO_TRADITIONAL.convert(text))


IN_FINDINGS: dict[str, Disguise] = {
    "homophone, one character": sound_one,
    "homophones throughout": sound_all,
    "pinyin, one character": spell_one,
    "pinyin throughout": spell_all,
    "emoji in between": between(EMOJI),
    "separators in between": between(MARKS),
    "invisible in between": between(INVISIBLE),
    "characters twice": twice,
    "circled digits": translated(CIRCLED),
    "digits as words": translated(WORDS),
}
IN_TEXT: dict[str, Disguise] = {"traditional": traditional, "full width": translated(WIDE)}


def in_spans(text: str, decision: Decision, change: Callable[[str], str]) -> str:
    """`text` with what the findings stand on changed."""
    spans = {verdict.finding.candidate.span for verdict in decision.verdicts}
    done: list[Span] = []
    for span in sorted(spans, key=lambda each: (each.start, -each.end)):
        if not done or span.start >= done[-1].end:
            done.append(span)
    for span in reversed(done):
        text = text[: span.start] + change(text[span.start : span.end]) + text[span.end :]
    return text


def measure(rows: Sequence[Row], engine: Engine, sounds: Sounds) -> tuple[list[tuple[str, ...]], dict[str, list[str]]]:
    """The table, and per disguise the messages that got through."""
    flagged = []
    for row in rows:
        if row.label == 1 and row.text is not None and not row.disguise:
            decision = engine.decide(message_of(row, Path(), "generic"))
            if decision.action != "allow":
                flagged.append((row, row.text, decision))
    lines: list[tuple[str, ...]] = [("disguise", "messages", "still flagged", "share")]
    through: dict[str, list[str]] = {}
    for name, disguise in {**IN_FINDINGS, **IN_TEXT}.items():
        chance = random.Random(SEED)
        tried = still = 0
        for row, text, decision in flagged:
            if name in IN_TEXT:
                changed = disguise(text, chance, sounds)
            else:
                changed = in_spans(text, decision, lambda part, d=disguise, c=chance: d(part, c, sounds))  # type: ignore[misc]
            if changed == text:
                continue
            tried += 1
            again = engine.decide(
                message_of(
                    Row(text=changed, label=1, category=row.category, platform=row.platform, channel=row.channel),
                    Path(),
                    "generic",
                )
            )
            if again.action != "allow":
                still += 1
            else:
                through.setdefault(name, []).append(changed)
        lines.append((name, str(tried), str(still), f"{still / tried:.1%}" if tried else "-"))
    return lines, through


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when all could be measured; 2 with one sentence when something is missing."""
    parser = argparse.ArgumentParser(prog="python -m bench.disguises", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="JSONL files, or folders of them")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print so many that got through, per disguise")
    options = parser.parse_args(arguments)
    try:
        rows = [row for path in find_files(options.files or [OWN]) for row in read_rows(path)]
        snapshot = load_snapshot(shipped_lexicons())
        engine = Engine.compile(snapshot)
    except (BenchError, ShenyanError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    lines, through = measure(rows, engine, load_sounds(snapshot.tables))
    print(table(lines))
    for name, texts in through.items():
        for text in texts[: options.show]:
            print(f"   {name}: {text!r}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
