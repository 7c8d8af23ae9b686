"""What the leader knows of one follower, and how much it may send it. Pure."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, Protocol

# What may be on the way to one follower. Enough for a fast network, and no more than a slow one should queue.
WINDOW_BYTES: Final = 8 << 20
WINDOW_MESSAGES: Final = 128

# One message of entries. Heartbeats must fit between messages of this size.
BATCH_BYTES: Final = 1 << 20
BATCH_ENTRIES: Final = 1024

SNAPSHOT_PART_BYTES: Final = 256 << 10
SNAPSHOT_WINDOW_BYTES: Final = 8 * SNAPSHOT_PART_BYTES

# Rounds without an answer after which parts on the way count as lost.
_SNAPSHOT_ROUNDS_MAX: Final = 6


class SnapshotReader(Protocol):
    """One moment of the state, as bytes."""

    index: int
    term: int

    def read(self, offset: int, size: int) -> tuple[bytes, bool]:
        """The bytes at an offset, at most `size`, and whether they are the last ones. Offsets mostly go up."""
        ...

    def close(self) -> None:
        """Let go of the moment."""
        ...


@dataclass(slots=True)
class Outgoing:
    """A snapshot on its way to a follower."""

    reader: SnapshotReader
    sent: int = 0
    confirmed: int = 0
    wanted: int = 0
    is_all_sent: bool = False
    idle_rounds: int = 0

    def acknowledge(self, offset: int) -> bool:
        """The follower wants what begins at `offset`; whether that is further than it ever said.

        If it is not, it lost something, or the answer is an old one: which, the rounds will tell. Sending again at
        once would answer every late message with a window of parts, and each part with another answer.
        """
        self.wanted = offset
        if not self.confirmed < offset <= self.sent:
            return False
        self.confirmed = offset
        self.idle_rounds = 0
        return True

    def note_round(self) -> None:
        """A heartbeat has passed; too many without an answer, and all from the offset last wanted goes again."""
        self.idle_rounds += 1
        if self.idle_rounds > _SNAPSHOT_ROUNDS_MAX:
            self.idle_rounds = 0
            self.sent = self.confirmed = min(self.wanted, self.sent)
            self.is_all_sent = False

    @property
    def may_send(self) -> bool:
        """Whether the window has room."""
        return not self.is_all_sent and self.sent - self.confirmed < SNAPSHOT_WINDOW_BYTES


@dataclass(slots=True)
class Progress:
    """One follower. `acked` is what it said is durable there in this term; `next_index` what to send next."""

    next_index: int
    acked: int = 0
    round: int = 0  # the newest one it answered
    probe_round: int = 0  # refusals of older rounds were seen to
    snapshot: Outgoing | None = None
    _sent: deque[tuple[int, int]] = field(default_factory=deque)  # last index and bytes of each message on the way
    _sent_bytes: int = 0

    @property
    def may_send(self) -> bool:
        """Whether entries may be sent now."""
        return self._sent_bytes < WINDOW_BYTES and len(self._sent) < WINDOW_MESSAGES

    def sent(self, last_index: int, size: int) -> None:
        """Take note of a message of entries."""
        self._sent.append((last_index, size))
        self._sent_bytes += size
        self.next_index = last_index + 1

    def accept(self, next_index: int) -> None:
        """The follower has everything below `next_index`. Never lowers what was sent: it is still on its way."""
        self.acked = max(self.acked, next_index - 1)
        self.next_index = max(self.next_index, next_index)
        while self._sent and self._sent[0][0] <= self.acked:
            self._sent_bytes -= self._sent.popleft()[1]

    def refuse(self, next_index: int, asked_round: int, present_round: int) -> bool:
        """The follower lacks what comes before. True if that is news, and sending starts again at `next_index`.

        Refusals of messages that were sent before the last restart are old, and what is acknowledged is never asked
        for again: both are answers that came late.
        """
        if asked_round < self.probe_round or next_index >= self.next_index or self.next_index <= self.acked + 1:
            return False
        self.restart(max(next_index, self.acked + 1))
        self.probe_round = present_round + 1
        return True

    def restart(self, next_index: int) -> None:
        """What was on the way is lost."""
        self.next_index = next_index
        self._sent.clear()
        self._sent_bytes = 0

    def end_snapshot(self) -> None:
        """Let go of the snapshot, if one was being sent."""
        if self.snapshot is not None:
            self.snapshot.reader.close()
            self.snapshot = None
