"""The OpenAI moderation shape, spoken by the real client package."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
from openai import AsyncOpenAI, UnprocessableEntityError
from openai.types import ModerationImageURLInputParam, ModerationTextInputParam

from service.vocabulary import CATEGORIES
from tests.api.conftest import ADMIN, BLOCKED, CLEAN, Running


@pytest.fixture
async def openai(service: Running) -> AsyncIterator[AsyncOpenAI]:
    http = httpx2.AsyncClient(transport=httpx2.ASGITransport(service.asgi))
    async with AsyncOpenAI(api_key=ADMIN, base_url="http://test/v1", http_client=http, max_retries=0) as client:
        yield client


async def test_one_text(openai: AsyncOpenAI) -> None:
    answer = await openai.moderations.create(input=BLOCKED)
    (result,) = answer.results
    assert result.flagged
    categories, scores = result.categories.to_dict(), result.category_scores.to_dict()
    assert set(categories) == set(scores) == set(CATEGORIES)
    assert categories["counterfeit"] is True
    assert scores["counterfeit"] in (0.25, 0.5, 0.75, 1.0)
    assert categories["gambling"] is False
    assert scores["gambling"] == 0
    assert answer.id.startswith("modr-")


async def test_several_inputs_in_their_order(openai: AsyncOpenAI) -> None:
    answer = await openai.moderations.create(input=[CLEAN, BLOCKED], model="omni-moderation-latest")
    assert [result.flagged for result in answer.results] == [False, True]
    text: ModerationTextInputParam = {"type": "text", "text": BLOCKED}
    parts = await openai.moderations.create(input=[text])
    assert parts.results[0].flagged


async def test_an_empty_input_is_refused(openai: AsyncOpenAI) -> None:
    with pytest.raises(UnprocessableEntityError) as refused:
        await openai.moderations.create(input="")
    assert refused.value.response.json()["errors"][0]["pointer"] == "/input"


async def test_a_picture_is_refused_not_ignored(openai: AsyncOpenAI) -> None:
    picture: ModerationImageURLInputParam = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    with pytest.raises(UnprocessableEntityError):
        await openai.moderations.create(input=[picture])
