"""One validated set of timings for the whole cluster layer. Pure."""

from dataclasses import dataclass, replace
from typing import Final

# Vault's own range for `performance_multiplier`; 0 is its word for the default.
MULTIPLIER_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class Timings:
    """All in seconds. The defaults give a failover of about 0.4 s on one machine or in one building.

    Raises ValueError for a set under which elections could not succeed or leaders could not stay.
    """

    election_seconds_min: float = 0.3
    election_seconds_max: float = 0.6
    heartbeat_seconds: float = 0.05
    # A leader that no majority answered for so long steps down. Not above the election minimum, so that a leader
    # which is cut off has stopped before another one can be elected in most cases.
    quorum_seconds_max: float = 0.3
    tick_seconds: float = 0.02
    connect_seconds_max: float = 1.0
    reconnect_seconds: float = 0.1
    # A proposal whose fate is not known by then is reported as unknown.
    commit_seconds_max: float = 10.0
    read_seconds_max: float = 5.0
    transfer_seconds_max: float = 2.0

    def __post_init__(self) -> None:
        """Refuse what could not work."""
        if not 0 < self.tick_seconds <= self.heartbeat_seconds:
            raise ValueError("the tick must be positive and not above the heartbeat")
        if not self.heartbeat_seconds * 3 < self.election_seconds_min < self.election_seconds_max:
            raise ValueError(
                "an election timeout must be more than three heartbeats, and its maximum above its minimum"
            )
        if not self.heartbeat_seconds * 2 < self.quorum_seconds_max <= self.election_seconds_min:
            raise ValueError("the quorum timeout must be between two heartbeats and the election minimum")
        waits = (self.connect_seconds_max, self.reconnect_seconds, self.transfer_seconds_max)
        if min(waits) <= 0 or min(self.commit_seconds_max, self.read_seconds_max) < self.election_seconds_max:
            raise ValueError("waits must be positive, and clients must wait for one election at least")

    def scaled(self, multiplier: int) -> "Timings":
        """The set for slow networks: what Vault's `performance_multiplier` asks for; 0 means the default, 1.

        Raises ValueError outside 0 to 10.
        """
        if not 0 <= multiplier <= MULTIPLIER_MAX:
            raise ValueError(f"performance_multiplier must be between 0 and {MULTIPLIER_MAX}")
        factor = multiplier or 1
        return replace(
            self,
            election_seconds_min=self.election_seconds_min * factor,
            election_seconds_max=self.election_seconds_max * factor,
            heartbeat_seconds=self.heartbeat_seconds * factor,
            quorum_seconds_max=self.quorum_seconds_max * factor,
            transfer_seconds_max=self.transfer_seconds_max * factor,
        )
