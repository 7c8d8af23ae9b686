"""A cluster in one process: real consensus, everything around it simulated, all of it from one seed.

Time, network, disks and crashes come from one random generator; the same seed gives the same run. Invariants are
checked while it runs, promises to clients when it is over.
"""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgpack
import structlog
from sim.disk import SimDisk, SimMachine
from sim.history import History, Operation, Violation

from strongroom_cluster.errors import ProposalRefused
from strongroom_cluster.raft import messages as wire
from strongroom_cluster.raft import syncobj
from strongroom_cluster.raft.core import Core, Corrections
from strongroom_cluster.raft.journal import RaftJournal
from strongroom_cluster.raft.membership import ChangeRefused, Members
from strongroom_cluster.raft.timeouts import Timings

TIMINGS = Timings(tick_seconds=0.025)


class Died(BaseException):
    """The process of a node ends here, in the middle of what it was doing. No handler of the core may see it."""


@dataclass(frozen=True)
class Plan:
    """How hostile a run is. All chances are per event of their kind."""

    nodes: int = 3
    seconds: float = 3.0
    drop: float = 0.02
    duplicate: float = 0.02
    delay_mean: float = 0.004
    delay_long: float = 0.03  # the share of messages that take up to `delay_seconds_max`
    delay_seconds_max: float = 2.0
    sync_mean: float = 0.002
    sync_slow: float = 0.03
    crash_every: float = 1.0  # mean seconds between crashes
    die_at_point: float = 0.0005  # chance to die at a point inside a step
    partition_every: float = 1.0
    change_every: float = 1.5
    transfers: float = 0.4  # the share of changes that are transfers of leadership
    write_every: float = 0.02
    read_every: float = 0.02
    registers: int = 2
    trailing: int = 1000
    checkpoint_every: float = 0.5
    corrections: Corrections = field(default_factory=Corrections)


def plan_for(seed: int) -> Plan:
    """A mixture, so that every seed is hostile in another way."""
    rng = random.Random(seed ^ 0x5EED)
    calm = rng.random() < 0.15
    return Plan(
        nodes=rng.choice([3, 3, 3, 5, 2, 1, 4]),
        seconds=rng.uniform(1.5, 3.0),
        drop=0 if calm else rng.choice([0, 0.01, 0.05, 0.2]),
        duplicate=rng.choice([0, 0.02, 0.1]),
        delay_mean=rng.choice([0.0005, 0.004, 0.03]),
        delay_long=rng.choice([0, 0.02, 0.1]),
        sync_mean=rng.choice([0.0005, 0.003, 0.02]),
        sync_slow=rng.choice([0, 0.05, 0.2]),
        crash_every=rng.choice([0.3, 0.7, 2.0]),
        die_at_point=rng.choice([0, 0.0005, 0.003]),
        partition_every=rng.choice([0.3, 0.8, 3.0]),
        change_every=rng.choice([0.3, 1.0, 5.0]),
        trailing=rng.choice([5, 20, 1000]),
        checkpoint_every=rng.choice([0.2, 0.6]),
    )


# Leaders change often and come back, while answers of their last time in office are still on the way.
RETURNING_LEADERS = Plan(
    nodes=5,
    seconds=6.0,
    drop=0,
    duplicate=0,
    delay_mean=0.002,
    delay_long=0.25,
    delay_seconds_max=3.0,
    sync_mean=0.0005,
    sync_slow=0,
    crash_every=1000,
    die_at_point=0,
    partition_every=0.4,
    change_every=0.15,
    write_every=0.01,
    read_every=0.5,
    transfers=1.0,
)


