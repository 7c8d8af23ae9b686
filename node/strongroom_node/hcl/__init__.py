"""HCL 1 and its JSON form, read with positions and limits.

`parse(text)` gives an `ObjectValue`; `blocks(tree, "listener")` its `listener "tcp" { ... }` blocks in any of
the ways they may be written; `to_plain(tree)` dicts and lists.
"""

from strongroom_node.hcl.plain import Block, blocks, plain_value, to_plain
from strongroom_node.hcl.reader import parse
from strongroom_node.hcl.tree import (
    HCLError,
    Item,
    Key,
    Kind,
    Limits,
    ListValue,
    Literal,
    ObjectValue,
    Position,
    Value,
)

__all__ = [
    "Block",
    "HCLError",
    "Item",
    "Key",
    "Kind",
    "Limits",
    "ListValue",
    "Literal",
    "ObjectValue",
    "Position",
    "Value",
    "blocks",
    "parse",
    "plain_value",
    "to_plain",
]
