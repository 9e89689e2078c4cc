"""What is remembered is fresh, read once for many, and still there when the store is not."""

from __future__ import annotations

import asyncio

import pytest

from service.api import remembered
from service.api.remembered import Remembered
from service.errors import Unavailable


class Source:
    """A store that counts, and can be out."""

    def __init__(self) -> None:
        self.value = 1
        self.reads = 0
        self.out = False

    async def read(self, key: str) -> int:
        self.reads += 1
        await asyncio.sleep(0)
        if self.out:
            raise Unavailable("out")
        return self.value


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(remembered, "monotonic", lambda: now[0])
    return now


async def test_many_share_one_read(clock: list[float]) -> None:
    source = Source()
    values = Remembered(source.read, 2.0)
    assert await asyncio.gather(*(values.get("k") for _ in range(50))) == [1] * 50
    assert source.reads == 1


async def test_half_old_is_renewed_in_the_background_and_old_is_waited_for(clock: list[float]) -> None:
    source = Source()
    values = Remembered(source.read, 2.0)
    await values.get("k")
    source.value = 2
    clock[0] += 1.5
    assert await values.get("k") == 1
    for _ in range(3):
        await asyncio.sleep(0)
    assert await values.get("k") == 2
    source.value = 3
    clock[0] += 2.5
    assert await values.get("k") == 3
    assert source.reads == 3


async def test_while_the_store_is_out_the_last_value_serves(clock: list[float]) -> None:
    source = Source()
    values = Remembered(source.read, 2.0)
    await values.get("k")
    source.out = True
    clock[0] += 3
    assert await values.get("k") == 1
    with pytest.raises(Unavailable):
        await values.get("never read")
    source.out, source.value = False, 2
    clock[0] += 3
    assert await values.get("k") == 2


async def test_a_store_that_hangs_is_not_waited_for_long(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "PATIENCE", 0.01)
    hang = asyncio.Event()
    source = Source()

    async def read(key: str) -> int:
        if source.out:
            await hang.wait()
        return await source.read(key)

    monkeypatch.setattr(remembered, "FIRST_PATIENCE", 0.01)
    values = Remembered(read, 2.0, stale=60)
    await values.get("k")
    source.out = True
    clock[0] += 3
    assert await values.get("k") == 1
    assert values.lost
    with pytest.raises(Unavailable):
        await values.get("never read")
    # Nobody has heard from the store for too long to go by what it said.
    clock[0] += 60
    with pytest.raises(Unavailable):
        await values.get("k")
    source.out = False
    hang.set()
    values.forget()
    assert await values.get("k") == 1
    assert not values.lost


async def test_what_was_known_is_not_good_for_ever(clock: list[float]) -> None:
    source = Source()
    values = Remembered(source.read, 2.0, stale=60)
    await values.get("k")
    source.out = True
    for _ in range(19):
        clock[0] += 3
        assert await values.get("k") == 1
    clock[0] += 6
    with pytest.raises(Unavailable):
        await values.get("k")
    source.out = False
    assert await values.get("k") == 1


async def test_a_read_that_began_before_a_change_does_not_bring_the_old_value_back(clock: list[float]) -> None:
    source = Source()
    values = Remembered(source.read, 2.0)
    early = asyncio.create_task(values.get("k"))
    await asyncio.sleep(0)
    values.forget()
    source.value = 2
    await early
    assert await values.get("k") == 2
