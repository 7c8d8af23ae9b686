"""Real nodes: files, journals and mutual TLS, in one process."""

import asyncio
import contextlib

import pytest

from strongroom_cluster.errors import ProposalRefused
from strongroom_cluster.port import Leadership

ROOT_KEY = bytes(range(32))


async def fill(store, count, start=0, size=10):
    barrier = store.barrier
    if not barrier.is_initialized:
        await barrier.initialize(ROOT_KEY)
    if barrier.is_sealed:
        barrier.unseal(ROOT_KEY)
    view = barrier.view("logical/x/")

    async def one(number):
        with view.transaction() as tx:
            tx.put(f"k{number}", bytes([number % 256]) * size)
        return await tx.commit()

    return await asyncio.gather(*(one(number) for number in range(start, start + count)))


def read(store, number):
    if store.barrier.is_sealed:
        store.barrier.unseal(ROOT_KEY)
    return store.barrier.view("logical/x/").get(f"k{number}")


async def started(cluster, until):
    for name in list(cluster.addresses):
        await cluster.start(name)
    return await cluster.leader()


async def test_writes_are_applied_everywhere_and_survive_the_leader(cluster, until):
    leader = await started(cluster, until)
    await fill(leader, 200)
    name = next(key for key, store in cluster.stores.items() if store is leader)
    for store in cluster.stores.values():
        index = await store.log.read_index()
        assert store.log.applied_index >= index
        assert read(store, 199) is not None
    await cluster.kill(name)
    leader = await cluster.leader()
    await fill(leader, 50, start=200)
    back = await cluster.start(name)
    await until(lambda: back.applied_index == leader.applied_index)
    assert all(read(back, number) for number in range(250))


async def test_a_standby_takes_no_writes_and_a_node_alone_answers_nothing(cluster, until):
    leader = await started(cluster, until)
    standby = next(store for store in cluster.stores.values() if store is not leader)
    with pytest.raises(ProposalRefused):
        await standby.log.propose(b"x")
    names = list(cluster.stores)
    survivor = names[0]
    for name in names[1:]:
        await cluster.kill(name)
    await until(lambda: cluster.stores[survivor].log.state is Leadership.STANDBY)
    reading = asyncio.ensure_future(cluster.stores[survivor].log.read_index())
    done, _ = await asyncio.wait([reading], timeout=0.3)
    assert not done
    reading.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await reading


async def test_closing_the_leader_hands_over(cluster, until):
    leader = await started(cluster, until)
    await fill(leader, 3)
    name = next(key for key, store in cluster.stores.items() if store is leader)
    term = leader.log.core.term
    await cluster.stores.pop(name).close()
    successor = await cluster.leader()
    assert successor.log.core.term == term + 1
    assert await fill(successor, 3, start=10)


async def test_a_learner_catches_up_by_snapshot_and_votes(cluster, until, monkeypatch):
    from strongroom_cluster.raft import journal

    monkeypatch.setattr(journal, "TRAILING_BYTES", 1 << 16)
    leader = await started(cluster, until)
    for start in range(0, 300, 10):
        await fill(leader, 10, start=start, size=4000)
    assert leader.log.core.journal.base_index > 5
    new = await cluster.start("n9", bootstrap=False)
    await leader.log.change_members(lambda members: members.with_learner("n9", cluster.addresses["n9"]))
    await until(lambda: leader.log.is_caught_up("n9"))
    assert read(new, 299) is not None
    assert new.log.core.journal.base_index > 5
    assert not new.log.core.is_voter
    await leader.log.change_members(lambda members: members.with_voter("n9"))
    await until(lambda: new.log.core.is_voter)
    assert new.barrier.get_plain("core/seal-config") is None
    await cluster.stores.pop("n9").close()
    again = await cluster.start("n9", bootstrap=False)
    await until(lambda: again.applied_index >= leader.applied_index)
    assert again.log.core.is_voter
    assert read(again, 0) is not None
    await leader.log.change_members(lambda members: members.without("n9"))
    assert "n9" not in leader.log.members
    assert not cluster.failures