class SimNode:
    """Drives one core, as the asyncio driver does in a real node."""

    def __init__(self, world: "World", name: str) -> None:
        self.world = world
        self.name = name
        self.disk = SimDisk(self.crash_point)
        self.machine = SimMachine(self._applied)
        self.machine.disk = self.disk
        self.machine.finish_later = lambda work: self.later(world.rng.uniform(0, 0.02), work)
        self.core: Core | None = None
        self.life = 0
        self._is_woken = False
        self._work: Any = None
        self.committed = 0
        self.waiting: dict[int, Any] = {}

    def crash_point(self, _where: str) -> None:
        if self.core is not None and self.world.rng.random() < self.world.plan.die_at_point and self.world.is_hostile:
            raise Died

    def start(self, bootstrap: Members | None = None) -> None:
        self.life += 1
        self._is_woken = False
        self._work = None
        if self.disk.intent:
            self.disk.reset(self.disk.intent)
        journal = RaftJournal(
            self.disk,
            self.disk,
            (self.machine.applied_index, self.machine.applied_term),
            trailing_entries=self.world.plan.trailing,
        )
        self.committed = journal.commit_index
        self.core = Core(
            self.name,
            journal,
            self.machine,
            self,
            TIMINGS,
            self.world.rng.random,
            self.wake,
            corrections=self.world.plan.corrections,
        )
        if bootstrap is not None:
            self.core.bootstrap(bootstrap)
        for other in self.world.nodes.values():
            if other is not self and other.core is not None and self.world.is_linked(self.name, other.name):
                self.core.connected(other.name)
                other.guard(lambda other=other: other.core.connected(self.name))
        self.guard(self._tick)

    def crash(self, *, is_power_cut: bool) -> None:
        self.life += 1
        core, self.core = self.core, None
        if core is None:
            return
        self.world.log(f"{self.name} dies{' without power' if is_power_cut else ''}")
        if self._work is not None:
            self.disk.lose(self._work.steps, self.world.rng.randrange(len(self._work.steps) + 1))
        if is_power_cut:
            self.machine.restore(self.machine.checkpoint)
        for other in self.world.nodes.values():
            if other.core is not None:
                other.guard(lambda other=other: other.core.disconnected(self.name))
        self.world.check_promises()

    def guard(self, step: Callable[[], Any]) -> None:
        """Run a step of this node; it may die in it."""
        if self.core is None:
            return
        try:
            step()
        except Died:
            self.crash(is_power_cut=self.world.rng.random() < 0.5)
            self.revive_later(self.world.rng.uniform(0.01, 0.8))
            return
        core = self.core
        if core is not None and core.failure is not None:
            raise Violation(f"{self.name} stopped: {core.failure!r}") from core.failure

    def later(self, seconds: float, step: Callable[[], Any]) -> None:
        """Run a step of this life of the node, if it lasts so long."""
        life = self.life
        self.world.at(seconds, lambda: self.guard(step) if life == self.life else None)

    def revive_later(self, seconds: float) -> None:
        """Start again, unless that happens otherwise before."""
        life = self.life
        self.world.at(seconds, lambda: self.start() if life == self.life and self.core is None else None)

    def wake(self) -> None:
        if not self._is_woken and self.core is not None:
            self._is_woken = True
            self.later(self.world.rng.uniform(0, 0.0002), self._pump)

    def _tick(self) -> None:
        self._pump()
        self.later(TIMINGS.tick_seconds, self._tick)

    def _pump(self) -> None:
        self._is_woken = False
        core = self.core
        if core is None:
            return
        core.pump()
        if core.is_leader:
            self.world.note_leader(core.term, self.name)
        self._note_commit()
        if core.journal.is_dirty and self._work is None:
            self._work = core.journal.take()
            plan, rng = self.world.plan, self.world.rng
            slow = rng.random() < plan.sync_slow and self.world.is_hostile
            self.later(rng.uniform(0.05, 0.8) if slow else rng.expovariate(1 / plan.sync_mean), self._synced)

    def _synced(self) -> None:
        core = self.core
        assert core is not None
        work, self._work = self._work, None
        has_truncated = any(isinstance(step, int) for step in work.steps)
        core.journal.write(work)
        core.synced()
        if has_truncated:
            self.world.check_promises()
        self._pump()

    def _note_commit(self) -> None:
        core = self.core
        if core is not None and core.commit_index > self.committed:
            self.committed = core.commit_index
            self.world.note_commit(self, core)

    def _applied(self, index: int, term: int, data: bytes) -> None:
        # Before anything is sent or dies: only the leader knows which configuration it counted by.
        self._note_commit()
        self.world.note_applied(self.name, index, term, data)

    # The network of the core

    def send(self, peer: str, message: wire.Message) -> None:
        self.crash_point("send")
        self.world.post(self.name, peer, message)

    def set_peers(self, addresses: dict[str, str]) -> None:
        pass


