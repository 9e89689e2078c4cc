"""What the measurements are made with: ordinary sentences, incidents, hostile texts, a picture. Always the same."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date
from io import BytesIO
from itertools import cycle, islice
from pathlib import Path

from PIL import Image as Picture
from PIL import ImageDraw
from zxingcpp import BarcodeFormat, create_barcode

from bench.report import BenchError
from service.engine import Engine
from service.lexicon.snapshot import Snapshot
from service.lexicon.term import Term
from service.text.message import Message
from service.vocabulary import Platform

PLATFORM: Platform = "taobao"
REPLIES = Path(__file__).with_name("replies.txt")
SEED = 20260301
LENGTH = 40
THIRDS = (slice(13), slice(13, 26), slice(26, LENGTH))
LONGEST = 10_000
FIRST_HAN, LAST_HAN = 0x4E00, 0x9FA5


def message(text: str) -> Message:
    return Message(text, PLATFORM, day=date.today())


def typical_replies() -> list[str]:
    """What agents say all day, made up for this purpose."""
    return REPLIES.read_text(encoding="utf-8").splitlines()


def clean_texts(sentences: Sequence[str], engine: Engine) -> list[str]:
    """Texts of 40 characters, cut from `sentences`, that the engine allows."""
    joined = "，".join(sentences)
    pieces = [joined[start : start + LENGTH] for start in range(0, len(joined) - LENGTH, LENGTH)]
    allowed = [piece for piece in pieces if engine.decide(message(piece)).action == "allow"]
    if not allowed:
        raise BenchError("the engine allows none of the sentences to measure with")
    return allowed


def different_texts(pieces: Sequence[str], engine: Engine, count: int) -> list[str]:
    """Texts of 40 characters that the engine allows, no two alike: thirds of `pieces` put together anew."""
    chance, texts = random.Random(SEED), dict[str, None]()
    for _ in range(count * 20):
        text = "".join(chance.choice(pieces)[cut] for cut in THIRDS)
        if text not in texts and engine.decide(message(text)).action == "allow":
            texts[text] = None
            if len(texts) == count:
                return list(texts)
    raise BenchError(f"the sentences give only {len(texts):,} different texts")


def incident_texts(snapshot: Snapshot, engine: Engine, count: int) -> list[str]:
    """The terms' own examples that the engine warns of or blocks, spread over all categories."""
    examples = [term.hits[0] for term in snapshot.terms if term.hits]
    random.Random(SEED).shuffle(examples)
    flagged = [text for text in examples if engine.decide(message(text)).action != "allow"]
    if not flagged:
        raise BenchError("the lexicon has no examples to measure with")
    return list(islice(cycle(flagged), count))


def made_up_terms(count: int) -> tuple[Term, ...]:
    """Terms of 2 to 6 random Han characters, all different."""
    chance = random.Random(SEED)
    patterns: set[str] = set()
    while len(patterns) < count:
        length = chance.randint(2, 6)
        patterns.add("".join(chr(chance.randint(FIRST_HAN, LAST_HAN)) for _ in range(length)))
    return tuple(
        Term(id=f"misuse/made_up_{index}", pattern=pattern, category="misuse", severity="low")
        for index, pattern in enumerate(sorted(patterns))
    )


def hostile_texts(snapshot: Snapshot) -> dict[str, str]:
    """Texts of 10,000 characters, each meant to make one step slow."""
    chance = random.Random(SEED)
    banned = max((term.pattern for term in snapshot.terms if term.match == "word"), key=len)
    examples = [hit for term in snapshot.terms for hit in term.hits]
    chance.shuffle(examples)
    pieces = [
        "啊", banned, "13812345678 ", "a.", "👍", "e\u0301\u0323", "Ｗ", "https://a.b/", "一", "加 v 信 ", "\u200b", "wei xin",
    ]  # fmt: skip
    texts = {
        "one character": "哈",
        "a banned word": banned,
        "all examples of the terms": "".join(examples),
        "combining marks": "e" + "\u0301" * 60,
        "digits with separators": "1-3.8 0 0,1 3 8/0 0 0 ",
        "digit words": "一三八零零",
        "a.a.a.": "a.",
        "links": "https://a.b.example/",
        "emoji": "👍🏽❤️😂",
        "syllables": "weixinjiawo",
        "invisible characters": "微\u200b\u200c信",
        "full width": "ＷｅＣｈａｔ１３８",
        "brackets and @": "@a(b@[c",
        "everything mixed": "".join(chance.choice(pieces) for _ in range(LONGEST)),
    }
    return {name: (text * (LONGEST // len(text) + 1))[:LONGEST] for name, text in texts.items()}


def screenshot() -> bytes:
    """A JPEG of 1920 x 1080 with lines of writing and a QR code."""
    drawn = create_barcode("https://u.example.com/abcdefgh", BarcodeFormat.QRCode).to_image(scale=6)
    height, width = drawn.shape
    image = Picture.new("RGB", (1920, 1080), (236, 240, 245))
    pen = ImageDraw.Draw(image)
    for line in range(20, 1060, 24):
        pen.text((24, line), f"order {line * 7919} was sent today, " * 6, fill=(30, 30, 30))
    image.paste(Picture.frombytes("L", (width, height), bytes(memoryview(drawn))), (900, 400))  # type: ignore[arg-type]
    file = BytesIO()
    image.save(file, "JPEG", quality=85)
    return file.getvalue()
