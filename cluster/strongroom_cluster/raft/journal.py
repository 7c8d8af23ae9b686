"""The log as the consensus core sees it: a list in memory, over a journal that is written and synced behind it.

Appending never waits. The driver takes what is not written (`take`), writes and syncs it, on a thread if the disk is
slow (`write`), and reports it (`written`); until then `durable_index` stays behind, and nothing may be acknowledged.
The names in camel case are the interface that pysyncobj calls.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol, overload

from strongroom_cluster.errors import ClusterError
from strongroom_cluster.journal import Entry
from strongroom_cluster.raft.ballot import Ballot
from strongroom_cluster.raft.membership import Members, decode_members
from strongroom_cluster.raft.messages import KIND_MEMBERS, KIND_NOTHING, LogEntry

# What stays in memory for followers that are a little behind; those further behind get a snapshot. 10,000 entries is
# Vault's default for `trailing_logs`.
TRAILING_ENTRIES: Final = 10_000
TRAILING_BYTES: Final = 64 << 20


class LogDiverged(ClusterError):
    """Consensus asked for something that would lose what was committed. The node must stop."""


class Storage(Protocol):
    """The durable log below. Its methods never run beside each other, but may run on another thread."""

    @property
    def first_index(self) -> int:
        """Index of the oldest entry held, or of the next one if there is none."""
        ...

    @property
    def last_index(self) -> int:
        """Index of the newest entry, or the one before the next."""
        ...

    def append(self, index: int, term: int, data: bytes) -> None:
        """Queue an entry for the next sync."""
        ...

    def truncate_after(self, index: int) -> None:
        """Forget all entries above `index`, durably."""
        ...

    def reset(self, index: int) -> None:
        """Forget everything; the next entry is `index` + 1."""
        ...

    def sync(self) -> None:
        """Make everything appended durable."""
        ...

    def replay(self, after: int) -> Iterator[Entry]:
        """The entries above `after`, in order."""
        ...

    def close(self) -> None:
        """Release the files."""
        ...


class Write(NamedTuple):
    """Work for the disk: entries to append, or the index above which to forget, in order."""

    steps: list[LogEntry | int]
    last_index: int


class RaftJournal:
    """The log of one node. `base` is (index, term) of what the state machine holds already."""

    def __init__(
        self,
        storage: Storage,
        ballot: Ballot,
        base: tuple[int, int] = (0, 0),
        *,
        trailing_entries: int = TRAILING_ENTRIES,
    ) -> None:
        self._storage = storage
        self._trailing_entries = trailing_entries
        self._ballot = ballot
        self._term, self._vote = ballot.load()
        self._entries: list[LogEntry] = []
        self._bytes = 0
        self._members: list[tuple[int, bytes]] = []
        self._steps: list[LogEntry | int] = []
        self._writing_last = -1
        self.commit_index = base[0]
        self._load(base)
        self.durable_index = self.last_index

    def _load(self, base: tuple[int, int]) -> None:
        """Read the trailing entries. Raises LogDiverged if the journal ends before the state machine."""
        index, term = base
        if self._storage.last_index < index:
            raise LogDiverged(f"the journal ends at {self._storage.last_index}, but {index} is applied")
        first = max(self._storage.first_index, index - self._trailing_entries)
        if first > index + 1:
            raise LogDiverged(f"the journal begins at {first}, but only {index} is applied")
        if first == 1 or first == index + 1:
            self._entries.append((bytes([KIND_NOTHING]), first - 1, 0 if first == 1 else term))
        for entry in self._storage.replay(first - 1):
            self._remember((entry.data, entry.index, entry.term))

    # What the core asks

    @property
    def base_index(self) -> int:
        """Index of the oldest entry in memory: later ones can be sent."""
        return self._entries[0][1]

    @property
    def last_index(self) -> int:
        """Index of the newest entry."""
        return self._entries[-1][1]

    @property
    def last_term(self) -> int:
        """Term of the newest entry."""
        return self._entries[-1][2]

    @property
    def is_dirty(self) -> bool:
        """Whether something waits for `take`."""
        return bool(self._steps)

    @property
    def is_writing(self) -> bool:
        """Whether something was taken and not reported."""
        return self._writing_last >= 0

    def term_at(self, index: int) -> int | None:
        """Term of an entry in memory, None if it is not there."""
        at = index - self._entries[0][1]
        return self._entries[at][2] if 0 <= at < len(self._entries) else None

    def entry_at(self, index: int) -> LogEntry:
        """An entry in memory."""
        return self._entries[index - self._entries[0][1]]

    def entries_from(self, index: int, bytes_max: int, entries_max: int) -> tuple[LogEntry, ...]:
        """The entries from `index` on: one at least if there is one, then as many as fit."""
        at = index - self._entries[0][1]
        found: list[LogEntry] = []
        size = 0
        for entry in self._entries[at : at + entries_max]:
            size += len(entry[0])
            if found and size > bytes_max:
                break
            found.append(entry)
        return tuple(found)

    def newest_members(self) -> tuple[int, Members] | None:
        """The newest configuration in the log with its index; None if the log in memory has none."""
        if not self._members:
            return None
        index, data = self._members[-1]
        return index, decode_members(data)

    @property
    def members_index(self) -> int:
        """Index of the newest configuration in the log, 0 if there is none."""
        return self._members[-1][0] if self._members else 0

    def trim(self, applied_index: int) -> None:
        """Let go of memory for applied entries that no follower should need."""
        if len(self._entries) < 2 * self._trailing_entries and self._bytes < 2 * TRAILING_BYTES:
            return
        at, size = 0, self._bytes
        end = applied_index - self._entries[0][1]
        while at < end and (len(self._entries) - at > self._trailing_entries or size > TRAILING_BYTES):
            size -= len(self._entries[at][0])
            at += 1
        self.deleteEntriesTo(at)

    def restart_at(self, index: int, term: int) -> None:
        """Begin anew behind a snapshot that is durable. Only while nothing is being written."""
        if self.is_writing:
            raise LogDiverged("the journal cannot begin anew while it is written")
        self._steps.clear()
        self._storage.reset(index)
        self._entries = [(bytes([KIND_NOTHING]), index, term)]
        self._bytes = 0
        self._members.clear()
        self.commit_index = self.durable_index = index

    # Writing

    def take(self) -> Write:
        """What is not written yet. `written` must follow before the next one."""
        steps, self._steps = self._steps, []
        self._writing_last = self.last_index
        return Write(steps, self.last_index)

    def write(self, work: Write) -> None:
        """Carry it out and sync. May run on another thread. After an OSError the journal must not be used any more."""
        storage = self._storage
        for step in work.steps:
            if isinstance(step, int):
                storage.sync()
                storage.truncate_after(step)
            else:
                storage.append(step[1], step[2], step[0])
        storage.sync()

    def written(self) -> None:
        """Take note that what was taken is durable, except what has been truncated meanwhile."""
        self.durable_index = max(self.durable_index, self._writing_last)
        self._writing_last = -1

    def _remember(self, entry: LogEntry) -> None:
        self._entries.append(entry)
        self._bytes += len(entry[0])
        if entry[0][0] == KIND_MEMBERS:
            self._members.append((entry[1], entry[0][1:]))

    # What pysyncobj asks

    def add(self, command: bytes, idx: int, term: int) -> None:
        """Append an entry."""
        if idx != self.last_index + 1:
            raise LogDiverged(f"entry {idx} does not follow {self.last_index}")
        entry = (command, idx, term)
        self._remember(entry)
        self._steps.append(entry)

    def deleteEntriesFrom(self, entryFrom: int) -> None:  # noqa: N802, N803  -- pysyncobj's name
        """Truncate at a position. Raises LogDiverged at or below the commit index: that would lose what is promised."""
        index = self._entries[entryFrom][1]
        if index <= self.commit_index or entryFrom == 0:
            raise LogDiverged(f"a leader overwrites entry {index}, but all up to {self.commit_index} is committed")
        self._bytes -= sum(len(entry[0]) for entry in self._entries[entryFrom:])
        del self._entries[entryFrom:]
        while self._members and self._members[-1][0] >= index:
            self._members.pop()
        self.durable_index = min(self.durable_index, index - 1)
        self._writing_last = min(self._writing_last, index - 1) if self._writing_last >= 0 else -1
        while self._steps and not isinstance(self._steps[-1], int) and self._steps[-1][1] >= index:
            self._steps.pop()
        self._steps.append(index - 1)

    def deleteEntriesTo(self, entryTo: int) -> None:  # noqa: N802, N803  -- pysyncobj's name
        """Let go of the oldest entries in memory; the files are the checkpointer's business."""
        self._bytes -= sum(len(entry[0]) for entry in self._entries[:entryTo])
        del self._entries[:entryTo]
        keep = [pair for pair in self._members if pair[0] <= self.commit_index][-1:]
        self._members = keep + [pair for pair in self._members if pair[0] > self.commit_index]

    def clear(self) -> None:
        """Refuse: only a snapshot may replace the log, and it does so through `restart_at`."""
        raise LogDiverged("the log was to be cleared")

    @overload
    def __getitem__(self, item: int) -> LogEntry: ...

    @overload
    def __getitem__(self, item: slice) -> list[LogEntry]: ...

    def __getitem__(self, item: int | slice) -> LogEntry | list[LogEntry]:
        """Entries by their position in memory."""
        return self._entries[item]

    def __len__(self) -> int:
        """How many are in memory."""
        return len(self._entries)

    def setRaftCommitIndex(self, raftCommitIndex: int) -> None:  # noqa: N802, N803  -- pysyncobj's name
        """Remember it for the guard; it is not durable, as Raft does not need it to be."""
        self.commit_index = max(self.commit_index, raftCommitIndex)

    def getRaftCommitIndex(self) -> int:  # noqa: N802  -- pysyncobj's name
        """What the state machine has applied is committed; more is learned from the leader."""
        return self.commit_index

    def setCurrentTerm(self, term: int, votedForNodeId: str | None) -> None:  # noqa: N802, N803  -- pysyncobj's name
        """Make term and vote durable before anything that rests on them leaves the node."""
        if (term, votedForNodeId) != (self._term, self._vote):
            self._ballot.save(term, votedForNodeId)
            self._term, self._vote = term, votedForNodeId

    def getCurrentTerm(self) -> int:  # noqa: N802  -- pysyncobj's name
        """The newest term this node has seen."""
        return self._term

    def getVotedForNodeId(self) -> str | None:  # noqa: N802  -- pysyncobj's name
        """Whom this node voted for in that term."""
        return self._vote

    def onOneSecondTimer(self) -> None:  # noqa: N802  -- pysyncobj's name
        """Nothing is due."""

    def _destroy(self) -> None:
        self._storage.close()
