"""Copies of an LMDB store, made while it is written, without touching its map.

LMDB's own copy reads through the map and so makes the whole store resident. Here the two meta pages are read while no
writer is active and the rest is copied by the kernel, file to file, while a read transaction keeps its pages from
being used again.
"""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from strongroom_storage.errors import StoreDamaged

META_PAGES: Final = 2
_CHUNK_BYTES: Final = 8 << 20
_NOT_OFFERED: Final = (errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


class Snapshot:
    """One moment of a store. Make and `release` it on the store's thread; `copy_to` may run on any other."""

    def __init__(self, file: Path, transaction: Any, page_bytes: int, pages: int) -> None:
        self._transaction = transaction
        self._source = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        self._size = page_bytes * pages
        self._metas = os.pread(self._source, META_PAGES * page_bytes, 0)
        self._is_lost = False

    def copy_to(self, target: Path, is_stopping: Callable[[], bool] = bool) -> bool:
        """Write the store to a new file and sync it; False if it was lost or told to stop midway.

        Each piece is synced on its own, so that the disk is never busy for long with it.
        """
        file = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(file, self._size)
            at = len(self._metas)
            while at < self._size:
                if is_stopping() or self._is_lost:
                    return False
                copied = copy_range(self._source, file, at, min(_CHUNK_BYTES, self._size - at))
                os.fdatasync(file)
                if copied == 0:
                    break  # pages at the end that were never written
                at += copied
            os.pwrite(file, self._metas, 0)
            os.fsync(file)
        finally:
            os.close(file)
        return not self._is_lost

    def lose(self) -> None:
        """Say that the pages are no longer kept, before they are used again. What is being copied is worthless."""
        self._is_lost = True

    def release(self) -> None:
        """Let the store use its pages again."""
        self._is_lost = True
        self._transaction.abort()
        os.close(self._source)


def copy_range(source: int, target: int, at: int, count: int) -> int:
    """Copy bytes at the same offset of two files, in the kernel where it can; how many, 0 at the end."""
    try:
        return os.copy_file_range(source, target, count, at, at)
    except OSError as error:
        if error.errno not in _NOT_OFFERED:
            raise
    return os.pwrite(target, os.pread(source, count, at), at)


def copy_file(source: Path, target: Path) -> None:
    """Copy a whole file into a new one and sync it."""
    reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        at = 0
        while copied := copy_range(reading, writing, at, _CHUNK_BYTES):
            os.fdatasync(writing)
            at += copied
        os.ftruncate(writing, os.fstat(reading).st_size)
        os.fsync(writing)
    finally:
        os.close(reading)
        os.close(writing)


def require_whole(file: Path, size_bytes: int) -> None:
    """Raise StoreDamaged if a store's file is shorter than its pages: the map would end in a bus error."""
    if file.stat().st_size < size_bytes:
        raise StoreDamaged(
            f"{file} is cut short: {file.stat().st_size} of {size_bytes} bytes; move it away to rebuild it"
        )
