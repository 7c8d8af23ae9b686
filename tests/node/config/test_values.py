import pytest

from strongroom_node.config import values
from strongroom_node.hcl import HCLError, parse


def read(reader, text):
    return reader("it", parse(f"it = {text}").find("it"))


@pytest.mark.parametrize(
    ("reader", "text", "expected"),
    [
        (values.boolean, "true", True),
        (values.boolean, '"1"', True),
        (values.boolean, "0", False),
        (values.boolean, '"False"', False),
        (values.boolean, '""', False),
        (values.whole, "-5", -5),
        (values.whole, '" 12 "', 12),
        (values.size, '"10mib"', 10 << 20),
        (values.size, '"1 kB"', 1000),
        (values.duration, '"5d"', 432_000.0),
        (values.duration, "90", 90.0),
        (values.duration, '"1h30m"', 5400.0),
        (values.texts, '"a, b ,,c"', ("a", "b", "c")),
        (values.texts, '["a", 1]', ("a", "1")),
        (values.octal, '"0640"', 0o640),
        (values.octal, "660", 0o660),
        (values.octal, '"0o600"', 0o600),
        (values.text, "5", "5"),
        (values.text, "true", "true"),
        (values.mapping, "{ a = 1 }", {"a": 1}),
    ],
)
def test_taken(reader, text, expected):
    assert read(reader, text) == expected


@pytest.mark.parametrize(
    ("reader", "text"),
    [
        (values.boolean, '"maybe"'),
        (values.boolean, "2"),
        (values.boolean, "[]"),
        (values.whole, "1.5"),
        (values.whole, "true"),
        (values.whole, '"' + "9" * 40 + '"'),
        (values.size, '"10 parsecs"'),
        (values.duration, "true"),
        (values.duration, '"soon"'),
        (values.duration, "-1"),
        (values.texts, "[[]]"),
        (values.texts, "{}"),
        (values.networks, '"10.0.0.0/99"'),
        (values.octal, '"9"'),
        (values.octal, '"1234567"'),
        (values.text, "[]"),
        (values.mapping, "5"),
        (values.response_headers, '{ "700" = { "X" = "y" } }'),
        (values.response_headers, '{ "200" = { "X y" = "z" } }'),
        (values.response_headers, '{ "200" = { "X" = "a\\r\\nSet-Cookie: b" } }'),
        (values.response_headers, '{ "200" = 5 }'),
    ],
)
def test_refused(reader, text):
    with pytest.raises(HCLError, match=r"^At 1:"):
        read(reader, text)
