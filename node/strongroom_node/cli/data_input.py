"""Reads `key=value` arguments: from the command line, from files, from standard input."""

import json
from collections.abc import Sequence
from typing import Any

from strongroom_node.cli.command import UsageFailed
from strongroom_node.cli.streams import INPUT_BYTES_MAX, Streams, decode


def parse_data(arguments: Sequence[str], streams: Streams) -> dict[str, Any]:
    r"""The map that `k=v`, `k=@file`, `k=-`, `k=\@text`, `@file.json` and `-` make; a repeated key makes a list.

    Raises UsageFailed, with Vault's wording, which names the argument as it stood but no file's contents.
    """
    data: dict[str, Any] = {}
    for argument in arguments:
        try:
            _add(data, argument, streams)
        except ValueError as error:
            raise UsageFailed(f'Failed to parse K=V data: invalid key/value pair "{argument}": {error}') from error
    return data


def parse_strings(arguments: Sequence[str], streams: Streams) -> dict[str, str]:
    """As parse_data, for maps whose values must be strings. Raises UsageFailed."""
    data = parse_data(arguments, streams)
    for key, value in data.items():
        if not isinstance(value, str):
            raise UsageFailed(f'Failed to parse K=V data: the value of "{key}" is not a string')
    return data


def _add(data: dict[str, Any], argument: str, streams: Streams) -> None:
    if argument == "-":
        _merge(data, streams.read_all())
        return
    if argument.startswith("@"):
        _merge(data, read_file(argument[1:]))
        return
    key, equals, value = argument.partition("=")
    if not equals:
        raise ValueError("format must be key=value")
    if value == "-":
        value = streams.read_all()
    elif value.startswith("@"):
        value = read_file(value[1:])
    elif value.startswith("\\@"):
        value = value[1:]
    if key not in data:
        data[key] = value
    elif isinstance(data[key], list):
        data[key].append(value)
    else:
        data[key] = [data[key], value]


def _merge(data: dict[str, Any], text: str) -> None:
    if not text.strip():
        raise ValueError("EOF")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        first = text.lstrip()[:1]
        raise ValueError(f"invalid character '{first}' looking for beginning of value") from error
    if not isinstance(value, dict):
        raise ValueError("the JSON is not an object")  # noqa: TRY004  -- one error type for input
    data.update(value)


def read_file(path: str) -> str:
    """A file's text. Raises ValueError naming the file."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123  -- pathlib costs 5 ms
            return decode(file.read(INPUT_BYTES_MAX + 1))
    except OSError as error:
        raise ValueError(f"error reading file: open {path}: {(error.strerror or '').lower()}") from error
