"""Compiled words of tenants as files: written whole or not at all, checked before they are used, shared by all processes.

A folder that only we may write. What is missing or damaged is made anew by whoever needs it; nothing here must last.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from service.compact.sections import DIGEST, Sections, join_sections, split_sections

KEPT = 4
"""Bundles of a tenant: the one in service, those before it for a rollback, and the next one."""
PIECE = 1 << 20


class Bundles:
    """The bundles in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self, tenant_id: str, key: str) -> Sections | None:
        """The bundle of that key, mapped; None where it is missing or damaged. Takes some tenths of a second for a large one."""
        path = self._path(tenant_id, key)
        try:
            with path.open("rb") as file:
                if not is_whole(file.fileno()):
                    raise ValueError("its checksum is wrong")
                mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            sections = split_sections(mapped)
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            with suppress(OSError):
                path.unlink()
            return None
        with suppress(OSError):
            os.utime(path)
        return sections

    def has(self, tenant_id: str, key: str) -> bool:
        """Whether there is a file of that key, whole or not."""
        return self._path(tenant_id, key).exists()

    def write(self, tenant_id: str, key: str, sections: Mapping[str, bytes]) -> None:
        """Stores a bundle, on the disk when it returns, and forgets the tenant's oldest. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._path(tenant_id, key)
        begun = path.with_suffix(f".{uuid4().hex}.begun")
        try:
            with begun.open("xb") as file:
                for piece in join_sections(sections):
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            begun.replace(path)
        finally:
            begun.unlink(missing_ok=True)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._prune(tenant_id)

    def _prune(self, tenant_id: str) -> None:
        found = sorted(self._folder.glob(f"{label(tenant_id)}-*.bundle"), key=lambda path: -path.stat().st_mtime)
        # Whoever has one mapped keeps it; only its name is gone.
        for path in found[KEPT:]:
            path.unlink(missing_ok=True)

    def _path(self, tenant_id: str, key: str) -> Path:
        return self._folder / f"{label(tenant_id)}-{key}.bundle"


def label(tenant_id: str) -> str:
    """A tenant's name may hold what a file's must not."""
    return hashlib.sha256(tenant_id.encode()).hexdigest()[:16]


def is_whole(descriptor: int) -> bool:
    """Whether the file's last 32 bytes are the SHA-256 of the others. Reads without mapping, and lets other threads run."""
    size, digest, place = os.fstat(descriptor).st_size - DIGEST, hashlib.sha256(), 0
    while place < size:
        piece = os.pread(descriptor, min(PIECE, size - place), place)
        if not piece:
            return False
        digest.update(piece)
        place += len(piece)
    return size > 0 and os.pread(descriptor, DIGEST, size) == digest.digest()
