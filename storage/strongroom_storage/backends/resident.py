"""Keeps the part of a memory map that counts as resident small.

Reading a mapped store makes its pages count as this process's memory, 64 KiB around each touched page, until a store
of any size is "resident". Letting go of the mapping costs nothing but a minor fault for what is read again: the pages
stay in the kernel's cache, which gives them up under pressure as it likes.
"""

import ctypes
import os
from pathlib import Path
from typing import Final

_MADV_DONTNEED: Final = 4
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_STATM: Final = Path("/proc/self/statm")
_MAPS: Final = Path("/proc/self/maps")

# With 70 MB of interpreter, libraries and caches this keeps a process below 250 MB.
RESIDENT_BYTES_MAX: Final = 144 << 20


class ResidentLimit:
    """Watches one shared, read-only mapping of a file. Harmless where the kernel does not tell."""

    def __init__(self, file: Path, resident_bytes_max: int = RESIDENT_BYTES_MAX) -> None:
        self._file = file
        self._resident_bytes_max = resident_bytes_max
        self._madvise = ctypes.CDLL(None, use_errno=True).madvise
        self._madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)

    def enforce(self) -> bool:
        """Let the mapping go if file pages take more than the limit; costs microseconds otherwise."""
        try:
            pages = int(_STATM.read_bytes().split()[2])
        except (OSError, ValueError, IndexError):
            return False
        if pages * _PAGE_BYTES <= self._resident_bytes_max:
            return False
        mapping = find_mapping(self._file)
        return mapping is not None and self._madvise(mapping[0], mapping[1], _MADV_DONTNEED) == 0


def find_mapping(file: Path) -> tuple[int, int] | None:
    """Address and length of the read-only, shared mapping of a file in this process, or None.

    Only such a mapping may be let go: a private or writable one could hold what the file does not.
    """
    try:
        status = file.stat()
        lines = _MAPS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}"
    for line in lines:
        span, rights, _, on, inode, *_ = line.split(maxsplit=5)
        if rights == "r--s" and inode == str(status.st_ino) and on == device:
            start, end = (int(part, 16) for part in span.split("-"))
            return start, end - start
    return None
