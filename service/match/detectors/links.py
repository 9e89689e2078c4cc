"""Links: with a scheme, bare domains, dots in words, IP addresses, share codes. Whose they are is `verify`'s to say."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.match.detector import Detector, Mark, Reading, Words
from service.match.pattern import GAP, HAN, LETTERS, any_of, compile_pattern

HOST = rf"(?:[{LETTERS}](?:[{LETTERS}-]*[{LETTERS}])?\.)+"
ASCII_HOST = r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+"
# East Asian text follows a link without a blank, so its characters and full-width punctuation end a path.
STOPS = '，。！？；、…“”‘’（）【】《》<>"|'
EAST_ASIAN = r"\x{4e00}-\x{9fff}\x{3040}-\x{30ff}\x{ac00}-\x{d7ff}"
TAIL = rf"(?:[:/?#](?:[^\s{EAST_ASIAN}{STOPS}])*)?"
CYRILLIC_HOST = r"(?:[\x{430}-\x{45f}0-9-]{2,}\.)+(?:рф|рус|укр|бел|срб)"
ASCII_NAME = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,24}\W*\Z")
JOINED = {"@", "-", "_", ".", "/"}
"""A host right after one of these is the rest of something else: an e-mail, a path, a broken name."""
FILLER = r"[哈呵嘿嘻啦啊哦嗯呀噢~*\x01]{0,3}"
NOT_HOST = re.compile(r"[^a-z0-9.]")
STUFFED_TLDS = (
    "com",
    "cn",
    "net",
    "org",
    "top",
    "vip",
    "xyz",
    "cc",
    "me",
    "so",
    "co",
    "io",
    "pw",
    "site",
    "shop",
    "club",
    "live",
    "info",
)
CLOSERS = {")": "(", "]": "[", "}": "{"}


def compile_detector(words: Words) -> Detector:
    schemes, tlds = any_of(words["schemes"]), any_of(words["spoken_tlds"])
    dots = any_of(words["dots"])
    with_scheme = compile_pattern(rf"(?:^|[^_])({schemes}\s?:\s?/\s?/[^\s/?#:'{STOPS}]+(?::[0-9]+)?{TAIL})")
    relative = compile_pattern(rf"(?:^|[^\w:/])(//(?:{HOST}[a-z0-9-]+|localhost){TAIL})")
    bare = compile_pattern(
        rf"(?:{ASCII_HOST}|[{HAN}]{{1,12}}\.)(?:xn--[a-z0-9-]+|[a-z]{{2,24}}|中国|公司|网络|网址|商城){TAIL}"
        rf"|{CYRILLIC_HOST}{TAIL}"
    )
    spoken = compile_pattern(rf"[a-z0-9][a-z0-9-]{{1,40}}\s{{0,2}}{dots}\s{{0,2}}{tlds}(?:[^a-z0-9]|$)")
    # Sounds and signs between the letters: d～u．c哈o哈m.
    stuffed = compile_pattern(stuff_host())
    address = compile_pattern(rf"[0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}}{TAIL}")
    opener = "[￥¥$€£₤₳₵¢₴₰¤《(\\[【「/!！]"
    code = compile_pattern(rf"{opener}\s?([a-z0-9]{{8,14}})\s?[￥¥$€£₤₳₵¢₴₰¤》)\]】」/!！]")

    def find(reading: Reading) -> Iterator[Mark]:
        text = reading.folded.text
        for pattern in (with_scheme, relative):
            for found in pattern.finditer(text):
                link = trim(cut_text(found.group(1)))
                yield Mark(found.start(1), found.start(1) + len(link), link, kind="scheme")
        for found in bare.finditer(text):
            before = text[max(0, found.start() - 2) : found.start()]
            if before == "//" or before[-1:] in JOINED:
                continue
            link = trim(found.group())
            yield Mark(found.start(), found.start() + len(link), link, kind="bare")
        for found in spoken.finditer(text):
            value = found.group()
            if not value[-1].isalnum():
                value = value[:-1]
            yield Mark(found.start(), found.start() + len(value), value, kind="spoken")
        for found in stuffed.finditer(reading.noise):
            plain = NOT_HOST.sub("", found.group(1))
            if plain != found.group(1):
                yield Mark(*found.span(1), plain, kind="spoken")
        for found in address.finditer(text):
            yield Mark(*found.span(), trim(found.group()), kind="address")
        for found in code.finditer(text):
            if has_both(found.group(1)):
                yield Mark(*found.span(), found.group(1), kind="share_code")

    spelled_dot = rf"[a-z0-9](?:{GAP}|点|dot|小数点){{1,3}}{tlds}"
    named_dot = rf"[a-z0-9{HAN}]\.[a-z中公网商]|\.(?:рф|рус|укр|бел|срб)"
    trigger = rf"//|{named_dot}|[0-9]\.[0-9]+\.|[哈呵嘿~\x01]\.|\.\x01|{spelled_dot}|{GAP}\s?[a-z0-9]{{8,14}}{GAP}"
    return Detector("links", trigger, find, words)


def stuff_host() -> str:
    """A pattern for a host with fillers between its letters, in group 1."""
    tlds = "|".join(FILLER.join(tld) for tld in STUFFED_TLDS)
    return rf"((?:[a-z0-9]{FILLER}){{2,24}}\.{FILLER}(?:{tlds}))(?:[^a-z0-9]|$)"


def trim(link: str) -> str:
    """Without the punctuation that ends a sentence rather than a link; brackets stay where they are balanced."""
    link = link.removesuffix("'s")
    while link:
        last = link[-1]
        if last in CLOSERS:
            if link.count(last) <= link.count(CLOSERS[last]):
                break
        elif last not in ".,;:!?*~'\"":
            break
        link = link[:-1]
    return link


def cut_text(link: str) -> str:
    """Without what follows a host at once: http://t.cn看看 is a link and a word, https://t.cn⭐ one and a star."""
    start = link.find("//") + 2
    for index in range(start, len(link)):
        if link[index] in "/?#":
            break
        if not link[index].isascii() and ASCII_NAME.match(link[start:index]):
            return link[:index]
    return link


def has_both(code: str) -> bool:
    """Share codes mix letters and digits; plain words and plain numbers in brackets are something else."""
    return any(c.isdigit() for c in code) and any(c.isalpha() for c in code)
