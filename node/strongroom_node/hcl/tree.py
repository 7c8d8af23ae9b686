"""What reading a text gives: objects, lists and literals, each with its position."""

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, TypeAlias


class Position(NamedTuple):
    """Line and column, both counted from 1, columns in characters."""

    line: int
    column: int

    def __str__(self) -> str:
        """`LINE:COLUMN`."""
        return f"{self.line}:{self.column}"


class HCLError(ValueError):
    """The text cannot be read; printed as `At LINE:COLUMN: reason`, as Vault prints it."""

    def __init__(self, position: Position, reason: str) -> None:
        super().__init__(f"At {position}: {reason}")
        self.position = position
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one text: no input costs more than linear work below them."""

    size_max: int = 1 << 20
    """Characters."""
    depth_max: int = 64
    """Objects and lists within each other; bounds the recursion."""
    tokens_max: int = 200_000


class Kind(Enum):
    """What a literal was written as."""

    STRING = "string"
    HEREDOC = "heredoc"
    NUMBER = "number"
    FLOAT = "float"
    BOOL = "bool"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class Literal:
    """One scalar. `text` is how a number or boolean was written, or the value of a string."""

    kind: Kind
    value: str | int | float | bool | None = field(repr=False)
    text: str = field(repr=False)
    position: Position


@dataclass(frozen=True, slots=True)
class ListValue:
    """A list, in order."""

    items: "tuple[Value, ...]"
    position: Position


@dataclass(frozen=True, slots=True)
class Key:
    """One name before a value: a word or a quoted string. `raw` is as written, with its quotes."""

    text: str
    raw: str
    position: Position


@dataclass(frozen=True, slots=True)
class Item:
    """`key "label" { ... }` or `key = value`. A block without `=` has `assign_line` 0, as in Vault's messages."""

    keys: tuple[Key, ...]
    value: "Value"
    assign_line: int

    @property
    def name(self) -> str:
        """The first key."""
        return self.keys[0].text

    @property
    def position(self) -> Position:
        """Where the first key stands."""
        return self.keys[0].position


@dataclass(frozen=True, slots=True)
class ObjectValue:
    """Items in the order of the text; a name that is repeated is there several times."""

    items: tuple[Item, ...]
    position: Position
    is_json: bool = False

    def find(self, name: str) -> "Value | None":
        """The value of the last item with this one key, which is the one that counts; None if there is none."""
        for item in reversed(self.items):
            if item.name == name and len(item.keys) == 1:
                return item.value
        return None

    def named(self, name: str) -> tuple[Item, ...]:
        """Every item whose first key is `name`."""
        return tuple(item for item in self.items if item.name == name)


Value: TypeAlias = Literal | ListValue | ObjectValue
