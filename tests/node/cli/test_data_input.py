import io
from pathlib import Path

import pytest

from strongroom_node.cli.command import UsageFailed
from strongroom_node.cli.data_input import parse_data, parse_strings
from strongroom_node.cli.streams import Streams


def parse(*arguments: str, stdin: bytes = b"") -> dict[str, object]:
    return parse_data(arguments, Streams(io.BytesIO(stdin), io.StringIO(), io.StringIO()))


def test_pairs() -> None:
    assert parse("a=b", "c=", "d=e=f", "a=2", "a=3") == {"a": ["b", "2", "3"], "c": "", "d": "e=f"}


def test_files_and_standard_input(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text('{"x": 1}\n')
    assert parse(f"a=@{path}") == {"a": '{"x": 1}\n'}
    assert parse(f"@{path}", "y=2") == {"x": 1, "y": "2"}
    assert parse("a=-", stdin=b"piped\n") == {"a": "piped\n"}
    assert parse("-", stdin=b'{"x": [1]}') == {"x": [1]}
    assert parse("a=\\@text", "b=\\x") == {"a": "@text", "b": "\\x"}


@pytest.mark.parametrize(
    ("argument", "stdin", "reason"),
    [
        ("a", b"", 'invalid key/value pair "a": format must be key=value'),
        ("-", b"", 'invalid key/value pair "-": EOF'),
        ("-", b"path", "invalid character 'p' looking for beginning of value"),
        ("-", b"[" * 100_000, "invalid character '['"),
        ("-", b"[1]", "the JSON is not an object"),
        ("a=@/nonexistent", b"", "error reading file: open /nonexistent: no such file or directory"),
    ],
)
def test_errors(argument: str, stdin: bytes, reason: str) -> None:
    with pytest.raises(UsageFailed) as failed:
        parse(argument, stdin=stdin)
    assert str(failed.value).startswith("Failed to parse K=V data: ")
    assert reason in str(failed.value)


def test_strings_only() -> None:
    streams = Streams(io.BytesIO(), io.StringIO(), io.StringIO())
    assert parse_strings(["a=b"], streams) == {"a": "b"}
    with pytest.raises(UsageFailed):
        parse_strings(["a=b", "a=c"], streams)
