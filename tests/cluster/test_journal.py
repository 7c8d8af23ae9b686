"""The journal comes back from every interrupted write, and refuses every damage."""

import os
import struct
from collections.abc import Callable
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom_cluster import record
from strongroom_cluster.errors import JournalDamaged
from strongroom_cluster.journal import HEAD_BYTES, FileJournal, MemoryJournal

SMALL = 4096
DATA = [b"first", b"\x00" * 40, b"x" * 600, bytes(range(64)), b"\x00last\x00"]


def write(folder: Path, data: list[bytes], *, synced_each: bool = True, segment_bytes: int = SMALL) -> FileJournal:
    journal = FileJournal(folder, segment_bytes=segment_bytes)
    for index, item in enumerate(data, journal.last_index + 1):
        journal.append(index, 1, item)
        if synced_each:
            journal.sync()
    journal.sync()
    return journal


def read(folder: Path, after: int = 0) -> list[bytes]:
    journal = FileJournal(folder, segment_bytes=SMALL)
    entries = list(journal.replay(after))
    assert [entry.index for entry in entries] == list(range(after + 1, journal.last_index + 1))
    journal.close()
    return [entry.data for entry in entries]


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.log"))


def used(path: Path) -> int:
    return len(path.read_bytes().rstrip(b"\x00"))


@settings(max_examples=30)
@given(st.lists(st.binary(min_size=1, max_size=3000), max_size=12), st.booleans(), st.integers(0, 12))
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, data: list[bytes], synced_each: bool, after: int) -> None:
    folder = tmp_path_factory.mktemp("journal")
    write(folder, data, synced_each=synced_each).close()
    assert read(folder) == data
    assert read(folder, min(after, len(data))) == data[after:]
    write(folder, [b"more"]).close()
    assert read(folder) == [*data, b"more"]


def test_every_truncation_leaves_what_is_whole(tmp_path: Path) -> None:
    write(tmp_path, DATA).close()
    path = segments(tmp_path)[0]
    whole = path.read_bytes()
    ends = [HEAD_BYTES]
    for item in DATA:
        ends.append(ends[-1] + record.OVERHEAD_BYTES + len(item))
    for size in range(HEAD_BYTES, used(path) + 1):
        for fill in (b"", bytes(SMALL - size)):  # the file ends there, or was never written beyond
            for other in segments(tmp_path)[1:]:
                other.unlink()
            left = whole[:size] + fill
            path.write_bytes(left)
            # A missing end mark alone does not make a record bad, nor do zeros that were zeros.
            kept = sum(left[HEAD_BYTES : end - 1] == whole[HEAD_BYTES : end - 1] for end in ends[1:])
            assert read(tmp_path) == DATA[:kept]
            assert used(path) <= ends[kept]
            if size % 8 == 0:
                write(tmp_path, [b"next"]).close()
                assert read(tmp_path) == [*DATA[:kept], b"next"]


def flips(path: Path, start: int, stop: int, change: Callable[[int], int]) -> list[int]:
    """Offsets where a changed byte was neither refused nor harmless."""
    whole = path.read_bytes()
    wrong = []
    for at in range(start, stop):
        changed = bytearray(whole)
        changed[at] = change(changed[at])
        path.write_bytes(changed)
        try:
            is_right = read(path.parent) == DATA
        except JournalDamaged as error:
            is_right = str(path) in str(error) and "offset" in str(error)
        if not is_right:
            wrong.append(at)
    path.write_bytes(whole)
    return wrong


@pytest.mark.parametrize("mask", [0x01, 0x80, 0xFF])
def test_every_flipped_byte_is_refused_or_harmless(tmp_path: Path, mask: int) -> None:
    """In the last record too: nothing that was acknowledged is taken for an interrupted write."""
    write(tmp_path, DATA).close()
    path = segments(tmp_path)[0]
    assert flips(path, 0, used(path), lambda byte: byte ^ mask) == []


def test_zeroed_sectors_in_the_middle_are_refused(tmp_path: Path) -> None:
    write(tmp_path, [os.urandom(700) for _ in range(5)]).close()
    path = segments(tmp_path)[0]
    whole = path.read_bytes()
    for sector in range(512, used(path) - 1300, 512):
        path.write_bytes(whole[:sector] + bytes(512) + whole[sector + 512 :])
        with pytest.raises(JournalDamaged, match=r"offset \d+, index \d+"):
            FileJournal(tmp_path, segment_bytes=SMALL)


def test_a_sync_that_lost_any_of_its_sectors_is_cut_off(tmp_path: Path) -> None:
    """Records of one sync reach the disk in any order; none was acknowledged, so none may stop the start."""
    write(tmp_path, [b"kept"]).close()
    journal = FileJournal(tmp_path, segment_bytes=SMALL)
    start = used(segments(tmp_path)[0])
    for index in range(2, 6):
        journal.append(index, 1, os.urandom(400))
    journal.sync()
    journal.close()
    path = segments(tmp_path)[0]
    whole = path.read_bytes()
    sectors = range(start - start % 512, used(path), 512)
    for lost in range(1, 1 << len(sectors)):
        torn = bytearray(whole)
        for number, sector in enumerate(sectors):
            if lost >> number & 1:
                begin = max(sector, start)
                torn[begin : sector + 512] = bytes(sector + 512 - begin)
        path.write_bytes(torn)
        data = read(tmp_path)
        assert data[0] == b"kept"
        assert len(data) < 5
        assert read(tmp_path) == data


