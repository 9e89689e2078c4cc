"""Whole lexicons as files: CSV for spreadsheets, JSON lines for programs, a plain list of words.

Bytes in, content and a reason for each refused line out; and back, so that what was exported is imported as the same
version. A cell that a spreadsheet would take for a formula is written with a ' before it, and read only so.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, NamedTuple

import msgspec

from service.errors import Malformed
from service.lexicon.limits import exception_problems, name_problems, name_term, term_problems
from service.lexicon.overlay import Content
from service.lexicon.sheet import COLUMNS, cells_of, fields_of
from service.lexicon.term import ExceptionPhrase, Term
from service.vocabulary import Category, Severity

Format = Literal["csv", "jsonl", "words"]
Encoding = Literal["auto", "utf-8", "gb18030"]
MAX_LINE = 32_768
"""Characters of one line, or of one record of several lines."""
MAX_LINES = 200_000


class Off(NamedTuple):
    """One below that is switched off."""

    kind: str
    id: str


Entry = Term | ExceptionPhrase | Off


class Refusal(NamedTuple):
    """A line that can't be taken."""

    line: int
    """From 1, as an editor shows it."""
    reason: str


class Reading(NamedTuple):
    """What a file holds."""

    content: Content
    lines: int
    """Entries, refused ones included."""
    refused: tuple[Refusal, ...]


class WordDefaults(NamedTuple):
    """What a plain list of words does not say."""

    category: Category
    severity: Severity = "medium"
    match: Literal["word", "substring"] = "substring"


def read_file(data: bytes, form: Format, encoding: Encoding, defaults: WordDefaults | None) -> Reading:
    """Everything that can be taken, and why the rest can't. Raises Malformed for a file that can't be read at all."""
    text = decode(data, encoding)
    records = {"csv": read_csv, "jsonl": read_jsonl, "words": read_words}[form](text)
    entries: dict[tuple[str, str], tuple[int, Entry]] = {}
    refused: list[Refusal] = []
    lines = 0
    for line, make in records:
        lines += 1
        if lines > MAX_LINES:
            raise Malformed(f"The file has more than {MAX_LINES:,} entries; send it in parts.")
        try:
            entry = make(defaults)
        except ValueError as error:
            refused.append(Refusal(line, str(error)))
            continue
        key = key_of(entry)
        first = entries.setdefault(key, (line, entry))
        if first[0] != line:
            refused.append(Refusal(line, f"{key[0]} {key[1]} stands in line {first[0]} already"))
    kept = [entry for _, entry in entries.values()]
    return Reading(content_of(kept), lines, tuple(sorted(refused)))


def decode(data: bytes, encoding: Encoding) -> str:
    """The text of a file. Raises Malformed for bytes that are not in `encoding`."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Malformed("The file is in UTF-16; save it as UTF-8 or GB18030.")
    wrong = []
    for name in ("utf-8-sig", "gb18030") if encoding == "auto" else (encoding.replace("utf-8", "utf-8-sig"),):
        try:
            text = data.decode(name)
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            wrong.append(f"Line {line} is not in {name.removesuffix('-sig')}")
            continue
        if not is_text(text):
            wrong.append(f"In {name.removesuffix('-sig')} it is no text")
        elif name == "gb18030" and encoding == "auto" and not is_common(text):
            wrong.append("In gb18030 its characters are nothing that people write; if it is so, say encoding=gb18030")
        elif name == "gb18030" and is_utf8(data):
            wrong.append("It is in utf-8, not in gb18030")
        else:
            return text
    raise Malformed(f"{'. '.join(wrong)}. Save the file as UTF-8 or GB18030.")


def is_text(text: str) -> bool:
    """No NUL, and nothing of the private use area, where wrong encodings end up."""
    return "\0" not in text and not any("\ue000" <= character <= "\uf8ff" for character in text)


def is_common(text: str) -> bool:
    """Whether a quarter of what is not ASCII is in GB2312. Of Japanese or Western bytes that happen to be GB18030 it is
    next to nothing; of Chinese it is nearly all, in traditional characters about a half.
    """
    odd = [character for character in text if character > "\x7f"]
    return len("".join(odd).encode("gb2312", "ignore")) >= len(odd) / 2


def is_utf8(data: bytes) -> bool:
    """Whether it is UTF-8 with at least one Han character: hardly any GB18030 is, by chance."""
    try:
        return any("\u3400" <= character <= "\u9fff" for character in data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return False


Make = Callable[[WordDefaults | None], Entry]


def read_words(text: str) -> Iterator[tuple[int, Make]]:
    """One word a line; empty lines and those that begin with # are left out."""
    for line, word in enumerate(text.splitlines(), 1):
        if word.strip() and not word.startswith("#"):
            yield line, lambda defaults, word=word: term_of_word(word.strip(), defaults)  # type: ignore[misc]


def read_jsonl(text: str) -> Iterator[tuple[int, Make]]:
    """One object a line, as the routes take it, with `kind` (term or exception) and `state`."""
    for line, written in enumerate(text.split("\n"), 1):
        if written.strip():
            yield line, lambda _, written=written: entry_of_json(written)  # type: ignore[misc]


