"""One file of a journal: its space is taken beforehand, its owner holds a lock, and a write is on the disk when it returns.

A full disk then still has room for what the file was made for. The lock goes with the process, however that ends.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Self

SUFFIX = ".journal"
_sync_data = getattr(os, "fdatasync", os.fsync)
BLOCK = 1 << 20


class Segment:
    """A locked file. Every method may raise OSError and blocks: call them in a thread."""

    def __init__(self, path: Path, descriptor: int, size: int) -> None:
        self.path = path
        self.size = size
        """Bytes that it was made for."""
        self.used = 0
        """Bytes that are written and on the disk."""
        self.waiting = 0
        """Records in it that the database has not confirmed."""
        self._descriptor = descriptor

    @classmethod
    def create(cls, path: Path, size: int) -> Self:
        """A new file of `size` zeros that will be there after a crash."""
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                # Whoever looks for orphans may have come between the two lines above, and removed it.
                if not os.fstat(descriptor).st_nlink:
                    os.close(descriptor)
                    continue
                _take_space(descriptor, size)
                os.fsync(descriptor)
                sync_folder(path.parent)
            except OSError:
                path.unlink(missing_ok=True)
                os.close(descriptor)
                raise
            return cls(path, descriptor, size)

    @classmethod
    def adopt(cls, path: Path) -> Self | None:
        """A file that nobody holds any more; None when somebody does, or when it has just gone."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        state = os.fstat(descriptor)
        if not state.st_nlink:
            os.close(descriptor)
            return None
        segment = cls(path, descriptor, state.st_size)
        segment.used = state.st_size
        return segment

    def append(self, data: bytes) -> int:
        """Writes behind what is there; returns where it begins. It is on the disk then."""
        start = position = self.used
        view = memoryview(data)
        while view:
            written = os.pwrite(self._descriptor, view, position)
            view, position = view[written:], position + written
        _sync_data(self._descriptor)
        self.used = position
        return start

    def read(self) -> bytes:
        """All of it."""
        parts = []
        position = 0
        while part := os.pread(self._descriptor, BLOCK, position):
            parts.append(part)
            position += len(part)
        return b"".join(parts)

    def read_at(self, start: int, end: int) -> bytes:
        return os.pread(self._descriptor, end - start, start)

    def empty(self) -> None:
        """Overwrites what is in it: the database has all of it."""
        position = 0
        while position < self.used:
            position += os.pwrite(self._descriptor, bytes(min(BLOCK, self.used - position)), position)
        os.fsync(self._descriptor)
        self.used = 0

    def remove(self) -> None:
        """Deletes the file."""
        try:
            self.path.unlink(missing_ok=True)
            sync_folder(self.path.parent)
        finally:
            self.close()

    def close(self) -> None:
        """Lets the file go: the next process may adopt it."""
        os.close(self._descriptor)


def sync_folder(folder: Path) -> None:
    """Makes names in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _take_space(descriptor: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
        return
    for start in range(0, size, BLOCK):
        os.pwrite(descriptor, bytes(min(BLOCK, size - start)), start)