class World:
    """All of it. `run` plays the plan and raises Violation if anything is wrong."""

    def __init__(self, seed: int, plan: Plan | None = None) -> None:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50), cache_logger_on_first_use=False)
        self.seed = seed
        self.plan = plan if plan is not None else plan_for(seed)
        self.rng = random.Random(seed)
        self.clock = 1000.0
        self.is_hostile = True
        self.history = History()
        self.trace: list[str] = []
        self.acknowledged: dict[int, tuple[str, int]] = {}
        self.counts = {"acknowledged": 0, "reads": 0, "terms": 0, "crashes": 0, "snapshots": 0, "changes": 0}
        self._events: list[tuple[float, int, Callable[[], Any]]] = []
        self._number = 0
        self._leaders: dict[int, str] = {}
        self._applied: dict[int, tuple[int, bytes]] = {}
        self._committed: tuple[int, int] = (0, 0)  # index, term
        self._configurations: list[Members] = [Members()]
        self._cut: set[frozenset[str] | tuple[str, str]] = set()
        self._value = 0
        syncobj.use_clock(lambda: self.clock)
        names = [f"n{number}" for number in range(self.plan.nodes)]
        self.nodes: dict[str, SimNode] = {}
        for name in names:
            self.nodes[name] = SimNode(self, name)
        self.first = Members({name: f"{name}:1" for name in names})
        for node in self.nodes.values():
            node.start(self.first)

    # Time

    def at(self, seconds: float, step: Callable[[], Any]) -> None:
        self._number += 1
        heapq.heappush(self._events, (self.clock + seconds, self._number, step))

    def run_for(self, seconds: float, until: Callable[[], bool] | None = None) -> bool:
        end = self.clock + seconds
        checked = self.clock
        while self._events and self._events[0][0] <= end:
            moment, _, step = heapq.heappop(self._events)
            self.clock = moment
            step()
            if until is not None and moment > checked + 0.05:
                checked = moment
                if until():
                    return True
        self.clock = end
        return until is not None and until()

    def log(self, line: str) -> None:
        self.trace.append(f"{self.clock - 1000:8.4f} {line}")

    # Network

    def is_linked(self, source: str, target: str) -> bool:
        return (source, target) not in self._cut

    def post(self, source: str, target: str, message: wire.Message) -> None:
        plan, rng = self.plan, self.rng
        if target not in self.nodes:
            return
        if self.is_hostile and (not self.is_linked(source, target) or rng.random() < plan.drop):
            return
        body = wire.encode(message)
        copies = 2 if self.is_hostile and rng.random() < plan.duplicate else 1
        for _ in range(copies):
            delay = rng.expovariate(1 / plan.delay_mean)
            if self.is_hostile and rng.random() < plan.delay_long:
                delay = rng.uniform(0, plan.delay_seconds_max)
            self.at(delay, lambda: self._deliver(source, target, body))

    def _deliver(self, source: str, target: str, body: bytes) -> None:
        node = self.nodes[target]
        if node.core is None or (self.is_hostile and not self.is_linked(source, target)):
            return
        message = wire.decode(body)
        if isinstance(message, wire.SnapshotPart) and message.is_last:
            self.counts["snapshots"] += 1
        node.guard(lambda: node.core is not None and node.core.receive(source, message))

    # What is known to all

    def note_leader(self, term: int, name: str) -> None:
        known = self._leaders.setdefault(term, name)
        if known != name:
            raise Violation(f"term {term} has two leaders: {known} and {name}")
        self.counts["terms"] = len(self._leaders)

    def note_commit(self, node: SimNode, core: Core) -> None:
        index, term = core.commit_index, core.journal.term_at(core.commit_index)
        if index > self._committed[0] and term is not None:
            self._committed = (index, term)
            if core.is_leader or core.members != self._configurations[-1]:
                self._configurations = [self._configurations[-1], core.members]
            self.check_promises()

    def note_applied(self, name: str, index: int, term: int, data: bytes) -> None:
        known = self._applied.setdefault(index, (term, data))
        if known != (term, data):
            raise Violation(f"{name} applies {(term, data)} at {index}, another node applied {known}")

    def check_promises(self) -> None:
        """The newest committed entry is on a majority's disks."""
        index, term = self._committed
        if not index or not self._configurations[-1].voters:
            return
        holders = [name for name, node in self.nodes.items() if self._holds(node, index, term)]
        # The leader's newest configuration decides; who learned of the commit first may still have the one before.
        for members in self._configurations:
            if len(set(holders) & set(members.voters)) > len(members.voters) // 2:
                return
        voters = [list(members.voters) for members in self._configurations]
        raise Violation(f"entry {index} of term {term} is committed, but only {holders} of {voters} have it")

    def _holds(self, node: SimNode, index: int, term: int) -> bool:
        at = node.disk.term_at(index)
        if at is not None:
            return at == term
        return bool(msgpack.unpackb(node.machine.checkpoint)[0] >= index or node.machine.applied_index >= index)

    # Clients

    def write(self) -> None:
        name = self.rng.choice(list(self.nodes))
        leaders = [node.name for node in self.nodes.values() if node.core is not None and node.core.is_leader]
        node = self.nodes[self.rng.choice(leaders) if leaders and self.rng.random() < 0.9 else name]
        self._value += 1
        value = self._value
        register = f"r{self.rng.randrange(self.plan.registers)}"
        operation = Operation(register, self.clock, where=node.name)

        def settled(index: int | None) -> None:
            if index is not None:
                operation.ended, operation.index = self.clock, index
                self.acknowledged[index] = (register, value)
                self.history.operations.append(operation)
                self.counts["acknowledged"] += 1

        def step() -> None:
            assert node.core is not None
            try:
                node.core.propose(msgpack.packb((register, value)), settled)
            except ProposalRefused:
                return

        node.guard(step)

    def read(self) -> None:
        node = self.nodes[self.rng.choice(list(self.nodes))]
        register = f"r{self.rng.randrange(self.plan.registers)}"
        operation = Operation(register, self.clock, is_write=False, where=node.name)

        def answer(index: int | None) -> None:
            if index is not None:
                if node.machine.applied_index < index:
                    raise Violation(
                        f"{node.name} answers a read at {index} and has applied {node.machine.applied_index}"
                    )
                operation.ended = self.clock
                operation.index = node.machine.registers.get(register, (0, 0))[1]
                self.history.operations.append(operation)
                self.counts["reads"] += 1

        node.guard(lambda: node.core is not None and node.core.read(answer))

    # Trouble

    def crash(self) -> None:
        rng = self.rng
        count = len(self.nodes) if rng.random() < 0.1 else 1
        is_power_cut = rng.random() < 0.5
        for node in rng.sample(list(self.nodes.values()), count):
            self.counts["crashes"] += 1
            node.crash(is_power_cut=is_power_cut)
            node.revive_later(rng.uniform(0.005, 1.0))

    def partition(self) -> None:
        rng = self.rng
        self._cut.clear()
        kind = rng.random()
        names = list(self.nodes)
        if kind < 0.5:
            rng.shuffle(names)
            side = set(names[: rng.randrange(1, len(names) + 1)])
            self._cut = {(a, b) for a in names for b in names if a != b and (a in side) != (b in side)}
        elif kind < 0.7:
            victim = rng.choice(names)
            self._cut = {(victim, other) for other in names if other != victim}  # deaf the other way round
        self.log(f"cut {sorted(self._cut)}")
        for node in self.nodes.values():
            for other in names:
                if other != node.name and node.core is not None and rng.random() < 0.7:
                    linked = self.is_linked(node.name, other) and self.nodes[other].core is not None
                    node.guard(lambda node=node, other=other, linked=linked: self._relink(node, other, linked))

    def _relink(self, node: SimNode, other: str, linked: bool) -> None:
        if node.core is not None:
            (node.core.connected if linked else node.core.disconnected)(other)

    def change(self) -> None:
        rng = self.rng
        leaders = [node for node in self.nodes.values() if node.core is not None and node.core.is_leader]
        if not leaders:
            return
        node = rng.choice(leaders)
        core = node.core
        assert core is not None
        name = rng.choice([f"n{number}" for number in range(self.plan.nodes + 1)])

        def step() -> None:
            members = core.members
            try:
                if rng.random() < self.plan.transfers:
                    core.transfer(rng.choice([None, name]))
                elif name in members.learners and rng.random() < 0.8:
                    core.change_members(members.with_voter(name), self._changed)
                elif name in members:
                    core.change_members(members.without(name), self._changed)
                else:
                    if name not in self.nodes:
                        self.nodes[name] = SimNode(self, name)
                        self.nodes[name].start()
                    core.change_members(members.with_learner(name, f"{name}:1"), self._changed)
            except (ProposalRefused, ChangeRefused):
                return

        node.guard(step)

    def _changed(self, index: int | None) -> None:
        if index is not None:
            self.counts["changes"] += 1

    def checkpoint(self) -> None:
        node = self.rng.choice(list(self.nodes.values()))
        if node.core is not None:
            node.machine.checkpoint = node.machine.image()
            if self.rng.random() < 0.7:
                node.disk.forget_before(max(1, node.machine.applied_index - self.plan.trailing // 2))

    def _every(self, mean: float, step: Callable[[], None]) -> None:
        def again() -> None:
            if self.is_hostile:
                step()
                self.at(self.rng.expovariate(1 / mean), again)

        self.at(self.rng.expovariate(1 / mean), again)

    # The run

    def run(self) -> None:
        plan = self.plan
        self._every(plan.crash_every, self.crash)
        self._every(plan.partition_every, self.partition)
        self._every(plan.change_every, self.change)
        self._every(plan.checkpoint_every, self.checkpoint)
        self._every(plan.write_every, self.write)
        self._every(plan.read_every, self.read)
        self.run_for(plan.seconds)
        self.heal()
        self.check()

    def heal(self) -> None:
        """Everything works again: a leader must come, and all members must have all that is committed."""
        self.is_hostile = False
        self._cut.clear()
        for node in self.nodes.values():
            if node.core is None:
                node.life += 1
                node.start()
        for node in self.nodes.values():
            for other in self.nodes:
                if other != node.name and node.core is not None:
                    node.core.connected(other)
        if not self.run_for(20.0, self._is_calm):
            states = [self._state(node) for node in self.nodes.values()]
            raise Violation(f"no calm within 20 seconds: {states}")

    def _state(self, node: SimNode) -> Any:
        core = node.core
        assert core is not None
        return (
            node.name,
            core.term,
            core.leader,
            core.is_settled,
            core.applied_index,
            core.commit_index,
            core.journal.durable_index,
            core.journal.last_index,
            dict(core.members.voters).keys(),
        )

    def _is_calm(self) -> bool:
        settled = [node.core for node in self.nodes.values() if node.core is not None and node.core.is_settled]
        if len(settled) != 1:
            return False
        leader = settled[0]
        followers = [self.nodes[name].core for name in leader.members.addresses]
        return all(
            core is not None and core.applied_index == core.journal.durable_index == leader.journal.last_index
            for core in followers
        )

    def check(self) -> None:
        """Nothing acknowledged is missing, all logs and states agree, and clients saw one register."""
        leader = next(node for node in self.nodes.values() if node.core is not None and node.core.is_settled)
        assert leader.core is not None
        for index, (register, value) in self.acknowledged.items():
            data = self._applied.get(index)
            if (
                data is None
                or msgpack.unpackb(data[1][1:]) != [register, value]
                or index > leader.machine.applied_index
            ):
                raise Violation(f"the acknowledged write {value} at {index} is lost")
        for name in leader.core.members.addresses:
            if self.nodes[name].machine.image() != leader.machine.image():
                raise Violation(f"{name} and {leader.name} have applied the same and differ")
        self.history.check()
