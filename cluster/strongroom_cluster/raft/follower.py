"""How an `Append` fits the log of a follower. Pure.

pysyncobj truncates whatever lies behind the previous entry, matching or not; a late message then removes entries that
were acknowledged. Here only a real conflict truncates (Raft paper, figure 2, AppendEntries, rules 3 and 4).
"""

from typing import NamedTuple

from strongroom_cluster.raft.journal import RaftJournal
from strongroom_cluster.raft.messages import Append, LogEntry


class Verdict(NamedTuple):
    """What to do with an `Append`.

    `verified` is the index up to which this log is now known to equal the leader's, None if it is not known at all;
    then `wanted` is what the leader should send from. `entries` are the new ones, behind the previous entry given.
    """

    verified: int | None
    wanted: int = 0
    previous_index: int = 0
    previous_term: int = 0
    entries: tuple[LogEntry, ...] = ()
    truncates: bool = False


def match(journal: RaftJournal, message: Append, *, truncates_conflicts_only: bool = True) -> Verdict:
    """Compare a message of a leader with the log."""
    previous, term, entries = message.previous_index, message.previous_term, message.entries
    base = journal.base_index
    if previous < base:
        # What lies below the base is committed and so equal; only what lies above can be new.
        covered = previous + len(entries)
        if covered <= base:
            return Verdict(verified=base)
        term = entries[base - previous - 1][2]
        entries = entries[base - previous :]
        previous = base
    if previous > journal.last_index:
        return Verdict(verified=None, wanted=journal.last_index + 1)
    if journal.term_at(previous) != term:
        return Verdict(verified=None, wanted=_first_of_term(journal, previous))
    if truncates_conflicts_only:
        known = 0
        while known < len(entries) and journal.term_at(entries[known][1]) == entries[known][2]:
            known += 1
        if known:
            previous, term, entries = entries[known - 1][1], entries[known - 1][2], entries[known:]
    verified = entries[-1][1] if entries else previous
    truncates = previous < journal.last_index and (bool(entries) or not truncates_conflicts_only)
    return Verdict(verified, 0, previous, term, entries, truncates)


def _first_of_term(journal: RaftJournal, index: int) -> int:
    """Where the entries of a conflicting term begin, so that the leader skips them in one step."""
    term = journal.term_at(index)
    while index > journal.commit_index + 1 and journal.term_at(index - 1) == term:
        index -= 1
    return max(index, journal.commit_index + 1)
