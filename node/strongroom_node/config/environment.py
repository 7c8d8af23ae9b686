"""Environment variables that count more than the files. `BAO_` names come before `VAULT_` names."""

from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from typing import Any, Final

from strongroom_node.config import values
from strongroom_node.config.report import ConfigInvalid
from strongroom_node.config.schema import SCALARS, ServerConfig
from strongroom_node.config.seal import SealConfig
from strongroom_node.config.sources import variable
from strongroom_node.config.storage import RaftConfig, StorageConfig, retry_join_of_text
from strongroom_node.hcl import HCLError, Kind, Literal, Position, Value

_SCALARS: Final = {
    "API_ADDR": "api_addr",
    "CLUSTER_ADDR": "cluster_addr",
    "CLUSTER_NAME": "cluster_name",
    "DISABLE_MLOCK": "disable_mlock",
    "LOG_FILE": "log_file",
    "LOG_FORMAT": "log_format",
    "LOG_LEVEL": "log_level",
    "LOG_ROTATE_BYTES": "log_rotate_bytes",
    "LOG_ROTATE_DURATION": "log_rotate_duration",
    "LOG_ROTATE_MAX_FILES": "log_rotate_max_files",
    "PLUGIN_FILE_PERMISSIONS": "plugin_file_permissions",
    "PLUGIN_FILE_UID": "plugin_file_uid",
    "RAW_STORAGE_ENDPOINT": "raw_storage_endpoint",
    "UI": "ui",
    "WORKERS": "workers",
}
_RAFT: Final[Mapping[str, tuple[str, Callable[[str, Value], Any]]]] = {
    "RAFT_NODE_ID": ("node_id", values.text),
    "RAFT_PATH": ("path", values.text),
    "RAFT_PERFORMANCE_MULTIPLIER": ("performance_multiplier", values.whole),
    "RAFT_MAX_ENTRY_SIZE": ("max_entry_size", values.size),
}


def apply_environment(
    config: ServerConfig, environ: Mapping[str, str], passed_over: Container[str] = ()
) -> ServerConfig:
    """The configuration with what the environment says. Raises ConfigInvalid, which names the variable.

    Settings in `passed_over` keep what the files say.
    """
    changes: dict[str, Any] = {}
    for name, target in _SCALARS.items():
        found = variable(environ, name)
        if found is not None and target not in passed_over:
            changes[target] = _value(found[0], found[1], SCALARS[target][1])
    if "api_addr" not in changes:
        old = environ.get("VAULT_REDIRECT_ADDR") or environ.get("VAULT_ADVERTISE_ADDR")
        if old:
            changes["api_addr"] = old
    if config.storage is not None:
        changes["storage"] = _storage(config.storage, environ)
    seal = variable(environ, "SEAL_TYPE")
    if seal is not None:
        changes["seals"] = _seals(config.seals, seal[1].lower())
    return replace(config, **changes)


def _value(name: str, text: str, read: Callable[[str, Value], Any]) -> Any:
    try:
        return read(name, Literal(Kind.STRING, text, text, Position(1, 1)))
    except HCLError as error:
        raise ConfigInvalid(error.reason) from None


def _storage(storage: StorageConfig, environ: Mapping[str, str]) -> StorageConfig:
    if storage.type == "postgresql" and (url := variable(environ, "PG_CONNECTION_URL")) is not None:
        return replace(storage, settings={**storage.settings, "connection_url": url[1]})
    if storage.raft is None:
        return storage
    changes: dict[str, Any] = {}
    for name, (target, read) in _RAFT.items():
        found = variable(environ, name)
        if found is not None:
            changes[target] = _value(found[0], found[1], read)
    join = variable(environ, "RAFT_RETRY_JOIN")
    if join is not None:
        try:
            changes["retry_join"] = retry_join_of_text(join[1])
        except HCLError as error:
            raise ConfigInvalid(f"{join[0]}: {error.reason}") from None
    raft: RaftConfig = replace(storage.raft, **changes)
    return replace(storage, raft=raft)


def _seals(seals: tuple[SealConfig, ...], kind: str) -> tuple[SealConfig, ...]:
    """The stanza of that type if there is one, else a bare one: its settings come from its own variables."""
    chosen = [seal for seal in seals if seal.type == kind and not seal.disabled]
    others = [seal for seal in seals if seal.disabled]
    return (*(chosen or [SealConfig(kind)]), *others)
