"""Consensus of one node in a cluster whose clock, network and disks the test holds."""

import logging
import time
from collections.abc import Iterator

import msgpack
import pytest
import structlog
from sim.world import Plan, World

from strongroom_cluster.errors import ProposalRefused
from strongroom_cluster.raft import catchup, elections, log, machine, messages  # noqa: F401  -- driven by the world
from strongroom_cluster.raft import core as consensus  # noqa: F401
from strongroom_cluster.raft.journal import LogDiverged
from strongroom_cluster.raft.membership import ChangeRefused, Members
from strongroom_cluster.raft.syncobj import use_clock

NEVER = 1e9
COMMAND = msgpack.packb(("r", 1))


def calm(nodes: int = 3, **changed: object) -> World:
    quiet: dict[str, object] = {"nodes": nodes, "drop": 0, "duplicate": 0, "delay_mean": 0.002, "delay_long": 0}
    quiet |= {"sync_mean": 0.0005, "sync_slow": 0, "die_at_point": 0, "crash_every": NEVER, "partition_every": NEVER}
    quiet |= {"change_every": NEVER, "checkpoint_every": NEVER}
    return World(1, Plan(**{**quiet, **changed}))


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    logging.getLogger("pysyncobj").setLevel(logging.CRITICAL + 1)
    yield
    structlog.reset_defaults()
    use_clock(time.monotonic)


def leader(world: World, among: list[str] | None = None):
    names = among or list(world.nodes)
    settled = [world.nodes[name].core for name in names if world.nodes[name].core and world.nodes[name].core.is_settled]
    return max(settled, key=lambda core: core.term, default=None)


def elected(world: World, among: list[str] | None = None):
    assert world.run_for(5, lambda: leader(world, among) is not None)
    return leader(world, among)


def test_a_proposal_is_settled_when_it_is_applied_and_durable() -> None:
    world = calm()
    first = elected(world)
    fates: list[int | None] = []
    index = first.propose(COMMAND, fates.append)
    assert not fates
    world.run_for(0.2)
    assert fates == [index]
    assert all(node.machine.applied_index == index for node in world.nodes.values())
    follower = next(node.core for node in world.nodes.values() if node.core is not first)
    with pytest.raises(ProposalRefused):
        follower.propose(COMMAND, fates.append)


def test_a_node_alone_does_not_commit_before_its_own_sync() -> None:
    world = calm(1)
    only = elected(world)
    world.run_for(0.1)
    fates: list[int | None] = []
    index = only.propose(COMMAND, fates.append)
    for _ in range(5):
        only.pump()
    assert only.commit_index == index - 1
    world.run_for(0.1)
    assert fates == [index]


def test_an_apply_that_raises_stops_the_node() -> None:
    world = calm()
    first = elected(world)
    victim = next(node for node in world.nodes.values() if node.core is not first)

    def broken(*_arguments: object) -> None:
        raise ZeroDivisionError

    victim.machine.apply = broken
    first.propose(COMMAND, lambda _index: None)
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        world.run_for(0.5)
    assert isinstance(victim.core.failure, ZeroDivisionError)
    applied = victim.core.applied_index
    victim.core.pump()
    victim.core.synced()
    victim.core.receive("n0", messages.TimeoutNow(9))
    assert victim.core.applied_index == applied
    answers: list[int | None] = []
    victim.core.read(answers.append)
    assert answers == [None]


def test_a_leader_that_is_cut_off_steps_down_and_answers_no_read() -> None:
    world = calm()
    old = elected(world)
    world.run_for(0.5)
    term = old.term
    others = [name for name in world.nodes if name != old.name]
    world._cut = {(old.name, other) for other in others} | {(other, old.name) for other in others}
    answers: list[int | None] = []
    fates: list[int | None] = []
    old.read(answers.append)
    lost = old.propose(msgpack.packb(("r", 2)), fates.append)
    world.run_for(0.4)
    assert not old.is_leader
    new = elected(world, others)
    assert new.term == term + 1
    assert answers == [None]
    world.run_for(2)
    assert old.term == term  # it asks before it campaigns
    world._cut.clear()
    kept: list[int | None] = []
    new.propose(COMMAND, kept.append)
    world.run_for(1)
    assert leader(world) is new
    assert new.term == term + 1
    assert fates == [None]  # another entry took its place: it never happens
    assert kept[0] >= lost


