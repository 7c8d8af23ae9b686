"""Durations as Vault reads and writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_node.sdk.durations import DurationInvalid, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("1h30m", 5400), ("5d", 432000), ("250ms", 0.25), ("", 0), ("-1s", -1), ("1.5h", 5400), (7, 7)],
)
def test_parse(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["banana", "1x", "h", "1h-", "--1s", "1 h", "9" * 80, True, "1e400"])
def test_refused(text):
    with pytest.raises(DurationInvalid):
        parse_duration(text)


@given(st.integers(0, 10**8))
def test_what_is_written_reads_back(seconds):
    assert parse_duration(format_duration(seconds)) == seconds


def test_written_as_go_does():
    assert [format_duration(s) for s in (0, 30, 90, 3600, 2764800)] == ["0s", "30s", "1m30s", "1h0m0s", "768h0m0s"]
