"""At least once, in order, signed, again until it is heard: against a receiver that misbehaves, on both databases."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest

from service.notify.deliverer import LEASE
from service.notify.schedule import OFFSETS
from service.notify.standard import new_secret
from service.record.database import Database
from service.record.deliveries import get_delivery, send_again
from service.record.dispatch import Settlement, claim, settle
from service.record.endpoints import change_endpoint
from tests.notify.conftest import SEALER, Outbox
from tests.notify.receiver import HANG, OK, Receiver, receiving
from tests.web import moved, reply

DAY = 86_400


def numbers(receiver: Receiver) -> dict[str, list[int]]:
    """What was told of each subject, in the order of its first telling."""
    seen: dict[str, list[int]] = {}
    for told in receiver.told:
        data = told.event["data"]
        if data["number"] not in seen.setdefault(data["about"], []):
            seen[data["about"]].append(data["number"])
    return seen


async def test_every_event_arrives_signed_and_in_order_of_its_subject(outbox: Outbox, receiver: Receiver) -> None:
    luck = random.Random(1)
    receiver.answer = lambda _: OK if luck.random() < 0.6 else reply("500 Internal Server Error")
    endpoint = await outbox.endpoint(receiver.url())
    subjects = [f"agents/shop/{number % 5}" for number in range(30)]
    await outbox.put(*subjects)
    deliverer = outbox.deliverer()
    await outbox.run(deliverer)
    for seconds in (5, 295, 1500, 5400, 10_800, 18_000):
        await outbox.after(deliverer, seconds)
    assert set(await outbox.states(endpoint)) == {"delivered"}
    assert numbers(receiver) == {f"agents/shop/{each}": list(range(each, 30, 5)) for each in range(5)}
    assert 1 < receiver.most_at_once <= 5
    first = receiver.told[0]
    assert first.verify(outbox.secret)["type"] == "incident.created"
    assert first.headers["content-type"] == "application/json"
    assert len({told.id for told in receiver.told}) == 30
    assert Counter(outbox.outcomes)["delivered"] == 30


async def test_a_receiver_that_comes_back_hears_what_it_missed_at_once(outbox: Outbox, receiver: Receiver) -> None:
    endpoint = await outbox.endpoint(receiver.url())
    deliverer = outbox.deliverer()
    await receiver.down()
    await outbox.put("a", "b", "a", "c")
    await outbox.run(deliverer)
    await outbox.after(deliverer, 5)
    assert {each.last_error for each in await outbox.deliveries(endpoint)} == {"no connection", None}
    assert (await outbox.now(endpoint)).failing_since is not None
    await receiver.up()
    outbox.clock.advance(20)
    await outbox.put("d")
    await outbox.run(deliverer)
    assert set(await outbox.states(endpoint)) == {"delivered"}
    assert numbers(receiver)["a"] == [0, 2]
    assert (await outbox.now(endpoint)).failing_since is None


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply("500 Internal Server Error"), "answered 500"),
        (moved("/elsewhere"), "answered 302, which is not followed"),
        (HANG, "no answer within 0.2 s"),
        (b"nonsense\r\n\r\n", "connection broken (RemoteProtocolError)"),
    ],
)
async def test_a_failure_is_seen_and_tried_again(
    outbox: Outbox, receiver: Receiver, answer: bytes | None, error: str
) -> None:
    receiver.answer = lambda _: answer
    endpoint = await outbox.endpoint(receiver.url())
    await outbox.put("a")
    deliverer = outbox.deliverer(seconds=0.2)
    await outbox.run(deliverer)
    (delivery,) = await outbox.deliveries(endpoint)
    assert (delivery.state, delivery.attempts, delivery.last_error) == ("pending", 1, error)
    assert delivery.next_attempt_at == outbox.clock.now() + timedelta(seconds=5)
    receiver.answer = lambda _: OK
    await outbox.after(deliverer, 5)
    assert await outbox.states(endpoint) == ["delivered"]
    assert [told.path for told in receiver.told] == ["/hook", "/hook"]


async def test_what_is_not_heard_for_a_day_is_kept_and_can_be_sent_by_hand(outbox: Outbox, receiver: Receiver) -> None:
    receiver.answer = lambda told: OK if told.event["data"]["number"] else reply("500 Internal Server Error")
    endpoint = await outbox.endpoint(receiver.url())
    await outbox.put("a", "a")
    deliverer = outbox.deliverer()
    await outbox.run(deliverer)
    for before, after in pairwise(OFFSETS):
        # The second one waits for the first, however long.
        assert len(receiver.told) == OFFSETS.index(before) + 1
        await outbox.after(deliverer, after - before)
    assert await outbox.states(endpoint) == ["dead", "delivered"]
    dead, _ = await outbox.deliveries(endpoint)
    assert (dead.attempts, dead.last_status) == (len(OFFSETS), 500)
    receiver.answer = lambda _: OK
    await send_again(outbox.database, dead, outbox.clock.now())
    await outbox.run(deliverer)
    assert await outbox.states(endpoint) == ["delivered", "delivered"]
    assert receiver.told[-1].id == receiver.told[0].id
    _, body = await get_delivery(outbox.database, "acme", endpoint.id, dead.id)
    assert b'"number":0' in body


async def test_gone_is_for_good_and_the_others_are_told(outbox: Outbox, receiver: Receiver) -> None:
    receiver.answer = lambda told: reply("410 Gone") if told.path == "/gone" else OK
    gone = await outbox.endpoint(receiver.url("/gone"), events="incident.created")
    other = await outbox.endpoint(receiver.url("/other"), events="endpoint.disabled")
    await outbox.put("a", "b")
    deliverer = outbox.deliverer()
    await outbox.run(deliverer)
    after = await outbox.now(gone)
    assert (after.enabled, after.disabled_reason) == (False, "answered 410: gone")
    (told,) = [each for each in receiver.told if each.path == "/other"]
    assert told.event["type"] == "endpoint.disabled"
    assert told.event["data"]["endpoint_id"] == gone.id
    assert await outbox.states(other) == ["delivered"]
    await outbox.put("c")
    await outbox.after(deliverer, DAY)
    assert sum(each.path == "/gone" for each in receiver.told) == 2


async def test_days_of_failures_switch_an_endpoint_off(outbox: Outbox, receiver: Receiver) -> None:
    receiver.answer = lambda _: reply("503 Service Unavailable")
    endpoint = await outbox.endpoint(receiver.url())
    deliverer = outbox.deliverer(give_up_after=timedelta(days=3))
    for _ in range(3):
        await outbox.put("a")
        await outbox.after(deliverer, DAY - 1)
        assert (await outbox.now(endpoint)).enabled
    await outbox.after(deliverer, DAY + 2)
    after = await outbox.now(endpoint)
    assert not after.enabled
    assert after.disabled_reason is not None
    assert after.disabled_reason.startswith("nothing but failures since ")
    assert after.disabled_reason.endswith("answered 503")


async def test_who_asks_for_a_pause_gets_it(outbox: Outbox, receiver: Receiver) -> None:
    receiver.answer = lambda _: reply("429 Too Many Requests", b"", "Retry-After: 120")
    endpoint = await outbox.endpoint(receiver.url())
    await outbox.put("a")
    deliverer = outbox.deliverer()
    await outbox.run(deliverer)
    receiver.answer = lambda _: OK
    await outbox.put("b")
    await outbox.after(deliverer, 119)
    assert len(receiver.told) == 1
    await outbox.after(deliverer, 1)
    assert await outbox.states(endpoint) == ["delivered", "delivered"]


async def test_two_processes_share_the_work_and_nothing_is_sent_twice(
    outbox: Outbox, receiver: Receiver, database_url: str
) -> None:
    endpoint = await outbox.endpoint(receiver.url())
    await outbox.put(*(f"agents/shop/{number % 12}" for number in range(48)))
    other = await Database.open(database_url)
    try:
        await asyncio.gather(outbox.run(outbox.deliverer()), outbox.run(outbox.deliverer(other)))
        await outbox.run(outbox.deliverer())
    finally:
        await other.close()
    assert set(await outbox.states(endpoint)) == {"delivered"}
    assert Counter(told.id for told in receiver.told).most_common(1)[0][1] == 1
    assert numbers(receiver) == {f"agents/shop/{each}": list(range(each, 48, 12)) for each in range(12)}


async def test_what_a_killed_process_had_claimed_is_sent_when_its_lease_ends(
    outbox: Outbox, receiver: Receiver
) -> None:
    endpoint = await outbox.endpoint(receiver.url())
    await outbox.put("a", "a")
    async with outbox.database.write() as connection:
        claimed = await claim(connection, endpoint.id, outbox.clock.now(), 8, LEASE)
    assert claimed is not None
    (lost,) = claimed[1]
    deliverer = outbox.deliverer()
    await outbox.after(deliverer, LEASE.total_seconds() - 1)
    assert receiver.told == []
    await outbox.after(deliverer, 1)
    assert [event["data"]["number"] for event in receiver.events] == [0, 1]
    late = Settlement(claim=lost, endpoint_id=endpoint.id, outcome="failed", next_attempt_at=outbox.clock.now())
    async with outbox.database.write() as connection:
        await settle(connection, [late], outbox.clock.now(), timedelta(days=3))
    assert await outbox.states(endpoint) == ["delivered", "delivered"]


async def test_at_a_stop_what_is_under_way_goes_back(
    outbox: Outbox, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.notify.deliverer.CLOSE_SECONDS", 0.05)
    receiver.answer = lambda _: HANG
    endpoint = await outbox.endpoint(receiver.url())
    await outbox.put("a")
    deliverer = outbox.deliverer()
    await deliverer.turn()
    await deliverer.close()
    (delivery,) = await outbox.deliveries(endpoint)
    assert (delivery.state, delivery.attempts, delivery.lease) == ("pending", 0, None)
    receiver.answer = lambda _: OK
    await outbox.run(outbox.deliverer())
    assert await outbox.states(endpoint) == ["delivered"]


async def test_it_works_by_itself(outbox: Outbox, receiver: Receiver) -> None:
    endpoint = await outbox.endpoint(receiver.url())
    depths: list[int] = []
    deliverer = outbox.deliverer(depth=depths.append)
    deliverer.start()
    await outbox.put("a", "a", "b")
    await receiver.heard(3)
    await deliverer.close()
    assert await outbox.states(endpoint) == ["delivered"] * 3
    assert depths


async def test_both_secrets_sign_until_the_old_one_is_over(outbox: Outbox, receiver: Receiver) -> None:
    endpoint = await outbox.endpoint(receiver.url())
    fresh, now = new_secret(), outbox.clock.now()
    await change_endpoint(
        outbox.database,
        endpoint,
        now,
        secret_sealed=SEALER.seal(fresh),
        old_secret_sealed=endpoint.secret_sealed,
        old_secret_until=now + timedelta(seconds=60),
    )
    deliverer = outbox.deliverer()
    await outbox.put("a")
    await outbox.run(deliverer)
    both = receiver.told[0]
    assert both.verify(fresh) == both.verify(outbox.secret)
    outbox.clock.advance(60)
    await outbox.put("b")
    await outbox.run(deliverer)
    assert len(receiver.told[1].headers["webhook-signature"].split()) == 1
    assert receiver.told[1].verify(fresh)


async def test_a_robot_is_not_pressed(outbox: Outbox, receiver: Receiver) -> None:
    receiver.answer = lambda _: reply("200 OK", b'{"errcode":0}')
    endpoint = await outbox.endpoint(receiver.url("/?key=x"), kind="wecom_robot", secret_sealed=None)
    await outbox.put("a", "b", "c")
    deliverer = outbox.deliverer()
    await outbox.run(deliverer)
    assert len(receiver.told) == 1
    for _ in range(2):
        await outbox.after(deliverer, 3.2)
    assert await outbox.states(endpoint) == ["delivered"] * 3


async def test_an_endpoint_hears_what_it_asked_for_and_only_of_its_tenant(outbox: Outbox) -> None:
    async with receiving() as ours, receiving() as theirs:
        await outbox.endpoint(ours.url(), events="sanction.started policy.changed", envelope="cloudevents")
        await outbox.endpoint(theirs.url(), tenant_id="other")
        await outbox.put("a", "a sanction.started", "b sanction.ended")
        await outbox.put("c", tenant="other")
        await outbox.run(outbox.deliverer())
    (told,) = ours.told
    assert told.headers["content-type"].startswith("application/cloudevents+json")
    event = told.verify(outbox.secret)
    assert (event["specversion"], event["type"], event["subject"]) == ("1.0", "shenyan.sanction.started", "a")
    assert event["id"] == told.id
    assert [each["data"]["about"] for each in theirs.events] == ["c"]


async def test_a_secret_that_cannot_be_opened_is_a_failure_that_says_so(outbox: Outbox, receiver: Receiver) -> None:
    endpoint = await outbox.endpoint(receiver.url(), secret_sealed="gAAAAABnonsense")
    await outbox.put("a")
    await outbox.run(outbox.deliverer())
    (delivery,) = await outbox.deliveries(endpoint)
    assert "another key" in (delivery.last_error or "")
    assert receiver.told == []
