"""The log file, and when a new one begins."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

FILE_MODE: Final = 0o600
_DEFAULT_NAME: Final = "vault.log"
_NANOSECONDS: Final = 1_000_000_000


def log_path(configured: str) -> Path:
    """Where to write: a folder (it ends with a slash) gets `vault.log`, a name without extension `.log`."""
    path = Path(configured) / _DEFAULT_NAME if configured.endswith("/") else Path(configured)
    return path if path.suffix else path.with_name(path.name + ".log")


class LogFile:
    """Appends lines. Begins a new file after `bytes_max` bytes or `seconds_max` seconds, 0 meaning never.

    An old file gets the time of its end, in nanoseconds, into its name. `files_max` of them are kept: 0 means all,
    a negative number none. `now` gives Unix seconds.
    """

    def __init__(
        self, path: Path, bytes_max: int, seconds_max: float, files_max: int, now: Callable[[], float]
    ) -> None:
        """Opens the file. Raises OSError."""
        self.path = path
        self._bytes_max, self._seconds_max, self._files_max = bytes_max, seconds_max, files_max
        self._now = now
        self._file = -1
        self._size = 0
        self._began = 0.0
        self.lines_lost = 0
        """Lines that could not be written: the disk was full, or the folder is gone."""
        self._open()

    def write(self, line: str) -> None:
        """Append a line. Never raises: a node does not stop because it cannot log."""
        data = line.encode(errors="backslashreplace")
        try:
            if self._is_full(len(data)):
                self._rotate()
            if self._file < 0:
                self._open()
            self._size += os.write(self._file, data)
        except OSError:
            self.lines_lost += 1

    def reopen(self) -> None:
        """Open the path again: somebody else may have moved the file away."""
        self.close()
        try:
            self._open()
        except OSError:
            self.lines_lost += 1

    def close(self) -> None:
        """Release the file. Idempotent."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(self.path, flags, FILE_MODE)
        self._size = os.fstat(self._file).st_size
        self._began = self._now()

    def _is_full(self, more: int) -> bool:
        if 0 < self._bytes_max < self._size + more and self._size:
            return True
        return self._seconds_max > 0 and self._size > 0 and self._now() - self._began >= self._seconds_max

    def _rotate(self) -> None:
        self.close()
        stamp = int(self._now() * _NANOSECONDS)
        self.path.rename(self.path.with_name(f"{self.path.stem}-{stamp}{self.path.suffix}"))
        self._open()
        self._forget_old()

    def _forget_old(self) -> None:
        if self._files_max == 0:
            return
        prefix = f"{self.path.stem}-"
        old = [
            (int(digits), found)
            for found in self.path.parent.iterdir()
            if found.suffix == self.path.suffix
            and found.stem.startswith(prefix)
            and (digits := found.stem.removeprefix(prefix)).isdecimal()
        ]
        kept = max(self._files_max, 0)
        for _, found in sorted(old, reverse=True)[kept:]:
            found.unlink(missing_ok=True)
