"""The file that tells others this process's number."""

import os
from pathlib import Path


class PidFile:
    """Written on `write`, removed on `remove` if it still holds this process's number."""

    def __init__(self, path: str) -> None:
        """An empty path is no file."""
        self._path = Path(path) if path else None

    def write(self) -> None:
        """Write the number. Raises OSError."""
        if self._path is not None:
            self._path.write_text(f"{os.getpid()}\n")
            self._path.chmod(0o644)

    def remove(self) -> None:
        """Take the file away, unless another process has written its own."""
        try:
            if self._path is not None and self._path.read_text().strip() == str(os.getpid()):
                self._path.unlink()
        except OSError:
            return
