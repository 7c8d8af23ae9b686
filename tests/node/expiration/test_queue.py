from hypothesis import given
from hypothesis import strategies as st

from strongroom_node.expiration.index import Due, due_key, parse_due
from strongroom_node.expiration.queue import ATTEMPTS_MAX, plan, retry_at


def due(at, name="x"):
    return Due(at, name, "", due_key(at, name))


def test_what_is_due_is_taken_and_the_next_is_told():
    page = [due(1), due(2), due(3.5)]
    found = plan(page, 2.0, 10)
    assert ([entry.at for entry in found.due], found.next_at, found.is_complete) == ([1, 2], 3.5, True)
    found = plan(page, 9.0, 2)
    assert ([entry.at for entry in found.due], found.is_complete) == ([1, 2], False)
    assert plan([], 2.0, 10).next_at is None
    assert plan([due(5)], 2.0, 10).next_at == 5


@given(st.lists(st.floats(0, 100), max_size=30), st.floats(0, 100), st.integers(1, 10))
def test_the_plan_is_as_the_model(times, now, limit):
    times = sorted(times)
    found = plan([due(at) for at in times[: limit + 1]], now, limit)
    ripe = [at for at in times if at <= now]
    assert [entry.at for entry in found.due] == ripe[:limit]
    assert found.is_complete == (len(ripe) <= limit)
    if found.is_complete and len(times) <= limit:
        later = [at for at in times if at > now]
        assert found.next_at == (later[0] if later else None)


def test_attempts_are_spaced_out_and_end():
    waits = [retry_at(attempts, 100.0) for attempts in range(1, ATTEMPTS_MAX + 1)]
    assert waits == [110.0, 120.0, 140.0, 180.0, 260.0, None]


@given(st.floats(0.001, 4e9), st.floats(0.001, 4e9))
def test_keys_sort_as_times_and_never_come_early(first, second):
    low, high = sorted((first, second))
    assert due_key(low, "a") <= due_key(high, "a")
    at, lease_id = parse_due(due_key(first, "a/b/c"))
    assert lease_id == "a/b/c"
    assert at >= first - 1e-6
    assert at - first < 0.0011
