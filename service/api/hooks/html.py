"""Markup to the text that a customer reads: tags away, entities resolved, blocks on lines of their own."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

UNREAD = frozenset({"script", "style", "head", "title", "template", "noscript", "iframe", "object", "svg", "_comment"})
BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "fieldset", "figure", "footer", "form"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table"}
    | {"tr", "ul"}
)
CELLS = frozenset({"td", "th"})
WHITESPACE = re.compile(r"[ \t\r\n\f]+")
AROUND_LINES = re.compile(r" *\n[ \n]*")
HIDES = re.compile(r"display:none|visibility:hidden|font-size:0(?![.\d]*[1-9])|opacity:0(?![.\d]*[1-9])")
WEB = ("https://", "http://")


def text_of(markup: str) -> str:
    """What is read of it. Quoted replies stay: the customer sees them. What styles hide goes, or an invisible letter
    inside a word would keep the word from being found.
    """
    return AROUND_LINES.sub("\n", "".join(_pieces(markup))).strip()


def pictures_of(markup: str) -> tuple[str, ...]:
    """Addresses of the pictures in it, each once."""
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
        elif tag not in UNREAD and not _is_hidden(node):
            around = "\n" if tag in BLOCKS else " " if tag in CELLS else ""
            waiting.append(around)
            waiting.extend(reversed(list(node.iter(include_text=True))))
            waiting.append(around)
    return pieces


def _is_hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    style = WHITESPACE.sub("", (attributes.get("style") or "").lower())
    return "hidden" in attributes or HIDES.search(style) is not None
