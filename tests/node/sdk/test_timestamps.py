"""Points in time."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_node.sdk.timestamps import format_micros, micros


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_700_000_000_000_000, "2023-11-14T22:13:20Z"),
        (1_700_000_000_250_000, "2023-11-14T22:13:20.25Z"),
        (1_700_000_000_000_001, "2023-11-14T22:13:20.000001Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
    ],
)
def test_only_the_digits_that_are_needed(value, text):
    assert format_micros(value) == text


@given(st.integers(0, 4_000_000_000_000_000))
def test_others_read_it_back(value):
    read = datetime.fromisoformat(format_micros(value))
    assert read.tzinfo == UTC
    assert (read - datetime(1970, 1, 1, tzinfo=UTC)) // datetime.resolution == value


def test_seconds_become_microseconds():
    assert micros(1.5) == 1_500_000
    assert micros(1_700_000_000.000001) == 1_700_000_000_000_001
    assert micros(-1) == -1_000_000
