"""A leader comes back to office while answers of its last time there are still on the way.

The answers are about entries that were removed since. Counted in the new term they make a majority of entries that one
other node has: what pysyncobj does without terms in its acks.
"""

import msgpack
from sim.world import Plan, World

from strongroom_cluster.raft import messages as wire
from strongroom_cluster.raft.core import Corrections

CALM = 1e9


class ReturningLeader(World):
    """Five nodes, with delays from the seed; who leads and who is slow follows from them."""

    def __init__(self, seed: int, corrections: Corrections) -> None:
        plan = Plan(
            nodes=5, drop=0, duplicate=0, delay_mean=0.002, delay_long=0, sync_mean=0.0005, sync_slow=0,
            crash_every=CALM, die_at_point=0, partition_every=CALM, change_every=CALM, checkpoint_every=CALM,
            corrections=corrections,
        )  # fmt: skip
        super().__init__(seed, plan)
        self._held: list[wire.Message] = []
        self._slow: tuple[str, str] | None = None

    def post(self, source: str, target: str, message: wire.Message) -> None:
        if (source, target) == self._slow and isinstance(message, wire.Ack):
            self._held.append(message)
        else:
            super().post(source, target, message)

    def leads(self, name: str) -> bool:
        core = self.nodes[name].core
        return core is not None and core.is_settled

    def isolate(self, *names: str) -> None:
        others = set(self.nodes) - set(names)
        self._cut = {(a, b) for a in names for b in others} | {(b, a) for a in names for b in others}

    def propose(self, name: str, count: int) -> None:
        core = self.nodes[name].core
        assert core is not None
        for value in range(count):
            core.propose(msgpack.packb(("r", value)), lambda _index: None)

    def play(self) -> None:
        assert self.run_for(5, lambda: any(map(self.leads, self.nodes)))
        first = next(filter(self.leads, self.nodes))
        slow, second, *rest = [name for name in self.nodes if name != first]
        self.run_for(0.5)
        self.isolate(first, slow)
        self._slow = (slow, first)
        self.propose(first, 4)
        self.run_for(0.1)
        assert self.run_for(5, lambda: any(self.leads(name) for name in (second, *rest)))
        second = next(name for name in (second, *rest) if self.leads(name))
        held, self._held = self._held, []
        self._slow = None
        self._cut.clear()
        self.run_for(1.0)
        core = self.nodes[second].core
        assert core is not None
        core.transfer(first)
        assert self.run_for(2, lambda: self.leads(first)), "the transfer did not happen"
        self.run_for(0.2)
        third = next(name for name in self.nodes if name not in {first, slow})
        self.isolate(first, third)
        self.propose(first, 2)
        self.run_for(0.05)
        self._cut.discard((slow, first))
        for message in held:
            super().post(slow, first, message)
        self.run_for(0.1)
        self.heal()
        self.check()