def read_csv(text: str) -> Iterator[tuple[int, Make]]:
    """A heading with names of `COLUMNS`, in any order; those that are missing are empty everywhere."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        heading = [name.strip().lower() for name in next(reader, [])]
        unknown = [name for name in heading if name not in COLUMNS]
        if not heading or unknown or len(set(heading)) < len(heading):
            said = f"unknown: {', '.join(unknown)[:200]}" if unknown else "it is missing, or names one twice"
            raise Malformed(f"The first line should name columns ({said}); there are {', '.join(COLUMNS)}.")
        while True:
            line = reader.line_num + 1
            cells = next(reader, None)
            if cells is None:
                return
            if any(cells):
                yield line, lambda _, cells=cells: entry_of_line(heading, cells)  # type: ignore[misc]
    except csv.Error as error:
        raise Malformed(
            f"Line {reader.line_num} is no CSV ({error}); quote cells that hold commas or quotes."
        ) from None


def term_of_word(word: str, defaults: WordDefaults | None) -> Entry:
    if defaults is None:
        raise ValueError("a list of words needs a category for them all")
    return checked(
        Term(
            id=name_term(defaults.category, word),
            pattern=word,
            category=defaults.category,
            severity=defaults.severity,
            match=defaults.match,
        )
    )


def entry_of_json(written: str) -> Entry:
    if len(written) > MAX_LINE:
        raise ValueError(f"longer than {MAX_LINE:,} characters")
    try:
        given = msgspec.json.decode(written, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise ValueError(f"no JSON object ({error})") from None
    return entry_of(given)


def entry_of_line(heading: list[str], cells: list[str]) -> Entry:
    if sum(map(len, cells)) > MAX_LINE:
        raise ValueError(f"longer than {MAX_LINE:,} characters")
    return entry_of(fields_of(heading, cells))


def entry_of(given: dict[str, Any]) -> Entry:
    """Raises ValueError, with the field, for what is no term and no exception."""
    kind, state = given.pop("kind", "term"), given.pop("state", "on")
    if kind not in ("term", "exception"):
        raise ValueError("kind: should be term or exception")
    if state not in ("on", "off"):
        raise ValueError("state: should be on or off")
    if state == "off":
        name = "id" if kind == "term" else "phrase"
        if set(given) != {name} or not isinstance(given[name], str):
            raise ValueError(f"{name}: is all that one has that is switched off")
        for field, detail in name_problems(kind, given[name]):
            raise ValueError(f"{field}: {detail}")
        return Off(kind, given[name])
    if kind == "term" and "id" not in given:
        given["id"] = name_term(str(given.get("category", "")), str(given.get("pattern", "")))
    try:
        return checked(msgspec.convert(given, Term) if kind == "term" else msgspec.convert(given, ExceptionPhrase))
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None


def checked(entry: Term | ExceptionPhrase) -> Entry:
    problems = term_problems(entry) if isinstance(entry, Term) else exception_problems(entry)
    for field, detail in problems:
        raise ValueError(f"{field}: {detail}")
    return entry


def key_of(entry: Entry) -> tuple[str, str]:
    if isinstance(entry, Off):
        return entry.kind, entry.id
    return ("term", entry.id) if isinstance(entry, Term) else ("exception", entry.phrase)


def content_of(entries: Iterable[Entry]) -> Content:
    entries = list(entries)
    return Content(
        terms=tuple(each for each in entries if isinstance(each, Term)),
        exceptions=tuple(each for each in entries if isinstance(each, ExceptionPhrase)),
        terms_off=tuple(each.id for each in entries if isinstance(each, Off) and each.kind == "term"),
        exceptions_off=tuple(each.id for each in entries if isinstance(each, Off) and each.kind == "exception"),
    )


def rows_of(content: Content) -> Iterator[dict[str, Any]]:
    """Each entry as JSON, in order of kind and id."""
    for term in sorted(content.terms, key=lambda term: term.id):
        yield {"kind": "term", "state": "on", **msgspec.to_builtins(term)}
    for term_id in sorted(content.terms_off):
        yield {"kind": "term", "state": "off", "id": term_id}
    for entry in sorted(content.exceptions, key=lambda entry: entry.phrase):
        yield {"kind": "exception", "state": "on", **msgspec.to_builtins(entry)}
    for phrase in sorted(content.exceptions_off):
        yield {"kind": "exception", "state": "off", "phrase": phrase}


def write_file(content: Content, form: Format, encoding: Encoding) -> bytes:
    """The file that is read as `content`. A list of words has no more than the patterns. Raises Malformed where the
    encoding has no such character.
    """
    rows = rows_of(content)
    if form == "jsonl":
        text = "".join(f"{msgspec.json.encode(row).decode()}\n" for row in rows)
    elif form == "words":
        text = "".join(f"{row['pattern']}\n" for row in rows if "pattern" in row)
    else:
        written = io.StringIO(newline="")
        writer = csv.writer(written, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        writer.writerows(cells_of(row) for row in rows)
        text = written.getvalue()
    # A spreadsheet takes UTF-8 for something else unless a mark says so.
    name = "gb18030" if encoding == "gb18030" else "utf-8-sig" if form == "csv" else "utf-8"
    return text.encode(name)
