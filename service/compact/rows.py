"""A list whose entries are decoded when they are asked for."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar, overload

T = TypeVar("T")


class Rows(Sequence[T]):
    """Entries as `pack_rows` wrote them; `decode` makes one from its bytes, anew each time."""

    __slots__ = ("_data", "_decode", "_ends", "_size")

    def __init__(self, section: memoryview, decode: Callable[[memoryview], T]) -> None:
        (self._size,) = section[:8].cast("Q")
        first = 16 + 8 * self._size
        self._ends = section[8:first].cast("Q")
        self._data = section[first:]
        self._decode = decode

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
        return self._decode(self._data[self._ends[index] : self._ends[index + 1]])


def pack_rows(rows: Iterable[bytes]) -> bytes:
    """The section for `Rows`: their number, where each ends, and all of them."""
    data, ends = bytearray(), array("Q", [0])
    for row in rows:
        data += row
        ends.append(len(data))
    return array("Q", [len(ends) - 1]).tobytes() + ends.tobytes() + bytes(data)