def test_one_change_of_members_at_a_time_and_never_the_leader() -> None:
    world = calm()
    first = elected(world)
    done: list[int | None] = []
    names = sorted(first.members.voters)
    with pytest.raises(ProposalRefused, match="hand over"):
        first.change_members(first.members.without(first.name), done.append)
    with pytest.raises(ChangeRefused):
        first.change_members(Members({first.name: "h:1"}), done.append)
    other = next(name for name in names if name != first.name)
    index = first.change_members(first.members.without(other), done.append)
    with pytest.raises(ProposalRefused, match="another change"):
        first.change_members(first.members.with_learner("n9", "h:1"), done.append)
    world.run_for(0.5)
    assert done == [index]
    assert other not in first.progress
    removed = world.nodes[other].core
    world.run_for(2)
    assert leader(world) is first
    assert removed is not None
    assert removed.is_removed
    answers: list[int | None] = []
    removed.read(answers.append)
    assert answers == [None]


def test_a_removed_node_that_is_away_is_forgotten_in_time() -> None:
    world = calm()
    first = elected(world)
    away = next(name for name in world.nodes if name != first.name)
    world.nodes[away].crash(is_power_cut=False)
    first.change_members(first.members.without(away), lambda _index: None)
    world.run_for(1)
    assert away in first.progress
    world.run_for(10)
    assert away not in first.progress
    assert leader(world) is first


def test_a_node_that_comes_back_begins_at_nothing() -> None:
    """It may have lost its disk: what it acknowledged as a member before must not count."""
    world = calm()
    first = elected(world)
    world.run_for(0.2)
    away = next(name for name in world.nodes if name != first.name)
    world.nodes[away].crash(is_power_cut=False)
    first.change_members(first.members.without(away), lambda _index: None)
    world.run_for(0.5)
    assert first.progress[away].acked
    first.change_members(first.members.with_learner(away, "h:1"), lambda _index: None)
    assert first.progress[away].acked == 0
    assert first._SyncObj__raftMatchIndex[first.node(away)] == 0


def test_a_configuration_is_in_force_after_a_restart() -> None:
    world = calm()
    first = elected(world)
    first.change_members(first.members.with_learner("n9", "h:9"), lambda _index: None)
    world.run_for(0.3)
    node = world.nodes[first.name]
    node.crash(is_power_cut=True)
    node.start()
    assert "n9" in node.core.members.learners


def test_a_transfer_takes_less_than_an_election() -> None:
    world = calm()
    first = elected(world)
    world.run_for(0.3)
    target = next(name for name in world.nodes if name != first.name)
    began = world.clock
    assert first.transfer(target) == target
    with pytest.raises(ProposalRefused):
        first.propose(COMMAND, lambda _index: None)
    assert world.run_for(1, lambda: leader(world) is world.nodes[target].core)
    assert world.clock - began < 0.3
    with pytest.raises(ProposalRefused):
        first.transfer()


def test_nobody_is_unseated_by_a_vote_request() -> None:
    world = calm()
    first = elected(world)
    world.run_for(0.3)
    term = first.term
    other = next(name for name in world.nodes if name != first.name)
    for node in world.nodes.values():
        if node.name != other:
            node.core.receive(other, messages.VoteRequest(term + 5, 1 << 30, term, False))
    world.run_for(0.3)
    assert (leader(world), first.term) == (first, term)


def test_a_proposal_that_is_given_up_ends_the_term() -> None:
    world = calm(sync_mean=0.001)
    first = elected(world)
    fates: list[int | None] = []
    index = first.propose(COMMAND, fates.append)
    first.give_up(index)
    assert not first.is_leader
    again = elected(world)
    assert again.applied_index >= index
    assert not fates


def test_a_cluster_begins_once() -> None:
    world = calm()
    first = elected(world)
    with pytest.raises(ProposalRefused):
        first.bootstrap(Members({"x": "h:1"}))


def test_a_leader_never_overwrites_what_is_committed() -> None:
    world = calm()
    first = elected(world)
    world.run_for(0.3)
    node = next(node for node in world.nodes.values() if node.core is not first)
    index = node.core.commit_index
    conflict = messages.Append(99, index, index - 1, node.core.journal.term_at(index - 1), ((b"\x01", index, 99),), 1)
    node.core.receive(first.name, conflict)
    assert isinstance(node.core.failure, LogDiverged)
