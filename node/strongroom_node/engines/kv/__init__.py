"""The key-value engine: version 1 keeps one value a path, version 2 keeps versions."""

from typing import Final

from strongroom_node.engines.kv import config, data, metadata, plain, subkeys, versions
from strongroom_node.engines.kv.engine import KVEngine, is_versioned
from strongroom_node.sdk.engine import EngineType
from strongroom_node.sdk.mount import Mount
from strongroom_node.sdk.path import Path

_VERSIONED_PATHS: Final = (
    *config.PATHS,
    *data.PATHS,
    *versions.PATHS,
    *metadata.PATHS,
    *subkeys.PATHS,
    *config.FALLBACK_PATHS,
)


def _paths_for(mount: Mount) -> tuple[Path, ...]:
    return _VERSIONED_PATHS if is_versioned(mount) else plain.PATHS


def _prepare(mount: Mount) -> None:
    is_versioned(mount)


ENGINE = EngineType(
    name="kv",
    summary="Stores arbitrary secrets, with or without versions.",
    make=KVEngine,
    paths_for=_paths_for,
    prepare=_prepare,
    help="Stores secrets as JSON objects. With the option version=2 every write makes a version that can be read, "
    "deleted, undeleted and destroyed by itself.",
)
