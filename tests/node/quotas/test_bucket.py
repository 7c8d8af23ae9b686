"""Rate-limit buckets against a plain model, and the choice of the closest quota."""

from hypothesis import given
from hypothesis import strategies as st

from strongroom_node.quotas.bucket import Buckets, RateLimit, RateLimits


def test_a_window_lets_the_rate_pass_and_then_refuses():
    rule = RateLimit(name="q", rate=2.0, interval=60.0)
    buckets = Buckets()
    assert [buckets.take(rule, "10.0.0.1", 0.0).allowed for _ in range(3)] == [True, True, False]
    assert buckets.take(rule, "10.0.0.2", 0.0).allowed
    assert buckets.take(rule, "10.0.0.1", 60.0).allowed


def test_a_blocked_client_stays_out_though_its_window_is_over():
    rule = RateLimit(name="q", rate=1.0, interval=1.0, block_interval=30.0)
    buckets = Buckets()
    assert buckets.take(rule, "c", 0.0).allowed
    refused = buckets.take(rule, "c", 0.5)
    assert (refused.allowed, refused.retry_after_seconds) == (False, 30.0)
    assert not buckets.take(rule, "c", 20.0).allowed
    assert buckets.take(rule, "c", 31.0).allowed


@given(st.lists(st.floats(0, 5), max_size=60), st.integers(1, 5))
def test_never_more_than_the_rate_in_one_window(gaps, rate):
    rule, buckets, now = RateLimit(name="q", rate=float(rate), interval=3.0), Buckets(), 0.0
    start, used = None, 0
    for gap in gaps:
        now += gap
        if start is None or now >= start + 3.0:
            start, used = now, 0
        allowed = buckets.take(rule, "c", now).allowed
        assert allowed == (used < rate)
        used += allowed


def test_the_longest_fitting_path_governs():
    rules = [
        RateLimit(name="all", rate=1),
        RateLimit(name="mount", rate=1, path="kv/"),
        RateLimit(name="glob", rate=1, path="kv/team*"),
        RateLimit(name="exact", rate=1, path="kv/team/x"),
    ]
    found = [RateLimits(rules).closest(path).name for path in ("sys/mounts", "kv/a", "kv/team/y", "kv/team/x")]
    assert found == ["all", "mount", "glob", "exact"]
    assert RateLimits(rules[1:]).closest("sys/mounts") is None


def test_a_clock_that_goes_backwards_starts_a_new_window():
    rule, buckets = RateLimit(name="q", rate=1.0, interval=60.0), Buckets()
    assert buckets.take(rule, "c", 1000.0).allowed
    assert buckets.take(rule, "c", 0.0).allowed


_PATHS = st.lists(st.sampled_from(["a", "b", "ab", ""]), min_size=1, max_size=4).map("/".join)


@given(
    st.lists(st.builds(lambda path, end: path + end, _PATHS, st.sampled_from(["", "/", "*", "/*"])), max_size=8), _PATHS
)
def test_the_closest_is_the_first_of_the_highest_rank(written, path):
    rules = [RateLimit(name=str(number), rate=1.0, path=text) for number, text in enumerate(dict.fromkeys(written))]
    found = RateLimits(rules).closest(path)
    fitting = [rule for rule in rules if rule.rank(path) >= 0]
    assert (found is None) == (not fitting)
    if found is not None:
        assert found.rank(path) == max(rule.rank(path) for rule in fitting)
