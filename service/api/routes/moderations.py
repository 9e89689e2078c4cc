"""`/v1/moderations`: the OpenAI moderation shape over `/v1/analyze`, so that existing clients can point here."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from service import __version__
from service.api.bodies import AnalyzeBody, ModerationsBody, TextPart, check_message
from service.api.hot import Call
from service.api.routes.moderate import sent_of
from service.errors import Malformed, Problem
from service.record.outcome import Outcome
from service.vocabulary import CATEGORIES, SEVERITIES, Category, Severity

MODERATIONS = msgspec.json.Decoder(ModerationsBody)
SCORES: Mapping[Severity, float] = {severity: (rank + 1) / len(SEVERITIES) for rank, severity in enumerate(SEVERITIES)}
"""low 0.25, medium 0.5, high 0.75, critical 1.0."""


class ModerationResult(msgspec.Struct, frozen=True):
    """What was found in one input. Categories are Shenyan's own."""

    flagged: bool
    categories: dict[Category, bool]
    category_scores: dict[Category, float]
    category_applied_input_types: dict[Category, list[str]]


class ModerationsAnswer(msgspec.Struct, frozen=True):
    """One result for each input, in their order."""

    id: str
    model: str
    results: list[ModerationResult]


async def moderations(call: Call) -> ModerationsAnswer:
    """One text or several, judged by the generic platform's rules; nothing is stored or counted."""
    body = call.decode(MODERATIONS)
    texts = [body.input] if isinstance(body.input, str) else [text_of(part) for part in body.input]
    await call.state["keys"].count_more(call.key, len(texts))
    results = [await _result(call, text, index, body) for index, text in enumerate(texts)]
    return ModerationsAnswer(f"modr-{call.request_id}", f"shenyan-{__version__}", results)


async def _result(call: Call, text: str, index: int, body: ModerationsBody) -> ModerationResult:
    message = AnalyzeBody(text=text, platform="generic")
    try:
        check_message(message)
    except Malformed as error:
        pointer = "/input" if isinstance(body.input, str) else f"/input/{index}"
        problems = [Problem(pointer, problem.detail) for problem in error.problems]
        raise Malformed(error.detail, problems=problems) from None
    _, outcome = call.state["pipeline"].decide(await sent_of(call, message, ()), call.elapsed_ms)
    return result_of(outcome)


def text_of(part: str | TextPart) -> str:
    return part if isinstance(part, str) else part.text


def result_of(outcome: Outcome) -> ModerationResult:
    """Each category with the score of its gravest finding, 0 where there is none."""
    scores: dict[Category, float] = dict.fromkeys(CATEGORIES, 0.0)
    for found in outcome.findings:
        scores[found.category] = max(scores[found.category], SCORES[found.severity])
    return ModerationResult(
        flagged=outcome.decision != "allow",
        categories={category: score > 0 for category, score in scores.items()},
        category_scores=scores,
        category_applied_input_types={category: ["text"] if score else [] for category, score in scores.items()},
    )
