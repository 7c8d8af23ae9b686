"""How often refused connections are logged: strangers must not be able to fill the log. Pure."""

from dataclasses import dataclass
from typing import Final

LOGGED_MAX: Final = 10
WINDOW_SECONDS: Final = 10.0


@dataclass(slots=True)
class Refusals:
    """Counts refusals; at most ten are logged in ten seconds."""

    count: int = 0
    _began: float = float("-inf")
    _logged: int = 0

    def note(self, now: float) -> bool:
        """Count one; whether to log it."""
        self.count += 1
        if now - self._began >= WINDOW_SECONDS:
            self._began = now
            self._logged = 0
        self._logged += 1
        return self._logged <= LOGGED_MAX
