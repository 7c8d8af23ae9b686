"""A few hundred schedules in the default suite; `python -m sim` plays as many as one likes."""

import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest
import structlog
from sim.history import History, Operation, Violation
from sim.returning import ReturningLeader
from sim.world import World, plan_for

from strongroom_cluster.raft.core import Corrections
from strongroom_cluster.raft.syncobj import use_clock

SCHEDULES = 320
PARTS = 4


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    logging.getLogger("pysyncobj").setLevel(logging.CRITICAL + 1)
    yield
    structlog.reset_defaults()
    import time

    use_clock(time.monotonic)


@pytest.mark.parametrize("part", range(PARTS))
def test_schedules_keep_all_promises(part: int) -> None:
    acknowledged = reads = 0
    for seed in range(part, SCHEDULES, PARTS):
        world = World(seed)
        try:
            world.run()
        except Violation as error:
            pytest.fail(f"seed {seed}: {error}; replay: python -m sim --seeds 1 --start {seed} --trace")
        acknowledged += world.counts["acknowledged"]
        reads += world.counts["reads"]
    assert acknowledged > 1000
    assert reads > 1000


def test_a_seed_gives_the_same_run() -> None:
    runs = []
    for _ in range(2):
        world = World(11)
        world.run()
        runs.append((world.counts, world.acknowledged, world.trace))
    assert runs[0] == runs[1]


def test_eager_truncation_is_found() -> None:
    corrections = Corrections(truncates_conflicts_only=False)
    found = 0
    for seed in range(40):
        try:
            World(seed, replace(plan_for(seed), corrections=corrections)).run()
        except Violation:
            found += 1
    assert found >= 5


def test_acks_without_a_term_are_found() -> None:
    found = 0
    for seed in range(10):
        try:
            ReturningLeader(seed, Corrections(term_tagged_acks=False)).play()
        except Violation as violation:
            found += "is committed, but only" in str(violation)
        ReturningLeader(seed, Corrections()).play()
    assert found >= 5


def test_the_history_checker_sees_what_is_wrong() -> None:
    write = Operation("r", 1.0, 2.0, index=5)
    History([write, Operation("r", 3.0, 4.0, index=5, is_write=False)]).check()
    History([write, Operation("r", 1.5, 4.0, index=0, is_write=False)]).check()
    with pytest.raises(Violation, match="not linearizable"):
        History([write, Operation("r", 3.0, 4.0, index=4, is_write=False)]).check()
    older = Operation("r", 0.5, 9.0, index=4)
    seen = Operation("r", 1.0, 2.5, index=5, is_write=False)
    with pytest.raises(Violation, match="not linearizable"):
        History([older, seen, Operation("r", 3.0, 4.0, index=4, is_write=False)]).check()
