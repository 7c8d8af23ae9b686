"""Group commit over a log whose answers the test gives."""

import asyncio

import pytest

from strongroom_cluster import group
from strongroom_cluster.command import decode_write
from strongroom_cluster.errors import ProposalRefused, ProposalUnknown
from strongroom_cluster.group import GroupCommit
from strongroom_storage.errors import CommitUnknown, LogBusy, LogFailed, NotActive


class SlowLog:
    """Takes proposals and settles them when told to."""

    def __init__(self) -> None:
        self.is_active = True
        self.proposals: list[tuple[bytes, asyncio.Future[int]]] = []

    def propose(self, command: bytes) -> asyncio.Future[int]:
        acknowledged = asyncio.get_running_loop().create_future()
        self.proposals.append((command, acknowledged))
        return acknowledged


def keys(command: bytes) -> list[bytes]:
    return decode_write(command)[::2]


async def turn() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_what_waits_travels_together_in_order() -> None:
    log = SlowLog()
    commit = GroupCommit(log)
    first = commit.submit([(b"1", b"v")])
    await turn()
    others = [commit.submit([(b"%d" % n, b"v"), (b"%d-" % n, None)]) for n in range(2, 5)]
    await turn()
    assert [keys(command) for command, _ in log.proposals] == [[b"1"]]
    log.proposals[0][1].set_result(7)
    await turn()
    assert keys(log.proposals[1][0]) == [b"2", b"2-", b"3", b"3-", b"4", b"4-"]
    assert first.result() == 7
    assert not any(other.is_settled for other in others)
    log.proposals[1][1].set_result(8)
    await turn()
    assert [other.result() for other in others] == [8, 8, 8]
    await commit.drain()


async def test_batches_are_bounded() -> None:
    log = SlowLog()
    commit = GroupCommit(log, outstanding_max=2)
    for number in range(300):
        commit.submit([(b"k%d" % number, b"v")])
    for _ in range(3):
        commit.submit([(b"big", bytes(300 << 10))])
    commit.submit([(b"huge", bytes(2 << 20))])
    sizes = []
    for number in range(5):
        await turn()
        assert len(log.proposals) <= number + 2
        command, acknowledged = log.proposals[number]
        sizes.append(len(keys(command)))
        acknowledged.set_result(number)
    assert sizes == [256, 45, 1, 1, 1]
    await asyncio.wait_for(commit.drain(), 1)


@pytest.mark.parametrize("is_active", [True, False])
async def test_a_refusal_takes_what_is_queued_with_it(is_active: bool) -> None:
    """Later transactions may have read what the refused one would have written."""
    log = SlowLog()
    commit = GroupCommit(log)
    first = commit.submit([(b"1", b"v")])
    await turn()
    second = commit.submit([(b"2", b"v")])
    log.is_active = is_active
    log.proposals[0][1].set_exception(ProposalRefused("full, or not the leader any more"))
    await turn()
    for waiting in (first, second):
        with pytest.raises(LogBusy if is_active else NotActive):
            waiting.result()
    assert len(log.proposals) == 1
    third = commit.submit([(b"3", b"v")])
    await turn()
    log.proposals[1][1].set_result(1)
    await turn()
    assert third.result() == 1


async def test_an_unknown_outcome_is_said_and_final() -> None:
    log = SlowLog()
    commit = GroupCommit(log)
    first = commit.submit([(b"1", b"v")])
    await turn()
    second = commit.submit([(b"2", b"v")])
    log.proposals[0][1].set_exception(ProposalUnknown("disk gone"))
    await turn()
    with pytest.raises(CommitUnknown):
        first.result()
    with pytest.raises(NotActive):
        second.result()  # it was never proposed, and this node will write no more
    with pytest.raises(LogFailed):
        commit.admit()
    with pytest.raises(LogFailed):
        await commit.submit([(b"3", b"v")])
    assert not commit.is_active


async def test_admission(monkeypatch: pytest.MonkeyPatch) -> None:
    log = SlowLog()
    commit = GroupCommit(log)
    commit.admit()
    log.is_active = False
    with pytest.raises(NotActive):
        commit.admit()
    log.is_active = True
    monkeypatch.setattr(group, "QUEUE_WRITES_MAX", 2)
    waiting = [commit.submit([(b"k", b"v")]) for _ in range(2)]
    with pytest.raises(LogBusy):
        commit.admit()
    await turn()
    commit.admit()
    log.proposals[0][1].set_result(1)
    assert [await one for one in waiting]
    monkeypatch.setattr(group, "QUEUE_BYTES_MAX", 10)
    last = commit.submit([(b"k", bytes(20))])
    with pytest.raises(LogBusy):
        commit.admit()
    await turn()
    log.proposals[1][1].set_result(2)
    assert await last == 2
