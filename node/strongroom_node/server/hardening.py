"""What the kernel is asked for: keys out of core dumps and swap, files enough for storage beside connections."""

import contextlib
import ctypes
import os
import resource
from pathlib import Path
from typing import Final

_PR_SET_DUMPABLE: Final = 4
_MCL_CURRENT: Final = 1
_MCL_FUTURE: Final = 2
_MCL_ONFAULT: Final = 4
_CAP_IPC_LOCK: Final = 14

FILES_RESERVED: Final = 192
"""Descriptors for storage, logs, the cluster and libraries: without one a journal cannot go on, and the node ends."""

_CONNECTIONS_MIN: Final = 16


class MemoryLockRefused(OSError):
    """Memory could not be locked; the message says why."""


def forbid_dumps() -> None:
    """No core dumps, and no debugger or `/proc/PID/mem` for others of the same user."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _libc().prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def raise_file_limit() -> int:
    """Raise the soft limit of open files to the hard one; how many of them connections may take."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    if soft == resource.RLIM_INFINITY:
        return 1 << 20
    return max(soft - FILES_RESERVED, _CONNECTIONS_MIN)


def lock_memory() -> None:
    """Keep every page this process touches out of swap. Raises MemoryLockRefused.

    Under a limit it is not even tried: the lock would hold, and then a larger map of the store would fail.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if soft != resource.RLIM_INFINITY and not _has_capability(_CAP_IPC_LOCK):
        raise MemoryLockRefused("neither CAP_IPC_LOCK nor an unlimited RLIMIT_MEMLOCK")
    libc = _libc()
    if libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) != 0:
        raise MemoryLockRefused(os.strerror(ctypes.get_errno()))


def unlock_files(folder: Path) -> int:
    """Unlock what is mapped from files below a folder; how many maps. They hold ciphertext and may exceed memory."""
    prefix = f"{folder.resolve()}/"
    libc = _libc()
    count = 0
    for line in Path("/proc/self/maps").read_text(errors="replace").splitlines():
        parts = line.split(maxsplit=5)
        if len(parts) == 6 and parts[5].startswith(prefix):
            first, last = (int(part, 16) for part in parts[0].split("-"))
            count += libc.munlock(ctypes.c_void_p(first), ctypes.c_size_t(last - first)) == 0
    return count


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _has_capability(number: int) -> bool:
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return False
    for line in status.splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> number & 1)
    return False
