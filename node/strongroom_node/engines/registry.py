"""The secrets engines that come with a node. Modules are imported when first mounted."""

from importlib import import_module
from typing import Final

from strongroom_node.sdk.engine import EngineType

BUILTIN: Final[dict[str, str]] = {
    "cubbyhole": "strongroom_node.engines.cubbyhole",
    "kv": "strongroom_node.engines.kv",
}

ALIASES: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "generic": ("kv", {"version": "1"}),
    "kv-v1": ("kv", {"version": "1"}),
    "kv-v2": ("kv", {"version": "2"}),
}
"""Names that clients mount under, with the type and the options they stand for."""


def load(name: str) -> EngineType:
    """The engine type of a name. Raises KeyError for a name that is not in `BUILTIN`."""
    engine: EngineType = import_module(BUILTIN[name]).ENGINE
    return engine
