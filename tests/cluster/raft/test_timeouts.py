"""Timings that could not work are refused."""

import pytest

from strongroom_cluster.raft.timeouts import Timings


def test_a_multiplier_scales_what_the_network_needs() -> None:
    slow = Timings().scaled(5)
    assert (slow.election_seconds_min, slow.heartbeat_seconds) == (1.5, 0.25)
    assert Timings().scaled(0) == Timings().scaled(1) == Timings()
    for multiplier in (-1, 11):
        with pytest.raises(ValueError, match="performance_multiplier"):
            Timings().scaled(multiplier)


@pytest.mark.parametrize(
    "wrong",
    [
        {"tick_seconds": 0},
        {"tick_seconds": 0.1},
        {"heartbeat_seconds": 0.1},
        {"election_seconds_max": 0.3},
        {"quorum_seconds_max": 0.05},
        {"quorum_seconds_max": 0.5},
        {"connect_seconds_max": 0},
        {"commit_seconds_max": 0.5},
    ],
)
def test_sets_that_cannot_work(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        Timings(**wrong)
