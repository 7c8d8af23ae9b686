"""Snapshots: what was written is read, and no other bytes are."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_cluster.errors import JournalDamaged
from strongroom_cluster.fsm import StateMachine
from strongroom_cluster.journal import FileJournal
from strongroom_cluster.raft import installation
from strongroom_cluster.raft.installation import FileSnapshots, MemorySnapshots, RaftFileJournal, finish_installation
from strongroom_cluster.raft.snapshot import Parser, SnapshotInvalid, StreamReader, stream
from strongroom_cluster.recovery import Folder
from strongroom_storage.backends.inmem import InmemBackend
from strongroom_storage.backends.lmdb import LMDBBackend

RECORDS = [(b"key%05d" % number, bytes([number % 251 + 1]) * (number % 300 + 1)) for number in range(3000)]


def parse(data: bytes, step: int) -> tuple[Parser, list[tuple[bytes, bytes]]]:
    parser = Parser()
    records = []
    for at in range(0, len(data), step):
        records += parser.take(data[at : at + step])
    return parser, records


@pytest.mark.parametrize("step", [1, 7, 100_000, 10_000_000])
def test_a_stream_is_read_in_pieces_of_any_size(step: int) -> None:
    records = RECORDS[:40] if step == 1 else RECORDS
    parser, found = parse(b"".join(stream(iter(records), 7, 3)), step)
    assert found == records
    assert (parser.is_whole, parser.index, parser.term) == (True, 7, 3)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_flipped_bit_is_found(at: int, mask: int) -> None:
    data = bytearray(b"".join(stream(iter(RECORDS[:60]), 7, 3)))
    data[at % len(data)] ^= mask
    try:
        parser, _ = parse(bytes(data), 100)
    except SnapshotInvalid:
        return
    assert not parser.is_whole or (at % len(data)) in range(12, 28)


def test_the_head_is_under_the_hash() -> None:
    data = bytearray(b"".join(stream(iter(RECORDS[:60]), 7, 3)))
    data[19] ^= 1
    with pytest.raises(SnapshotInvalid, match="hash"):
        parse(bytes(data), 100)


@pytest.mark.parametrize("data", [b"\x00" * 40, b"STRGSNAP" + b"\x00" * 40])
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(SnapshotInvalid):
        parse(data, 10)


def test_a_stream_that_is_cut_short_is_not_whole() -> None:
    data = b"".join(stream(iter(RECORDS[:60]), 7, 3))
    assert not any(parse(data[:end], 50)[0].is_whole for end in range(0, len(data), 37))
    with pytest.raises(SnapshotInvalid, match="follows"):
        parse(data + b"x", 1_000_000)


def test_a_reader_can_go_back() -> None:
    backend = InmemBackend()
    backend.apply(RECORDS)
    reader = StreamReader(backend.moment(), 7, 3, 2000)
    whole = b"".join(stream(iter(RECORDS), 7, 3))
    backend.apply([(b"key00000", b"changed")])
    at, is_last = 0, False
    while not is_last:
        data, is_last = reader.read(at, 900)
        assert data == whole[at : at + 900]
        at += len(data)
    assert at == len(whole)
    assert reader.read(at - 1500, 900)[0] == whole[at - 1500 : at - 600]
    assert reader.read(10, 900)[0] == whole[10:910]
    assert reader.read(len(whole), 10) == (b"", True)
    reader.close()


def grow(machine: StateMachine, count: int, term: int = 2) -> None:
    for number in range(count):
        machine.advance(machine.applied_index + 1, term, [(b"k%d" % number, b"%d of term %d" % (number, term))])


class Crash(BaseException):
    pass


async def receive(source: StateMachine, backend: InmemBackend, snapshots: FileSnapshots, machine: StateMachine):
    reader = MemorySnapshots(backend, source).open_reader()
    writer = snapshots.open_writer(reader.index, reader.term, machine.reload)
    is_last = False
    while not is_last:
        data, is_last = reader.read(writer.offset, 100)
        writer.write(data)
    done: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()
    writer.finish(done.set_result)
    assert await done is None
    return writer


STEPS = ["never", "rename", "intent", "replace", "reset", "unlink"]


@pytest.mark.parametrize("step", STEPS)
async def test_a_crash_at_any_step_of_an_installation_leaves_one_store_or_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    memory = InmemBackend()
    source = StateMachine(memory)
    grow(source, 50)
    folder = Folder(tmp_path)
    folder.prepare()
    intent = tmp_path / "installing"
    backend = LMDBBackend(folder.live)
    machine = StateMachine(backend)
    journal = RaftFileJournal(folder.journal, intent, trusted_index=0, rewrite=False)
    for index in range(1, 11):
        journal.append(index, 1, b"\x01old")
        machine.advance(index, 1, [(b"old%d" % index, b"x")])
    journal.sync()
    folder.mark(is_clean=False)
    snapshots = FileSnapshots(folder, backend, machine)
    writer = await receive(source, memory, snapshots, machine)

    def crash(*_arguments: object, **_keywords: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        if step == "rename":
            patch.setattr(Path, "rename", crash)
        elif step == "intent":
            patch.setattr(installation, "replace_file", crash)
        elif step == "replace":
            patch.setattr(LMDBBackend, "replace", crash)
        elif step == "reset":
            patch.setattr(FileJournal, "reset", crash)
        elif step == "unlink":

            def reset(self: RaftFileJournal, index: int) -> None:
                FileJournal.reset(self, index)
                raise Crash

            patch.setattr(RaftFileJournal, "reset", reset)
        try:
            writer.install()
            journal.reset(writer.index)
        except Crash:
            assert step != "never"
    snapshots.close()
    journal.close()
    backend.close()
    folder.unlock()

    folder = Folder(tmp_path)
    finish_installation(folder)
    folder.prepare()
    backend = LMDBBackend(folder.live)
    machine = StateMachine(backend)
    journal = RaftFileJournal(folder.journal, intent, trusted_index=0, rewrite=True)
    assert not intent.exists()
    if step in {"rename", "intent"}:
        assert (machine.applied_index, journal.last_index) == (10, 10)
        assert backend.get(b"old5") == b"x"
    else:
        assert (machine.applied_index, machine.applied_term, journal.last_index) == (50, 2, 50)
        assert backend.get(b"k49") == b"49 of term 2"
        assert backend.get(b"old5") is None
        journal.append(51, 3, b"\x01")
        journal.sync()
    journal.close()
    backend.close()
    folder.unlock()


def test_an_intent_without_its_checkpoint_refuses_to_start(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for content in (b'{"index": 5}', b"x", b"[]"):
        (tmp_path / "installing").write_bytes(content)
        with pytest.raises(JournalDamaged):
            finish_installation(folder)
    folder.unlock()


async def test_a_damaged_snapshot_is_not_installed(tmp_path: Path) -> None:
    memory = InmemBackend()
    source = StateMachine(memory)
    grow(source, 20)
    data = bytearray(b"".join(stream(memory.moment().items(), 20, 2)))
    data[100] ^= 1
    folder = Folder(tmp_path)
    folder.prepare()
    backend = LMDBBackend(folder.live)
    machine = StateMachine(backend)
    snapshots = FileSnapshots(folder, backend, machine)
    writers = [snapshots.open_writer(20, 2, machine.reload), MemorySnapshots(memory, source).open_writer(20, 2, bool)]
    for writer in writers:
        writer.write(bytes(data))
        done: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()
        writer.finish(done.set_result)
        assert isinstance(await done, SnapshotInvalid)
        writer.close()
    snapshots.close()
    assert not (tmp_path / "new-snapshot").exists()
    backend.close()
    folder.unlock()
