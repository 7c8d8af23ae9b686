import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_node.sdk.errors import BadRequest
from strongroom_node.tokens.ttl import Limits, Wish, grant, lesser, remaining, short

HOUR = 3600
LIMITS = Limits(768 * HOUR, 768 * HOUR)
NOW = 1_700_000_000.25


def test_the_callers_wish_goes_first_then_the_issuers_then_the_mounts():
    assert grant(Wish(increment=60, ttl=120), LIMITS, NOW, NOW).ttl == 60
    assert grant(Wish(ttl=120), LIMITS, NOW, NOW).ttl == 120
    assert grant(Wish(), Limits(HOUR, 2 * HOUR), NOW, NOW).ttl == HOUR


def test_what_is_too_long_is_cut_with_a_warning():
    granted = grant(Wish(ttl=10_000 * HOUR), LIMITS, NOW, NOW)
    assert granted.ttl == 768 * HOUR
    assert granted.warnings == [
        'TTL of "10000h" exceeded the effective max_ttl of "768h"; TTL value is capped accordingly'
    ]


def test_a_renewal_is_cut_at_what_is_left_since_the_beginning():
    granted = grant(Wish(increment=HOUR, explicit_max_ttl=90 * 60), LIMITS, NOW, NOW + HOUR)
    assert granted.ttl == 30 * 60
    assert granted.expire_time == NOW + 90 * 60
    assert granted.warnings == ['TTL of "1h" exceeded the effective max_ttl of "30m"; TTL value is capped accordingly']


def test_past_the_limit_nothing_is_granted():
    with pytest.raises(BadRequest, match="past the max TTL, cannot renew"):
        grant(Wish(explicit_max_ttl=60), LIMITS, NOW, NOW + 60)


def test_a_period_begins_anew_for_ever_and_takes_no_wish():
    wish = Wish(increment=5 * HOUR, period=HOUR / 2)
    assert grant(wish, LIMITS, NOW, NOW + 10_000 * HOUR).ttl == HOUR / 2


def test_a_period_is_cut_by_the_maximum_and_ends_at_the_explicit_one():
    granted = grant(Wish(period=10_000 * HOUR), LIMITS, NOW, NOW)
    assert granted.warnings == [
        'period of "10000h" exceeded the effective max_ttl of "768h"; period value is capped accordingly'
    ]
    granted = grant(Wish(period=HOUR / 2, explicit_max_ttl=HOUR), LIMITS, NOW, NOW + HOUR * 0.75)
    assert granted.ttl == HOUR / 4
    with pytest.raises(BadRequest):
        grant(Wish(period=HOUR / 2, explicit_max_ttl=HOUR), LIMITS, NOW, NOW + HOUR)


def test_a_maximum_of_nothing_is_an_error():
    with pytest.raises(BadRequest, match="max TTL must be greater than zero"):
        grant(Wish(), Limits(0, 0), NOW, NOW)


lengths = st.one_of(st.just(0), st.integers(1, 20), st.integers(1, 5000))
fractions = st.integers(0, 999).map(lambda n: n / 1000)


@given(
    lengths,
    lengths,
    lengths,
    lengths,
    lengths,
    st.integers(1, 3000),
    st.integers(1, 3000),
    lengths,
    fractions,
    fractions,
)
def test_as_the_slow_oracle(increment, ttl, period, max_ttl, explicit, default, maximum, age, of_start, of_now):
    start = 1_000_000 + of_start
    now = max(start, 1_000_000 + age + of_now)
    wish = Wish(increment, ttl, period, max_ttl, explicit)
    expected = oracle(increment, ttl, period, max_ttl, explicit, default, maximum, start, now)
    if expected is None:
        with pytest.raises(BadRequest):
            grant(wish, Limits(default, maximum), start, now)
        return
    granted = grant(wish, Limits(default, maximum), start, now)
    assert (granted.ttl, len(granted.warnings)) == expected
    assert now < granted.expire_time <= now + granted.ttl
    if explicit:
        assert granted.expire_time <= start + explicit


def oracle(increment, ttl, period, max_ttl, explicit, default, maximum, start, now):
    """Every length of whole seconds is tried, longest first, against what forbids it."""
    caps = [maximum] + [cap for cap in (max_ttl, explicit) if cap]
    hard = [explicit] if period else caps
    hard = [cap for cap in hard if cap]
    if any(Fraction(start) + cap <= Fraction(now) for cap in hard):
        return None
    wanted = period or increment or ttl or default
    warnings = 0
    if period and any(wanted > cap for cap in caps):
        wanted, warnings = min(caps), 1
    for length in range(wanted, 0, -1):
        if all(math.floor(now) + length <= math.floor(start) + cap for cap in hard):
            return length, warnings + (length < wanted)
    return None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (2, "2s"),
        (60, "1m"),
        (90, "1m30s"),
        (3600, "1h"),
        (5400, "1h30m"),
        (3601, "1h0m1s"),
        (600, "10m"),
        (36000, "10h"),
    ],
)
def test_durations_are_short(seconds, text):
    assert short(seconds) == text


def test_lesser_ignores_what_is_unset():
    assert lesser(0, 5, 3) == 3
    assert lesser(0, 0) == 0
    assert lesser() == 0


def test_remaining_is_whole_seconds_and_never_negative():
    assert remaining(110.0, 100.2) == 10
    assert remaining(100.0, 110.0) == 0
    assert remaining(0.0, 110.0) == 0
