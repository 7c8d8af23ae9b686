"""Version 2: the shape of a secret without its values."""

from typing import Any

import msgspec

from strongroom_node.engines.kv.data import asked_version, stored_data
from strongroom_node.engines.kv.engine import KVEngine
from strongroom_node.engines.kv.upgrade import versioned
from strongroom_node.sdk.fields import Int, Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response


def shape(value: dict[str, Any], depth: int) -> dict[str, Any]:
    """The map with null for every leaf, for an empty map, and for what lies below `depth` levels (0: no limit).

    The limits on what is stored bound the recursion.
    """
    return {
        name: shape(inner, depth - 1) if isinstance(inner, dict) and inner and depth != 1 else None
        for name, inner in value.items()
    }


async def read(engine: KVEngine, request: Request) -> Response | None:
    """The keys of one version, null in place of every value."""
    secret, number, version = asked_version(engine, request)
    metadata = secret.describe_version(number, version)
    if version.is_gone(engine.now()):
        return Response(data={"subkeys": None, "metadata": metadata}, missing=True)
    data = msgspec.json.decode(stored_data(engine, secret, number))
    subkeys = shape(data, max(0, int(request.get("depth", 0))))
    return Response(data={"subkeys": subkeys, "metadata": metadata})


PATHS = (
    Path(
        "subkeys/{path+}",
        fields={
            "path": Text("Location of the secret."),
            "version": Int("Version to read; the newest if not positive.", query=True),
            "depth": Int("How many levels of maps to show; all if not positive.", query=True),
        },
        read=versioned(read),
        help="Read the keys of a secret without their values.",
    ),
)
