"""The auth methods that come with a node. Modules are imported when first enabled."""

from importlib import import_module
from typing import Final

from strongroom_node.sdk.engine import EngineType

BUILTIN: Final[dict[str, str]] = {
    "userpass": "strongroom_node.auth.userpass",
}


def load(name: str) -> EngineType:
    """The auth method of a name. Raises KeyError for a name that is not in `BUILTIN`."""
    engine: EngineType = import_module(BUILTIN[name]).ENGINE
    return engine
