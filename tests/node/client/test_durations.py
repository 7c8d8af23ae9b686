import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_node.client.durations import HOUR, MILLISECOND, SECOND, format_duration, humanize, parse_duration


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1h30m", 90 * 60 * SECOND),
        ("3600", HOUR),
        ("1.5s", 1500 * MILLISECOND),
        ("-1", -SECOND),
        ("5d", 120 * HOUR),
        ("250ms", 250 * MILLISECOND),
        ("1h0m0.5s", HOUR + 500 * MILLISECOND),
        ("0", 0),
    ],
)
def test_parse(text: str, nanoseconds: int) -> None:
    assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize("text", ["", "h", "1x", "1h-2m", "--1s", "1 h", "1e3s", "٣s", "9" * 40 + "s", "+"])
def test_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="invalid duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0s"),
        (HOUR, "1h0m0s"),
        (600 * SECOND, "10m0s"),
        (1500 * MILLISECOND, "1.5s"),
        (100, "100ns"),
        (250 * MILLISECOND, "250ms"),
        (1500, "1.5µs"),
        (-SECOND, "-1s"),
        (HOUR + 1, "1h0m0.000000001s"),
    ],
)
def test_format(nanoseconds: int, text: str) -> None:
    assert format_duration(nanoseconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2764800, "768h"), (60, "1m"), (3660, "1h1m"), (3601, "1h0m1s"), (0, "0s"), (600, "10m"), (36000, "10h")],
)
def test_humanize(seconds: int, text: str) -> None:
    assert humanize(seconds * SECOND) == text


@given(st.integers(min_value=-(10**17), max_value=10**17))
def test_what_is_formatted_can_be_parsed(nanoseconds: int) -> None:
    assert parse_duration(format_duration(nanoseconds)) == nanoseconds
