"""A list whose entries are decoded when they are asked for."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar, overload

T = TypeVar("T")


class Each(Sequence[T]):
    """What `make` makes of each of so many numbers, anew each time."""

    __slots__ = ("_make", "_size")

    def __init__(self, size: int, make: Callable[[int], T]) -> None:
        self._size = size
        self._make = make

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(self._size))]
        if not 0 <= index < self._size:
            raise IndexError(index)
        return self._make(index)


def read_rows(section: memoryview, decode: Callable[[memoryview], T]) -> Each[T]:
    """Entries as `pack_rows` wrote them; `decode` makes one from its bytes."""
    (size,) = section[:8].cast("Q")
    first = 16 + 8 * size
    ends, data = section[8:first].cast("Q"), section[first:]
    return Each(size, lambda index: decode(data[ends[index] : ends[index + 1]]))


def pack_rows(rows: Iterable[bytes]) -> bytes:
    """The section for `read_rows`: their number, where each ends, and all of them."""
    data, ends = bytearray(), array("Q", [0])
    for row in rows:
        data += row
        ends.append(len(data))
    return array("Q", [len(ends) - 1]).tobytes() + ends.tobytes() + bytes(data)
