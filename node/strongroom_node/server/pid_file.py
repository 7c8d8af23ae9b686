"""The file that tells others this process's number."""

import errno
import os
import stat
from pathlib import Path
from typing import Final

_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""Nothing is cut before it is known what was opened; the folder may be one that others write to."""


class PidFile:
    """Written on `write`, removed on `remove` if it still holds this process's number."""

    def __init__(self, path: str) -> None:
        """An empty path is no file."""
        self._path = Path(path) if path else None

    def write(self) -> None:
        """Write the number. Raises OSError: also for a link, a pipe or a file with a second name."""
        if self._path is None:
            return
        with os.fdopen(os.open(self._path, _FLAGS, 0o600), "w") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
                raise OSError(errno.EINVAL, "the pid file is no plain file", str(self._path))
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            os.fchmod(file.fileno(), 0o644)

    def remove(self) -> None:
        """Take the file away, unless another process has written its own."""
        try:
            if self._path is not None and self._path.read_text().strip() == str(os.getpid()):
                self._path.unlink()
        except OSError:
            return
