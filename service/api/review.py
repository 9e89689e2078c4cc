"""What is said of an incident, as clients send and read it: appeals, claims, reviews."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from service.api.parameters import Body, Stored
from service.api.penalty import EntryOut, SettledOut
from service.api.problem import ProblemBody
from service.api.routes.incidents import IncidentOut
from service.errors import Malformed, Problem
from service.lexicon.term import ExceptionPhrase, Localized
from service.record.incident import State as IncidentState
from service.record.lessons import Lesson
from service.record.review import Appeal, Review
from service.record.transitions import Verdict
from service.vocabulary import Category, Severity

Sentence = Annotated[str, Field(min_length=1, max_length=2000), Stored]
LexiconName = Annotated[str, Field(min_length=1, max_length=128), Stored]
TermId = Annotated[str, Field(min_length=1, max_length=256), Stored]
MAX_REVIEWS = 100
ONE_OF_MANY: dict[str, Any] = {
    "incident_id": "01930b5e-7a4d-7c02-8a11-5d2e9b3c4f10",
    "verdict": "upheld",
    "note": "清楚的辱骂",
}


class EvidenceBody(Body):
    """One thing that speaks for the agent. An address is kept, not fetched."""

    kind: Literal["text", "url", "message_id"]
    value: Sentence


class AppealBody(Body):
    """Why the incident should not count."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "reason": "顾客自己先报的微信号，我只是请他不要发",
                    "evidence": [{"kind": "message_id", "value": "m-1000"}],
                }
            ]
        }
    )

    reason: Sentence
    evidence: Annotated[tuple[EvidenceBody, ...], Field(max_length=10)] = ()


class AppealOut(BaseModel):
    """An appeal as it was filed."""

    key_id: str = Field(description="Who filed it, on the agent's behalf.")
    filed_at: datetime
    due_at: datetime = Field(description="By when it should be decided.")
    reason: str
    evidence: list[EvidenceBody]


class AppealedOut(IncidentOut):
    """The incident, and the appeal against it."""

    appeal: AppealOut


class ProposedException(Body):
    """What a lexicon should learn from a false hit: a phrase that excuses every hit inside it."""

    phrase: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S"), Stored]
    categories: Annotated[tuple[Category, ...], Field(max_length=25)] = ()
    lexicon: Annotated[LexiconName | None, Field(description="Whose draft gets it; without one it is a proposal.")] = (
        None
    )
    reason: Annotated[str, Field(max_length=500), Stored] = ""
    passes: Annotated[tuple[Sentence, ...], Field(max_length=20)] = ()


class ProposedCase(Body):
    """The incident's text, as stored, becomes a sentence that a lexicon must let pass before it can be published."""

    lexicon: LexiconName
    term_id: Annotated[
        TermId | None, Field(description="The term that must find nothing; without one nothing at all must be found.")
    ] = None


class ReviewBody(Body):
    """A supervisor's decision."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"verdict": "upheld", "note": "清楚的辱骂"},
                {"verdict": "reduced", "severity": "low", "note": "语气不好，但没有骂人"},
                {
                    "verdict": "overturned",
                    "note": "商品名，不是联系方式",
                    "exception": {"phrase": "蓝鸽号游轮", "categories": ["contact"]},
                },
            ]
        }
    )

    verdict: Verdict
    severity: Annotated[Severity | None, Field(description="As what it counts; for `reduced`, and only there.")] = None
    note: Sentence
    exception: Annotated[
        ProposedException | None,
        Field(description="Kept with the review, for whoever edits the lexicon; for `overturned`."),
    ] = None
    case: Annotated[ProposedCase | None, Field(description="For `overturned`.")] = None


class BulkReview(ReviewBody):
    """The decision on one of several incidents."""

    model_config = ConfigDict(json_schema_extra={"examples": [ONE_OF_MANY]})

    incident_id: Annotated[str, Field(min_length=1, max_length=128), Stored]


class BulkBody(Body):
    """Decisions on several incidents, each taken or refused by itself."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reviews": [ONE_OF_MANY]}]})

    reviews: Annotated[tuple[BulkReview, ...], Field(min_length=1, max_length=MAX_REVIEWS)]


class ReviewOut(BaseModel):
    """A decision that was taken."""

    id: str
    incident_id: str
    key_id: str
    at: datetime
    state_before: IncidentState
    verdict: Verdict
    severity: Severity | None
    note: str
    exception: ProposedException | None


class LearnedOut(BaseModel):
    """What drafts of lexicons got."""

    revision: int | None = Field(description="Of the draft with the exception; null when nothing was added.")
    case_id: str | None


class ReviewedOut(IncidentOut, SettledOut):
    """The incident after the decision, and what the decision brought about."""

    review: ReviewOut
    learned: LearnedOut


class BulkResult(BaseModel):
    """What became of one decision."""

    incident_id: str
    status: int = Field(description="As if it had been sent by itself.")
    body: ReviewedOut | dict[str, Any] = Field(description="`ReviewedOut` for 200, else a `Problem`.")


class BulkAnswer(BaseModel):
    """One result for each decision, in their order."""

    results: list[BulkResult]


class ClaimBody(Body):
    """For how long the incident is taken."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"minutes": 15}]})

    minutes: Annotated[int, Field(ge=1, le=240)] = 15


class HistoryOut(BaseModel):
    """All that was said and entered about one incident, oldest first."""

    appeal: AppealOut | None
    reviews: list[ReviewOut]
    entries: list[EntryOut]


def check(body: ReviewBody) -> None:
    """What the schema can't say. Raises Malformed."""
    problems = []
    if (body.severity is None) == (body.verdict == "reduced"):
        problems.append(Problem("/severity", "belongs to the verdict `reduced`, and to no other"))
    for name in ("exception", "case"):
        if getattr(body, name) is not None and body.verdict != "overturned":
            detail = "belongs to the verdict `overturned`: only a false hit teaches something"
            problems.append(Problem(f"/{name}", detail))
    if problems:
        raise Malformed("The decision contradicts itself.", problems=problems)


def lesson_of(body: ReviewBody) -> Lesson:
    """What lexicons are to learn from it."""
    said, case = body.exception, body.case
    exception = None
    if said is not None:
        exception = ExceptionPhrase(
            phrase=said.phrase,
            reason=Localized(said.reason),
            categories=said.categories,
            passes=said.passes,
            source="review",
        )
    return Lesson(
        exception=exception,
        exception_in=said.lexicon if said else None,
        case_in=case.lexicon if case else None,
        case_term=case.term_id if case else None,
    )


def appeal_out(filed: Appeal) -> AppealOut:
    return AppealOut(**msgspec.to_builtins(filed))


def review_out(made: Review) -> ReviewOut:
    return ReviewOut(**msgspec.structs.asdict(made))


def problem_fields(problem: ProblemBody) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(problem)
    return fields
