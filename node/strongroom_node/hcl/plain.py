"""Views of a tree: blocks with labels, and plain Python values."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from strongroom_node.hcl.tree import Item, ListValue, Literal, ObjectValue, Position, Value


@dataclass(frozen=True, slots=True)
class Block:
    """One `name "label" ... { body }`. `labels` may be empty when the text gave none."""

    labels: tuple[str, ...]
    body: ObjectValue
    position: Position


def blocks(parent: ObjectValue, name: str, labels: int = 1) -> Iterator[Block]:
    """Every block called `name` with up to `labels` labels, however it was written.

    These are the same: `name "a" { }`, `name = { a = { } }`, JSON's `{"name": {"a": {}}}` and
    `{"name": [{"a": {}}]}`. A level counts as a label while all its values are objects (or lists of them);
    so `name { type = "a" }` has no label. What is no object at all is left out: the caller checks types.
    """
    for item in parent.named(name):
        given = tuple(key.text for key in item.keys[1:])
        yield from _unfold(given, item.value, labels - len(given), item.position)


def _unfold(labels: tuple[str, ...], value: Value, missing: int, position: Position) -> Iterator[Block]:
    if isinstance(value, ListValue):
        for part in value.items:
            yield from _unfold(labels, part, missing, part.position)
        return
    if not isinstance(value, ObjectValue):
        return
    if missing <= 0 or not value.items or not all(_holds_objects(item) for item in value.items):
        yield Block(labels, value, position)
        return
    for item in value.items:
        given = tuple(key.text for key in item.keys)
        yield from _unfold(labels + given, item.value, missing - len(given), item.position)


def _holds_objects(item: Item) -> bool:
    value = item.value
    if isinstance(value, ListValue):
        return bool(value.items) and all(isinstance(part, ObjectValue) for part in value.items)
    return isinstance(value, ObjectValue)


def plain_value(value: Value) -> Any:
    """A literal's value, a list, or a dict."""
    match value:
        case Literal():
            return value.value
        case ListValue():
            return [plain_value(part) for part in value.items]
        case ObjectValue():
            return to_plain(value)


def to_plain(tree: ObjectValue) -> dict[str, Any]:
    """Dicts and lists. A label becomes a nested dict; a name that is repeated becomes a list of its values."""
    made: dict[str, Any] = {}
    repeated: set[str] = set()
    for item in tree.items:
        value = plain_value(item.value)
        for key in reversed(item.keys[1:]):
            value = {key.text: value}
        if item.name not in made:
            made[item.name] = value
        elif item.name in repeated:
            made[item.name].append(value)
        else:
            made[item.name] = [made[item.name], value]
            repeated.add(item.name)
    return made
