"""What the memory of one process adds: it is bounded."""

from __future__ import annotations

from service.lexicon.frequency import LONGEST_WINDOW
from service.replicas.conversation import Bounds
from service.replicas.memory import MemoryConversations
from tests.replicas.conftest import BOUNDS, NOON, attempt


async def test_the_conversations_used_least_go_first() -> None:
    store = MemoryConversations(BOUNDS)
    for number in range(BOUNDS.conversations):
        await store.append(attempt(conversation=f"{number}"), NOON)
    await store.append(attempt("信", "2", conversation="0"), NOON)
    await store.append(attempt(conversation="new"), NOON)
    assert len((await store.append(attempt("号", "3", conversation="0"), NOON)).earlier) == 2
    assert (await store.append(attempt("号", "3", conversation="1"), NOON)).earlier == ()


async def test_nothing_stays_when_nobody_talks_any_more() -> None:
    store = MemoryConversations(Bounds(conversations=1000))
    for number in range(500):
        await store.append(attempt(conversation=f"{number}"), NOON)
    await store.append(attempt(conversation="last"), NOON + LONGEST_WINDOW + 1)
    assert len(store._windows) == len(store._counts) == 1


async def test_a_clock_that_is_set_back_forgets_nothing() -> None:
    store = MemoryConversations(BOUNDS)
    await store.append(attempt(), NOON)
    assert len((await store.append(attempt("信", "2", NOON - 0.5), NOON - 0.5)).earlier) == 1


async def test_without_windows_messages_are_only_counted() -> None:
    store = MemoryConversations(Bounds(messages=0))
    await store.append(attempt(), NOON)
    recent = await store.append(attempt("信", "2"), NOON)
    assert recent.earlier == ()
    assert recent.pace is not None
    assert len(recent.pace.sent) == 1
