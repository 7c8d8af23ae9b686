import math
import timeit

from hypothesis import given
from hypothesis import strategies as st

from strongroom_node.telemetry.series import RING, Counter, Many, Summary


def test_a_summary_counts_everything_and_remembers_the_newest():
    summary = Summary()
    for number in range(RING * 3):
        summary.observe(number)
    assert summary.count == RING * 3
    assert summary.total == sum(range(RING * 3))
    median, high, highest = summary.quantiles()
    assert RING * 2 <= median < high < highest < RING * 3


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=RING))
def test_quantiles_are_those_of_the_sorted_list(values):
    summary = Summary()
    for value in values:
        summary.observe(value)
    ordered = sorted(values)
    assert summary.quantiles() == [ordered[math.ceil(at * len(values)) - 1] for at in (0.5, 0.9, 0.99)]


def test_quantiles_forget_what_is_two_intervals_old():
    summary = Summary()
    summary.observe(1.0)
    summary.tick()
    assert summary.quantiles() == [1.0] * 3
    summary.tick()
    assert all(math.isnan(value) for value in summary.quantiles())
    assert summary.count == 1


def test_an_interval_is_what_happened_since_the_tick_before():
    summary = Summary()
    for value in (1.0, 2.0, 3.0):
        summary.observe(value)
    assert summary.interval.count == 3
    summary.tick()
    summary.observe(100.0)
    interval = summary.interval
    assert (interval.count, interval.total, interval.low, interval.high, interval.mean) == (3, 6.0, 1.0, 3.0, 2.0)
    assert interval.deviation == 1.0
    summary.tick()
    assert summary.interval.count == 1


def test_a_counter_knows_its_interval():
    counter = Counter()
    counter.add(3)
    assert counter.interval.count == 3
    counter.tick()
    counter.add()
    assert (counter.value, counter.interval.count) == (4, 3)
    counter.tick()
    counter.tick()
    assert counter.interval.count == 0


def test_series_of_made_up_keys_are_bounded():
    many = Many(Counter, 10)
    for number in range(1000):
        many.get(number)
    assert len(many.kept) == 10
    assert many.refused == 990
    assert many.get(3) is many.kept[3]


def test_an_observation_is_cheap():
    observe = Summary().observe
    seconds = min(timeit.repeat(lambda: observe(0.5), number=2000, repeat=20)) / 2000
    assert seconds < 5e-6  # 0.2 us on the machines it was written on; the rest is for busy ones
