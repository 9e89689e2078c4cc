"""Markup to the text that a customer reads: tags away, entities resolved, blocks on lines of their own."""

from __future__ import annotations

import re
from html import unescape

from selectolax.lexbor import LexborHTMLParser, LexborNode

UNREAD = frozenset({"script", "style", "head", "title", "template", "iframe", "_comment", "_doctype"})
BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "fieldset", "figure", "footer", "form"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table"}
    | {"tr", "ul"}
)
CELLS = frozenset({"td", "th"})
WHITESPACE = re.compile(r"[ \t\r\n\f]+")
AROUND_LINES = re.compile(r" *\n[ \n]*")
TAG = re.compile(r"<[^<>]*>")
BLOCK_TAG = re.compile(r"</?(?:p|div|br|li|tr|h\d|blockquote)\b[^<>]*>", re.IGNORECASE)
ZERO = re.compile(r"0*\.?0*(px|pt|em|rem|%)?")
MOST_TAGS = 4_000
"""A parser's time grows with the square of how deep tags are nested; what has more is stripped, not parsed."""
WEB = ("https://", "http://")


def text_of(markup: str) -> str:
    """What is read of it. Quoted replies stay: the customer sees them. What a style of its own hides goes, or an
    invisible letter inside a word would keep the word from being found.
    """
    if markup.count("<") > MOST_TAGS:
        lines = BLOCK_TAG.sub("\n", WHITESPACE.sub(" ", markup))
        return AROUND_LINES.sub("\n", unescape(TAG.sub("", lines))).strip()
    return AROUND_LINES.sub("\n", "".join(_pieces(markup))).strip()


def pictures_of(markup: str) -> tuple[str, ...]:
    """Addresses of the pictures in it, each once."""
    if markup.count("<") > MOST_TAGS:
        return ()
    sources = (image.attributes.get("src") or "" for image in LexborHTMLParser(markup).css("img"))
    return tuple(dict.fromkeys(source for source in sources if source.startswith(WEB)))


def _pieces(markup: str) -> list[str]:
    root = LexborHTMLParser(markup).root
    pieces: list[str] = []
    # A stack of our own: markup may be nested deeper than Python recurses.
    waiting: list[LexborNode | str] = [root] if root is not None else []
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            pieces.append(node)
            continue
        tag = node.tag or ""
        if tag == "-text":
            pieces.append(WHITESPACE.sub(" ", node.text_content or ""))
        elif tag == "img":
            pieces.append(node.attributes.get("alt") or "")  # an emoji, as helpdesks draw them
        elif tag not in UNREAD and not _is_hidden(node):
            around = "\n" if tag in BLOCKS else " " if tag in CELLS else ""
            waiting.append(around)
            waiting.extend(reversed(list(node.iter(include_text=True))))
            waiting.append(around)
    return pieces


def _is_hidden(node: LexborNode) -> bool:
    """Only where nothing can show it again: in doubt it is read."""
    attributes = node.attributes
    style = _style(attributes.get("style") or "")
    display = style.get("display", "none" if "hidden" in attributes else "")
    if display == "none" or ZERO.fullmatch(style.get("opacity", "1")):
        return True
    # Elements inside may have a size, or be visible, of their own.
    has_inner = next(node.iter(), None) is not None
    is_gone = style.get("visibility") == "hidden" or ZERO.fullmatch(style.get("font-size", "1")) is not None
    return is_gone and not has_inner


def _style(text: str) -> dict[str, str]:
    """Property -> value, the last of each, but an important one before all."""
    plain: dict[str, str] = {}
    important: dict[str, str] = {}
    for declaration in WHITESPACE.sub("", text.lower()).split(";"):
        name, _, value = declaration.partition(":")
        value, mark, _ = value.partition("!important")
        (important if mark else plain)[name] = value
    return plain | important