@pytest.mark.parametrize("hole", [1, 28, 512, 700])
def test_no_zeroed_hole_loses_a_durable_record(tmp_path: Path, hole: int) -> None:
    """Whatever is zeroed, what a later sync has seen durable is there, or the node does not start."""
    journal = FileJournal(tmp_path, segment_bytes=SMALL)
    data = [os.urandom(size) for size in (90, 200, 300, 90, 200, 300, 90, 90)]
    for index, item in enumerate(data, 1):
        journal.append(index, 1, item)
        if index in {3, 6, 8}:
            journal.sync()
    journal.close()
    path = segments(tmp_path)[0]
    whole = path.read_bytes()
    witness = used(path) - record.OVERHEAD_BYTES - len(data[-1])
    for at in range(HEAD_BYTES, witness - hole, 13):
        path.write_bytes(whole[:at] + bytes(hole) + whole[at + hole :])
        try:
            found = read(tmp_path)
        except JournalDamaged:
            continue
        assert found[:6] == data[:6]


def test_a_segment_in_the_middle_is_checked(tmp_path: Path) -> None:
    write(tmp_path, [os.urandom(1500) for _ in range(6)]).close()
    first, second, *_ = segments(tmp_path)
    whole = second.read_bytes()
    for damaged in (whole[: HEAD_BYTES + 50], whole[:-1] + b"\x01", b"", bytes(len(whole)), b"STRG" + whole):
        second.write_bytes(damaged)
        if damaged == whole[:-1] + b"\x01" and used(second) == len(whole):
            continue
        with pytest.raises(JournalDamaged, match=second.name):
            FileJournal(tmp_path, segment_bytes=SMALL)
    second.unlink()
    with pytest.raises(JournalDamaged, match="begins with index"):
        FileJournal(tmp_path, segment_bytes=SMALL)
    first.rename(second)
    with pytest.raises(JournalDamaged, match="head"):
        FileJournal(tmp_path, segment_bytes=SMALL)


def test_trusted_segments_are_checked_when_replayed(tmp_path: Path) -> None:
    data = [os.urandom(1500) for _ in range(6)]
    write(tmp_path, data).close()
    first = segments(tmp_path)[0]
    changed = bytearray(first.read_bytes())
    changed[HEAD_BYTES + 100] ^= 1
    first.write_bytes(changed)
    journal = FileJournal(tmp_path, trusted_index=4, segment_bytes=SMALL)
    assert [entry.data for entry in journal.replay(4)] == data[4:]
    with pytest.raises(JournalDamaged, match="index 1"):
        list(journal.replay(0))
    journal.close()


def test_rewriting_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, DATA).close()
    syncs: list[int] = []
    journal = FileJournal(tmp_path, rewrite=True, segment_bytes=SMALL, sync=syncs.append)
    assert [entry.data for entry in journal.replay(0)] == DATA
    assert len(syncs) == 1
    journal.close()


def test_segments_are_forgotten_whole_and_in_order(tmp_path: Path) -> None:
    journal = write(tmp_path, [b"x" * 1500] * 9)
    firsts = [int(path.stem) for path in segments(tmp_path)]
    assert journal.forget_before(firsts[1] - 1) == []
    for path in journal.forget_before(firsts[2] + 1):
        path.unlink()
    assert journal.first_index == firsts[2]
    assert len(journal.forget_before(10**9)) == len(firsts) - 3
    journal.append(10, 1, b"next")
    journal.sync()
    assert journal.last_index == 10
    journal.close()


def test_large_entries_get_a_segment_of_their_own(tmp_path: Path) -> None:
    data = [b"a", b"x" * 3 * SMALL, b"b"]
    write(tmp_path, data).close()
    assert read(tmp_path) == data


def test_drafts_and_strangers(tmp_path: Path) -> None:
    write(tmp_path, [b"a"]).close()
    (tmp_path / "00000000000000000002.new").write_bytes(b"a segment that was being made")
    assert read(tmp_path) == [b"a"]
    assert not list(tmp_path.glob("*.new"))
    (tmp_path / "notes.log").write_bytes(b"")
    with pytest.raises(JournalDamaged, match=r"notes\.log"):
        FileJournal(tmp_path)


def test_order_is_kept(tmp_path: Path) -> None:
    journal = write(tmp_path, [b"a"])
    for index in (0, 1, 3):
        with pytest.raises(ValueError, match="does not follow"):
            journal.append(index, 1, b"x")
    journal.close()


def test_one_sync_for_what_waits(tmp_path: Path) -> None:
    syncs: list[int] = []
    journal = FileJournal(tmp_path, sync=syncs.append)
    for index in range(1, 20):
        journal.append(index, 1, b"x")
    journal.sync()
    journal.sync()
    assert len(syncs) == 1
    journal.close()


@given(st.binary(max_size=400), st.integers(0, 10))
def test_searching_any_bytes_ends(junk: bytes, index: int) -> None:
    state, _ = record.judge(junk, 0)
    assert state in record.State
    record.find_witness(junk + record.encode(index + 2, 1, 0, b"d"), 0, index)


def test_a_record_is_found_wherever_it_begins() -> None:
    junk = b"\x00\x00\x00\x00\x00\x07" * 9
    good = record.encode(300, 2, 299, b"data")
    header = record.Header(4, 300, 2, 299, crc32(b"data"))
    assert record.find_witness(junk + good, 0, 7) == (len(junk), header)
    assert record.find_witness(junk + good, 0, 300) is None


def test_a_header_cannot_ask_for_much() -> None:
    fields = struct.pack(">IQQQI", 0xFFFFFFFF, 1, 1, 0, 0)
    assert record.decode_header(fields + struct.pack(">I", crc32(fields)), 0) is None


def test_memory_journal_counts() -> None:
    journal = MemoryJournal()
    journal.append(1, 1, b"x")
    journal.sync()
    assert (journal.first_index, journal.last_index, list(journal.replay(0))) == (1, 1, [])
    journal.close()
