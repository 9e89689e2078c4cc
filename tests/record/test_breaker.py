from __future__ import annotations

from service.record.breaker import CALM_SECONDS, LONGEST_SECONDS, Breaker


def test_it_is_asked_ever_more_rarely_until_it_has_been_well_for_a_while() -> None:
    now = 0.0
    breaker = Breaker(lambda: now)
    assert breaker.is_closed
    breaker.open("not reachable")
    assert (breaker.is_closed, breaker.reason, breaker.may_ask()) == (False, "not reachable", False)
    waits = []
    for _ in range(8):
        began = now
        while not breaker.may_ask():
            now += 0.05
        waits.append(round(now - began, 1))
        breaker.still_out("too slow")
    assert waits == sorted(waits)
    assert waits[0] < 0.5
    assert waits[-1] == LONGEST_SECONDS
    now += LONGEST_SECONDS
    breaker.close()
    assert breaker.is_closed
    now += 1
    breaker.open("too slow")
    now += 1
    assert not breaker.may_ask()  # it had only just come back
    now += LONGEST_SECONDS
    breaker.close()
    now += CALM_SECONDS + 1
    breaker.open("too slow")
    now += 0.3
    assert breaker.may_ask()
