"""How a message of a leader fits a follower's log."""

from hypothesis import given
from hypothesis import strategies as st
from sim.disk import SimDisk

from strongroom_cluster.raft.follower import match
from strongroom_cluster.raft.journal import RaftJournal
from strongroom_cluster.raft.messages import Append

LOG = [1, 1, 2, 2, 2]  # terms of entries 1 to 5


def journal(terms: list[int], commit: int = 0) -> RaftJournal:
    disk = SimDisk(lambda _where: None)
    made = RaftJournal(disk, disk)
    for index, term in enumerate(terms, 1):
        made.add(b"\x00x", index, term)
    made.setRaftCommitIndex(commit)
    return made


def append(previous: int, previous_term: int, terms: list[int]) -> Append:
    entries = tuple((b"\x00x", previous + step, term) for step, term in enumerate(terms, 1))
    return Append(9, 0, previous, previous_term, entries, 1)


def test_what_matches_is_kept_whatever_follows_it() -> None:
    verdict = match(journal(LOG), append(1, 1, [1, 2]))
    assert (verdict.verified, verdict.entries, verdict.truncates) == (3, (), False)
    verdict = match(journal(LOG), append(2, 1, [2, 2, 2, 3]))
    assert (verdict.verified, [entry[1] for entry in verdict.entries], verdict.truncates) == (6, [6], False)


def test_a_conflict_truncates() -> None:
    verdict = match(journal(LOG), append(2, 1, [2, 3]))
    assert (verdict.verified, verdict.previous_index, [entry[1] for entry in verdict.entries]) == (4, 3, [4])
    assert verdict.truncates


def test_a_gap_or_another_past_is_refused_with_where_to_go_on() -> None:
    assert match(journal(LOG), append(9, 2, [2]))[:2] == (None, 6)
    assert match(journal(LOG), append(5, 3, [3]))[:2] == (None, 3)
    assert match(journal(LOG, commit=4), append(5, 3, [3]))[:2] == (None, 5)


def test_what_lies_below_a_snapshot_is_known() -> None:
    log = journal(LOG, commit=5)
    log.deleteEntriesTo(3)
    assert match(log, append(0, 0, [1, 1, 2])).verified == 3
    verdict = match(log, append(1, 1, [1, 2, 2, 2, 3]))
    assert (verdict.verified, [entry[1] for entry in verdict.entries]) == (6, [6])


@given(
    st.lists(st.integers(1, 3), max_size=6),
    st.lists(st.integers(1, 3), max_size=6),
    st.integers(0, 6),
    st.integers(0, 6),
)
def test_afterwards_the_log_equals_the_leader_s_up_to_what_is_verified(own, leaders, start, count) -> None:
    own, leaders = sorted(own), sorted(leaders)
    start = min(start, len(leaders))
    log = journal(own)
    terms = leaders[start : start + count]
    verdict = match(log, append(start, leaders[start - 1] if start else 0, terms))
    if verdict.verified is None:
        return
    if verdict.truncates:
        log.deleteEntriesFrom(verdict.previous_index + 1 - log.base_index)
    for data, index, term in verdict.entries:
        log.add(data, index, term)
    assert verdict.verified == start + len(terms)
    found = [log.term_at(index) for index in range(start + 1, verdict.verified + 1)]
    assert found == terms
