"""The one-node log: order, slow disks, failures."""

import asyncio
import os
import threading
from pathlib import Path

import pytest

from strongroom_cluster import local
from strongroom_cluster.command import encode_write
from strongroom_cluster.errors import ProposalRefused, ProposalUnknown
from strongroom_cluster.fsm import StateMachine
from strongroom_cluster.journal import FileJournal, MemoryJournal
from strongroom_cluster.local import LocalLog
from strongroom_cluster.port import Leadership, OrderedLog
from strongroom_storage.backends.inmem import InmemBackend


def put(key: bytes, value: bytes = b"\x00v") -> bytes:
    return encode_write([(key, value)])


class GatedJournal(MemoryJournal):
    """A journal whose syncs wait for the test."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.syncs = 0
        self.error: OSError | None = None

    def sync(self) -> None:
        assert self.gate.wait(10)
        self.syncs += 1
        if self.error is not None:
            raise self.error


def made(journal: MemoryJournal | FileJournal) -> tuple[LocalLog, list[BaseException]]:
    failures: list[BaseException] = []
    return LocalLog(journal, StateMachine(InmemBackend()), failures.append), failures


async def test_proposals_are_applied_in_order(tmp_path: Path) -> None:
    log, _ = made(FileJournal(tmp_path))
    port: OrderedLog = log
    states: list[Leadership] = []
    port.watch(states.append)
    with pytest.raises(ProposalRefused):
        await port.propose(put(b"early"))
    with pytest.raises(ProposalRefused):
        await port.read_index()
    await port.start()
    assert await asyncio.gather(*(port.propose(put(b"%d" % n)) for n in range(5))) == [1, 2, 3, 4, 5]
    assert await port.read_index() == port.applied_index == 5
    await port.close()
    await port.close()
    assert states == [Leadership.STANDBY, Leadership.ACTIVE, Leadership.STANDBY]
    again, _ = made(FileJournal(tmp_path))
    await again.start()
    assert again.applied_index == 5
    assert await again.propose(put(b"next")) == 6
    await again.close()


async def test_a_slow_disk_does_not_stop_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    journal = GatedJournal()
    log, failures = made(journal)
    monkeypatch.setattr(local, "_SLOW_SYNCS_MAX", -1)
    await log.start()
    first = log.propose(put(b"1"))
    others = [log.propose(put(b"%d" % n)) for n in range(2, 9)]
    await asyncio.sleep(0)
    assert not first.done()
    journal.gate.set()
    assert await asyncio.gather(first, *others) == list(range(1, 9))
    assert journal.syncs == 2  # the first alone, then all that waited for it
    await log.close()
    assert failures == []


async def test_slow_syncs_move_to_a_thread_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    log, _ = made(MemoryJournal())
    seconds = [0.002] * 5 + [0.0001] * 300
    threads = []

    def timed(_work: object) -> float:
        threads.append(threading.current_thread() is not threading.main_thread())
        return seconds.pop(0)

    monkeypatch.setattr(local, "_timed", timed)
    await log.start()
    for number in range(300):
        await log.propose(put(b"%d" % number))
    assert threads[:3] == [False] * 3
    assert threads[3] is True
    assert threads[-1] is False
    await log.close()


async def test_close_waits_for_what_is_in_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    journal = GatedJournal()
    log, _ = made(journal)
    monkeypatch.setattr(local, "_SLOW_SYNCS_MAX", -1)
    await log.start()
    waiting = log.propose(put(b"1"))
    asyncio.get_running_loop().call_soon(journal.gate.set)
    await log.close()
    assert waiting.result() == 1


@pytest.mark.parametrize("is_threaded", [False, True])
async def test_a_failed_sync_is_final(monkeypatch: pytest.MonkeyPatch, is_threaded: bool) -> None:
    journal = GatedJournal()
    journal.error = OSError(5, "Input/output error")
    log, failures = made(journal)
    states: list[Leadership] = []
    log.watch(states.append)
    if is_threaded:
        monkeypatch.setattr(local, "_SLOW_SYNCS_MAX", -1)
    else:
        journal.gate.set()
    await log.start()
    first = log.propose(put(b"1"))
    second = log.propose(put(b"2"))
    journal.gate.set()
    with pytest.raises(ProposalUnknown):
        await first
    with pytest.raises(ProposalRefused):
        await second
    with pytest.raises(ProposalRefused):
        await log.propose(put(b"3"))
    assert failures == [journal.error]
    assert states[-1] is Leadership.FAILED
    assert log.applied_index == 0
    assert journal.syncs == 1
    await log.close()


async def test_a_failed_apply_is_final() -> None:
    log, failures = made(MemoryJournal())
    await log.start()
    assert await log.propose(put(b"1")) == 1
    with pytest.raises(ProposalUnknown):
        await log.propose(b"nonsense")
    assert len(failures) == 1
    assert not log.is_active
    assert log.applied_index == 1


async def test_listeners_hear_of_applies() -> None:
    log, _ = made(MemoryJournal())
    heard: list[int] = []
    log.after_apply(heard.append)
    await log.start()
    await log.propose(put(b"1"))
    await log.propose(put(b"2"))
    assert heard == [1, 2]


async def test_a_full_disk_refuses_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = FileJournal(tmp_path, segment_bytes=4096)
    log, failures = made(journal)
    await log.start()
    assert await log.propose(put(b"1", bytes(1000))) == 1

    def full(_file: int, _offset: int, _size: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "posix_fallocate", full)
        with pytest.raises(ProposalRefused, match="no space"):
            await log.propose(put(b"2", bytes(4000)))
        assert await log.propose(put(b"3", bytes(1000))) == 2
    assert log.is_active
    assert await log.propose(put(b"4", bytes(4000))) == 3
    assert not failures
    await log.close()
    journal.close()
    again, _ = made(FileJournal(tmp_path))
    await again.start()
    assert again.applied_index == 3
    assert not list(tmp_path.glob("*.new"))
