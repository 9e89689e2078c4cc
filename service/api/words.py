"""Terms and exceptions as requests and answers show them, and the `If-Match` that a change of one must carry."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Header, Path, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.api.parameters import Body
from service.api.problem import places_of
from service.errors import Malformed, NeedsPrecondition, Problem, Stale
from service.lexicon.limits import (
    MAX_ID,
    MAX_PATTERN,
    MAX_SENTENCE,
    MAX_WORDS,
    TERM_ID,
    exception_problems,
    name_term,
    term_problems,
)
from service.lexicon.term import Disguise, ExceptionPhrase, MatchMode, Term
from service.record.drafts import Item
from service.vocabulary import Category, Platform, Severity

LEXICON_NAME = "^[a-z][a-z0-9-]{0,62}$"
ETAG = re.compile(r'(?:W/)?"([0-9]{1,18})"')

Sentence = Annotated[str, Field(max_length=MAX_SENTENCE)]
Pattern = Annotated[str, Field(min_length=1, max_length=MAX_PATTERN)]
Sentences = Annotated[tuple[Sentence, ...], Field(max_length=MAX_WORDS)]
Patterns = Annotated[tuple[Pattern, ...], Field(max_length=MAX_WORDS)]
TermId = Annotated[
    str, Path(min_length=1, max_length=MAX_ID, description="`category/name`.", examples=["contact/langehao"])
]
Phrase = Annotated[str, Path(min_length=1, max_length=MAX_PATTERN, examples=["蓝鸽号游轮"])]
IfMatch = Annotated[
    str | None, Header(alias="If-Match", description="The `ETag` that was read; `*` changes whatever is there.")
]


class Words(Body):
    """A sentence in two languages."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    zh_cn: Annotated[Sentence, Field(alias="zh-CN")] = ""
    en: Sentence = ""


