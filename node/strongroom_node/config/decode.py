"""From a block of the text to the fields of a dataclass, each declared once with its type and default."""

from collections.abc import Callable, Container, Mapping
from dataclasses import field, fields
from typing import Any, Final, TypeAlias

from strongroom_node.config.report import Report
from strongroom_node.hcl import HCLError, ObjectValue, Value

Readers: TypeAlias = Mapping[str, tuple[str, Callable[[str, Value], Any]]]
"""Name in the text to (field, one of the functions of `values`)."""

_READ: Final = "read"
_ALIASES: Final = "aliases"
_SECRET: Final = "secret"


def setting(
    read: Callable[[str, Value], Any],
    default: Any,
    *,
    aliases: tuple[str, ...] = (),
    is_secret: bool = False,
) -> Any:
    """Declare a field of a configuration dataclass; a secret one is not shown by `repr` nor when sanitized."""
    metadata = {_READ: read, _ALIASES: aliases, _SECRET: is_secret}
    if isinstance(default, (dict, list)):
        made = type(default)
        return field(default_factory=lambda: made(default), metadata=metadata, repr=not is_secret)
    return field(default=default, metadata=metadata, repr=not is_secret)


def readers_of(kind: type[Any]) -> dict[str, tuple[str, Callable[[str, Value], Any]]]:
    """Every name a block may hold to (field, reader)."""
    found: dict[str, tuple[str, Callable[[str, Value], Any]]] = {}
    for declared in fields(kind):
        read = declared.metadata.get(_READ)
        if read is not None:
            for name in (declared.name, *declared.metadata[_ALIASES]):
                found[name] = (declared.name, read)
    return found


def secret_names(kind: type[Any]) -> frozenset[str]:
    """Names of the fields that hold secrets."""
    return frozenset(declared.name for declared in fields(kind) if declared.metadata.get(_SECRET))


def decode(
    readers: Readers,
    block: ObjectValue,
    report: Report,
    inner: Container[str] = (),
) -> dict[str, Any]:
    """The given fields of a block. `inner` are names of blocks the caller reads itself.

    A name nobody knows gives a notice, a value of the wrong type raises HCLError; of a name that is repeated
    the last counts.
    """
    made: dict[str, Any] = {}
    for item in block.items:
        if item.name in inner:
            continue
        known = readers.get(item.name)
        if known is None:
            report.unknown(item.name, item.position)
            continue
        if len(item.keys) > 1:
            raise HCLError(item.keys[1].position, f"{item.name} takes no name")
        made[known[0]] = known[1](item.name, item.value)
    return made
