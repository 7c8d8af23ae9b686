"""Parses flags as Go's flag package does, and also after positional arguments."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from strongroom_node.cli.command import Flag, UsageFailed
from strongroom_node.client.durations import parse_duration
from strongroom_node.client.environment import FALSE_WORDS, TRUE_WORDS, variable

BOOLEAN_KINDS = frozenset({"bool", "*bool"})


class Flags:
    """The values of a command's flags. Asking for a flag that was not declared is an error of the program."""

    def __init__(self, values: Mapping[str, Any], given: frozenset[str]) -> None:
        self._values = values
        self._given = given

    def __repr__(self) -> str:
        """Without the values, some of which are secrets."""
        return f"<flags {sorted(self._given)}>"

    def given(self, name: str) -> bool:
        """Whether the flag stood on the command line."""
        return name in self._given

    def has(self, name: str) -> bool:
        """Whether the command declares the flag."""
        return name in self._values

    def text(self, name: str) -> str:
        """A string flag's value."""
        return str(self._values[name])

    def on(self, name: str) -> bool:
        """A boolean flag's value."""
        return bool(self._values[name])

    def number(self, name: str) -> int:
        """An integer flag's value; a duration's, in nanoseconds."""
        return int(self._values[name])

    def many(self, name: str) -> list[str]:
        """Every value of a flag that may be repeated."""
        return list(self._values[name])

    def pairs(self, name: str) -> dict[str, str]:
        """The key=value pairs of a flag that may be repeated."""
        return dict(self._values[name])


class Parsed(NamedTuple):
    """Flags, positional arguments, and what looks like a flag but is taken as an argument."""

    flags: Flags
    arguments: list[str]
    unparsed: list[str]


def parse_flags(declared: Sequence[Flag], words: Sequence[str], environment: Mapping[str, str]) -> Parsed:
    """Sort words into flags and arguments. Raises UsageFailed with Go's wording.

    A known flag counts wherever it stands, up to `--`. An unknown one is an error before the first argument; after it
    it is an argument, as Vault has it, so that data such as `-x=1` is not lost.
    """
    known = {name: flag for flag in declared for name in (flag.name, *flag.aliases)}
    values = {flag.name: _default(flag, environment) for flag in declared}
    given: set[str] = set()
    arguments: list[str] = []
    unparsed: list[str] = []
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        if word == "--":
            arguments.extend(words[position:])
            break
        if not word.startswith("-") or word == "-":
            arguments.append(word)
            continue
        name, equals, text = word[2 if word.startswith("--") else 1 :].partition("=")
        flag = known.get(name)
        if flag is None:
            if not arguments:
                raise UsageFailed(_unknown(word, name))
            arguments.append(word)
            unparsed.append(word)
            continue
        if not equals and flag.kind in BOOLEAN_KINDS:
            text = "true"
        elif not equals:
            if position == len(words):
                raise UsageFailed(f"flag needs an argument: -{name}")
            text = words[position]
            position += 1
        _set(values, flag, name, text, is_first=flag.name not in given)
        given.add(flag.name)
    return Parsed(Flags(values, frozenset(given)), arguments, unparsed)


def _unknown(word: str, name: str) -> str:
    if not name or name.startswith("-"):
        return f"bad flag syntax: {word}"
    return f"flag provided but not defined: -{name}"


def _default(flag: Flag, environment: Mapping[str, str]) -> Any:
    if flag.kind == "strings":
        return []
    if flag.kind == "key=value":
        return {}
    text = (variable(environment, flag.variable) if flag.variable else "") or flag.default
    return _convert(flag, flag.name, text) if text else {"string": "", "bool": False}.get(flag.kind, 0)


def _set(values: dict[str, Any], flag: Flag, name: str, text: str, *, is_first: bool) -> None:
    if flag.kind == "strings":
        values[flag.name] = [text] if is_first else [*values[flag.name], text]
    elif flag.kind == "key=value":
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageFailed(f'invalid value "{text}" for flag -{name}: missing = in KV pair: {text}')
        values[flag.name] = {key: value} if is_first else {**values[flag.name], key: value}
    else:
        values[flag.name] = _convert(flag, name, text)


def _convert(flag: Flag, name: str, text: str) -> Any:
    match flag.kind:
        case "bool" | "*bool":
            if text in TRUE_WORDS or text in FALSE_WORDS:
                return text in TRUE_WORDS
            raise UsageFailed(
                f'invalid boolean value "{text}" for -{name}: strconv.ParseBool: parsing "{text}": invalid syntax',
            )
        case "int" | "uint":
            return _integer(flag, name, text)
        case "duration":
            try:
                return parse_duration(text)
            except ValueError as error:
                raise UsageFailed(f'invalid value "{text}" for flag -{name}: {error}') from error
        case _:
            return text


def _integer(flag: Flag, name: str, text: str) -> int:
    function = "ParseInt" if flag.kind == "int" else "ParseUint"
    digits = text[1:] if flag.kind == "int" and text[:1] in {"-", "+"} else text
    if not digits.isascii() or not digits.isdigit():
        reason = "invalid syntax"
    elif len(digits) > 19 or abs(int(text)) >= 1 << 63:
        reason = "value out of range"
    else:
        return int(text)
    raise UsageFailed(f'invalid value "{text}" for flag -{name}: strconv.{function}: parsing "{text}": {reason}')