class TermBody(Body):
    """A term, as in the shipped files; `{"id", "state": "off"}` switches one of the lexicons below off."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    id: Annotated[
        str | None, Field(max_length=MAX_ID, pattern=TERM_ID, description="By default the category and the pattern.")
    ] = None
    state: Literal["on", "off"] = "on"
    pattern: Pattern | None = None
    category: Category | None = None
    severity: Severity | None = None
    match: MatchMode = "word"
    gap: Annotated[int, Field(ge=0, le=20)] = 6
    disguises: Annotated[tuple[Disguise, ...], Field(max_length=3)] = ()
    platforms: Annotated[tuple[Platform | Literal["*"], ...], Field(min_length=1, max_length=8)] = ("*",)
    with_: Annotated[Patterns, Field(alias="with")] = ()
    within: Annotated[int, Field(ge=1, le=100)] = 12
    except_: Annotated[Patterns, Field(alias="except")] = ()
    reason: Words = Words()
    suggestion: Words = Words()
    hits: Sentences = ()
    passes: Sentences = ()
    source: Sentence = ""
    valid_from: date | None = None
    valid_until: date | None = None


class TermOut(BaseModel):
    """A term of a draft, or of the shipped lexicon."""

    model_config = ConfigDict(populate_by_name=True)

    id: str
    state: Literal["on", "off"]
    revision: int = Field(description="What `ETag` says, too; 0 in the shipped lexicon.")
    pattern: str | None = None
    category: Category | None = None
    severity: Severity | None = None
    match: MatchMode | None = None
    gap: int | None = None
    disguises: list[Disguise] = []
    platforms: list[Platform | Literal["*"]] = []
    with_: Annotated[list[str], Field(alias="with")] = []
    within: int | None = None
    except_: Annotated[list[str], Field(alias="except")] = []
    reason: Words = Words()
    suggestion: Words = Words()
    hits: list[str] = []
    passes: list[str] = []
    source: str = ""
    valid_from: date | None = None
    valid_until: date | None = None


class ExceptionBody(Body):
    """A phrase that excuses what stands inside it; `{"phrase", "state": "off"}` switches one below off."""

    phrase: Annotated[str, Field(min_length=1, max_length=MAX_PATTERN)]
    state: Literal["on", "off"] = "on"
    reason: Words = Words()
    categories: Annotated[tuple[Category, ...], Field(max_length=MAX_WORDS)] = ()
    passes: Sentences = ()
    source: Sentence = ""


class ExceptionOut(BaseModel):
    """An exception of a draft."""

    phrase: str
    state: Literal["on", "off"]
    revision: int
    reason: Words = Words()
    categories: list[Category] = []
    passes: list[str] = []
    source: str = ""


def term_item(body: TermBody) -> Item:
    """The item that a body describes. Raises Malformed with every place that is wrong."""
    if body.state == "off":
        extra = sorted(set(body.model_fields_set) - {"id", "state"})
        if body.id is None or extra:
            raise wrong("id", "and state are all that a term has that is switched off")
        return Item(kind="term", id=body.id, body=None)
    missing = [name for name in ("pattern", "category", "severity") if getattr(body, name) is None]
    if missing:
        raise Malformed("A term is incomplete.", problems=[Problem(f"/{name}", "is missing") for name in missing])
    given = body.model_dump(mode="json", by_alias=True, exclude={"state"})
    given["id"] = body.id or name_term(body.category or "", body.pattern or "")
    term = msgspec.convert(given, Term)
    refuse(term_problems(term))
    return Item(kind="term", id=term.id, body=term)


def read_merged(given: dict[str, Any]) -> TermBody:
    """A term after a change. Raises Malformed where the two together are none."""
    try:
        return TermBody.model_validate(given)
    except ValidationError as error:
        places = places_of([{**each, "loc": ("body", *each["loc"])} for each in error.errors()])
        raise Malformed("With this change it would be no term.", problems=places) from None


def exception_item(body: ExceptionBody) -> Item:
    """The same for an exception."""
    entry = msgspec.convert(body.model_dump(mode="json", by_alias=True, exclude={"state"}), ExceptionPhrase)
    refuse(exception_problems(entry))
    return Item(kind="exception", id=entry.phrase, body=None if body.state == "off" else entry)


def refuse(problems: Any) -> None:
    """Raises Malformed when there are any."""
    places = [Problem(f"/{field}", detail) for field, detail in problems]
    if places:
        raise Malformed("The body is not of the documented shape.", problems=places)


def wrong(field: str, detail: str) -> Malformed:
    return Malformed("The body is not of the documented shape.", problems=[Problem(f"/{field}", detail)])


def term_out(item: Item) -> TermOut:
    given = msgspec.to_builtins(item.body) if item.body else {"id": item.id}
    return TermOut(**given, state=item.state, revision=item.revision)


def exception_out(item: Item) -> ExceptionOut:
    given = msgspec.to_builtins(item.body) if item.body else {"phrase": item.id}
    return ExceptionOut(**given, state=item.state, revision=item.revision)


def set_etag(response: Response, revision: int) -> None:
    response.headers["ETag"] = f'"{revision}"'


def revision_of(if_match: str | None, present: int) -> int:
    """The revision that `If-Match` names, `present` for `*`. Raises NeedsPrecondition without one."""
    if if_match is None:
        raise NeedsPrecondition("Send the ETag that you read as If-Match, so that nobody's change is lost; * is any.")
    if if_match.strip() == "*":
        return present
    found = ETAG.fullmatch(if_match.strip())
    if not found:
        raise Stale("If-Match is no ETag of this service; read it again")
    return int(found[1])


def over_of(if_match: str | None) -> int | None:
    """The revision that `If-Match` names; None, without one or for `*`: whatever is there."""
    return None if if_match is None or if_match.strip() == "*" else revision_of(if_match, 0)


class RevisionBody(Body):
    """Which state to go back to."""

    revision: Annotated[int, Field(ge=0, lt=2**31, description="As `revisions` lists it.")]
