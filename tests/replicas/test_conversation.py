"""What both stores promise."""

from __future__ import annotations

import asyncio

import pytest

from service.lexicon.frequency import HIGHEST_COUNT, LONGEST_WINDOW
from service.replicas.conversation import ConversationStore, Recent, make_attempt
from service.text.message import Earlier, Pace
from tests.redis_server import WHERE_FROM, find_binary
from tests.replicas.conftest import BOUNDS, NOON, attempt


def test_redis_is_a_real_one() -> None:
    if find_binary() is None:
        pytest.skip(f"no redis-server here: the tests ran on an imitation; {WHERE_FROM}")


def texts(recent: Recent) -> list[str]:
    return [each.text for each in recent.earlier]


async def test_the_first_message_has_nothing_before_it(store: ConversationStore) -> None:
    assert await store.append(attempt(), NOON) == Recent((), Pace())


async def test_the_next_one_sees_the_last_few_in_their_order(store: ConversationStore) -> None:
    for number in range(6):
        recent = await store.append(attempt(str(number), f"{number}", NOON + number), NOON + number)
    assert recent.earlier == tuple(Earlier(str(number), f"m-{number}") for number in (1, 2, 3, 4))
    assert recent.pace == Pace((5.0, 4.0, 3.0, 2.0, 1.0), ())


@pytest.mark.parametrize("other", [{"conversation": "c2"}, {"agent": "a2"}, {"shop": "s2"}, {"tenant": "t2"}])
async def test_nobody_sees_another_conversation(store: ConversationStore, other: dict[str, str]) -> None:
    await store.append(attempt(), NOON)
    assert await store.append(attempt("信", "2", **other), NOON) == Recent((), Pace())  # type: ignore[arg-type]


async def test_ids_cannot_be_put_together_to_look_like_others(store: ConversationStore) -> None:
    await store.append(attempt(shop="a\0b", agent="c"), NOON)
    assert texts(await store.append(attempt("信", "2", shop="a", agent="b\0c"), NOON)) == []


async def test_a_customers_conversations_are_read_apart_and_counted_together(store: ConversationStore) -> None:
    await store.append(attempt("微", "1", conversation="c1", customer="k"), NOON)
    recent = await store.append(attempt("微", "2", conversation="c2", customer="k"), NOON)
    assert recent == Recent((), Pace((0.0,), (0.0,)))


async def test_a_customer_is_a_conversation_where_none_is_named(store: ConversationStore) -> None:
    await store.append(attempt("微", "1", conversation=None, customer="k"), NOON)
    assert texts(await store.append(attempt("信", "2", conversation=None, customer="k"), NOON)) == ["微"]


def test_without_conversation_and_customer_nothing_is_remembered() -> None:
    assert make_attempt(
        tenant="t", shop="s", agent="a", conversation=None, customer=None, key="1", message_id="m", text="微", at=NOON
    ) is None  # fmt: skip


async def test_what_is_too_old_is_gone(store: ConversationStore) -> None:
    await store.append(attempt("微", "1", NOON), NOON)
    late = NOON + BOUNDS.seconds + 1
    recent = await store.append(attempt("信", "2", late), late)
    assert recent == Recent((), Pace((BOUNDS.seconds + 1,), ()))
    later = NOON + LONGEST_WINDOW + 1
    assert (await store.append(attempt("号", "3", later), later)).pace == Pace((LONGEST_WINDOW - BOUNDS.seconds,), ())


async def test_old_messages_that_arrive_together_are_as_far_apart_as_they_were_sent(store: ConversationStore) -> None:
    await store.append(attempt("微", "1", NOON - 7200), NOON)
    assert await store.append(attempt("信", "2", NOON - 3600), NOON) == Recent((), Pace())
    assert texts(await store.append(attempt("号", "3", NOON - 3590), NOON)) == ["信"]


async def test_a_retry_is_remembered_once(store: ConversationStore) -> None:
    await store.append(attempt("微", "1"), NOON)
    for moment in (NOON + 1, NOON + 2):
        assert await store.append(attempt("微", "1", moment), moment) == Recent((), Pace())
    recent = await store.append(attempt("信", "2", NOON + 3), NOON + 3)
    assert texts(recent) == ["微"]
    assert recent.pace is not None
    assert len(recent.pace.sent) == 1


async def test_a_late_retry_sees_what_it_saw_first(store: ConversationStore) -> None:
    await store.append(attempt("微", "1"), NOON)
    await store.append(attempt("信", "2"), NOON)
    await store.append(attempt("号", "3"), NOON)
    assert texts(await store.append(attempt("信", "2"), NOON)) == ["微"]


async def test_what_is_withdrawn_was_never_sent(store: ConversationStore) -> None:
    await store.append(attempt("微", "1"), NOON)
    blocked = attempt("信", "2")
    await store.append(blocked, NOON)
    await store.withdraw(blocked)
    await store.withdraw(blocked)
    recent = await store.append(attempt("号", "3"), NOON)
    assert recent == Recent((Earlier("微", "m-1"),), Pace((0.0,), ()))


async def test_the_very_same_is_counted_whatever_blanks_stand_in_it(store: ConversationStore) -> None:
    for number, text in enumerate(["在吗", "在 吗\n", "在么", ""]):
        await store.append(attempt(text, f"{number}"), NOON)
    assert (await store.append(attempt("在吗", "5"), NOON)).pace == Pace((0.0,) * 4, (0.0,) * 2)
    assert (await store.append(attempt("", "6"), NOON)).pace == Pace((0.0,) * 5, ())


async def test_only_the_end_of_a_text_is_remembered(store: ConversationStore) -> None:
    await store.append(attempt("长" * 9_000 + "微" + " " * 500, "1"), NOON)
    await store.append(attempt("长" * 9_000 + "微", "2"), NOON)
    blank, long = texts(await store.append(attempt("信", "3"), NOON))
    assert len(blank) <= 256
    assert long.endswith("长微")
    assert len(long) <= 64


async def test_no_more_is_counted_than_a_rule_can_ask_for(store: ConversationStore) -> None:
    for number in range(HIGHEST_COUNT + 30):
        recent = await store.append(attempt("微", f"{number}", NOON + number), NOON + number)
    assert recent.pace is not None
    assert HIGHEST_COUNT - 1 <= len(recent.pace.sent) <= HIGHEST_COUNT


async def test_of_two_at_once_one_sees_the_other(store: ConversationStore) -> None:
    for round_ in range(20):
        pair = [attempt(text, text, conversation=f"c{round_}") for text in "微信"]
        seen = await asyncio.gather(*(store.append(each, NOON) for each in pair))
        assert sorted(len(recent.earlier) for recent in seen) == [0, 1]
