"""The log over real files: what is durable, what may be truncated, what a restart finds."""

import os
from pathlib import Path

import pytest

from strongroom_cluster.errors import JournalDamaged
from strongroom_cluster.journal import FileJournal
from strongroom_cluster.raft.ballot import FileBallot
from strongroom_cluster.raft.journal import LogDiverged, RaftJournal
from strongroom_cluster.raft.membership import Members, encode_members

SMALL = 4096


def opened(folder: Path, base: tuple[int, int] = (0, 0)) -> RaftJournal:
    return RaftJournal(FileJournal(folder / "journal", segment_bytes=SMALL), FileBallot(folder / "ballot"), base)


def sync(journal: RaftJournal) -> None:
    journal.write(journal.take())
    journal.written()


def content(journal: RaftJournal) -> list[tuple[int, int, bytes]]:
    return [(index, term, data) for data, index, term in journal[1:]]


def test_a_restart_finds_what_was_synced(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    for index in range(1, 30):
        journal.add(b"\x00" + bytes(500), index, 1 + index // 10)
    assert journal.durable_index == 0
    sync(journal)
    assert journal.durable_index == 29
    journal.add(b"\x00lost", 30, 3)
    before = content(journal)[:-1]
    journal._destroy()
    again = opened(tmp_path)
    assert content(again) == before
    assert (again.last_index, again.last_term, again.durable_index) == (29, 3, 29)


@pytest.mark.parametrize("cut", [1, 6, 7, 8, 13, 14, 20])
def test_truncation_reaches_the_files(tmp_path: Path, cut: int) -> None:
    journal = opened(tmp_path)
    for index in range(1, 21):
        journal.add(b"\x00" + bytes(600), index, 1)  # six or so fill a segment
    sync(journal)
    journal.deleteEntriesFrom(cut)
    assert journal.durable_index == cut - 1
    for index in range(cut, cut + 4):
        journal.add(b"\x00new", index, 2)
    sync(journal)
    assert journal.durable_index == cut + 3
    expected = content(journal)
    journal._destroy()
    assert content(opened(tmp_path)) == expected


def test_truncation_while_a_sync_is_running(tmp_path: Path) -> None:
    """What the disk was writing is truncated meanwhile: it must not count as durable when the sync returns."""
    journal = opened(tmp_path)
    for index in range(1, 6):
        journal.add(b"\x00old", index, 1)
    work = journal.take()
    journal.write(work)
    journal.deleteEntriesFrom(3)
    journal.add(b"\x00new", 3, 2)
    journal.written()
    assert journal.durable_index == 2
    sync(journal)
    assert journal.durable_index == 3
    expected = content(journal)
    journal._destroy()
    again = opened(tmp_path)
    assert content(again) == expected
    assert again.term_at(3) == 2


def test_nothing_committed_is_truncated(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    for index in range(1, 6):
        journal.add(b"\x00x", index, 1)
    journal.setRaftCommitIndex(3)
    with pytest.raises(LogDiverged, match="committed"):
        journal.deleteEntriesFrom(3)
    journal.deleteEntriesFrom(4)
    with pytest.raises(LogDiverged):
        journal.clear()
    with pytest.raises(LogDiverged, match="does not follow"):
        journal.add(b"\x00x", 9, 1)


def test_the_newest_configuration_follows_the_log(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    first, second = Members({"a": "h:1"}), Members({"a": "h:1", "b": "h:2"})
    journal.add(b"\x02" + encode_members(first), 1, 0)
    journal.add(b"\x02" + encode_members(second), 2, 1)
    assert journal.newest_members() == (2, second)
    sync(journal)
    journal._destroy()
    again = opened(tmp_path)
    assert again.newest_members() == (2, second)
    again.deleteEntriesFrom(2)
    assert again.newest_members() == (1, first)


def test_memory_is_trimmed_and_a_snapshot_begins_the_log_anew(tmp_path: Path) -> None:
    storage = FileJournal(tmp_path / "journal", segment_bytes=SMALL)
    journal = RaftJournal(storage, FileBallot(tmp_path / "ballot"), trailing_entries=5)
    for index in range(1, 21):
        journal.add(b"\x00x", index, 1)
    sync(journal)
    journal.setRaftCommitIndex(20)
    journal.trim(18)
    assert journal.base_index == 16
    assert journal.term_at(15) is None
    journal.restart_at(40, 3)
    assert (journal.base_index, journal.last_index, journal.last_term, journal.durable_index) == (40, 40, 3, 40)
    journal.add(b"\x00y", 41, 3)
    sync(journal)
    journal._destroy()
    again = opened(tmp_path, (40, 3))
    assert content(again) == [(41, 3, b"\x00y")]
    with pytest.raises(LogDiverged, match="begins at 41"):
        opened(tmp_path, (12, 1))
    with pytest.raises(LogDiverged, match="ends at 41"):
        opened(tmp_path, (50, 3))


def test_the_ballot_is_synced_before_it_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bool] = []
    fsync = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda handle: (synced.append(os.path.isdir(f"/proc/self/fd/{handle}")), fsync(handle))
    )
    journal = opened(tmp_path)
    synced.clear()
    journal.setCurrentTerm(4, "n2")
    assert synced == [False, True]
    journal.setCurrentTerm(4, "n2")
    assert len(synced) == 2
    assert opened(tmp_path).getCurrentTerm() == 4
    assert opened(tmp_path).getVotedForNodeId() == "n2"


def test_a_damaged_ballot_refuses_to_start(tmp_path: Path) -> None:
    opened(tmp_path).setCurrentTerm(4, "n2")
    path = tmp_path / "ballot"
    good = path.read_bytes()
    for at in range(len(good)):
        path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        with pytest.raises(JournalDamaged, match="vote twice"):
            opened(tmp_path)
        path.write_bytes(good[:at])
        with pytest.raises(JournalDamaged):
            opened(tmp_path)
