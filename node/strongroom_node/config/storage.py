"""`storage` (or `backend`) and `ha_storage`: where the data is, and where the lock of the active node is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from strongroom_node.config import values
from strongroom_node.config.decode import decode, readers_of, setting
from strongroom_node.config.report import Place, Report
from strongroom_node.hcl import Block, HCLError, ListValue, Literal, ObjectValue, Value, blocks, parse


@dataclass(frozen=True, slots=True)
class RetryJoin:
    """One `retry_join { }`: where another node of the cluster may be. Certificates are PEM."""

    leader_api_addr: str = setting(values.text, "")
    leader_tls_servername: str = setting(values.text, "")
    leader_ca_cert: str = setting(values.text, "")
    leader_ca_cert_file: str = setting(values.text, "")
    leader_client_cert: str = setting(values.text, "")
    leader_client_cert_file: str = setting(values.text, "")
    leader_client_key: str = setting(values.text, "", is_secret=True)
    leader_client_key_file: str = setting(values.text, "")
    auto_join: str = setting(values.text, "", is_secret=True)
    """May hold credentials of a cloud."""
    auto_join_scheme: str = setting(values.text, "")
    auto_join_port: int = setting(values.whole, 0)


@dataclass(frozen=True, slots=True)
class RaftConfig:
    """`storage "raft"`. Intervals are seconds; 0 sizes and counts mean the built-in ones."""

    path: str = setting(values.text, "")
    node_id: str = setting(values.text, "")
    performance_multiplier: int = setting(values.whole, 0)
    trailing_logs: int = setting(values.whole, 10_000)
    snapshot_threshold: int = setting(values.whole, 8192)
    snapshot_interval: float = setting(values.duration, 120.0)
    max_entry_size: int = setting(values.size, 1_048_576)
    max_transaction_size: int = setting(values.size, 8_388_608)
    max_mount_and_namespace_table_entry_size: int = setting(values.size, 0)
    autopilot_reconcile_interval: float = setting(values.duration, 10.0)
    autopilot_update_interval: float = setting(values.duration, 2.0)
    autopilot_upgrade_version: str = setting(values.text, "")
    autopilot_redundancy_zone: str = setting(values.text, "")
    retry_join_as_non_voter: bool = setting(values.boolean, default=False)
    raft_wal: bool = setting(values.boolean, default=False)
    raft_log_verifier_enabled: bool = setting(values.boolean, default=False)
    raft_log_verification_interval: float = setting(values.duration, 60.0)
    retry_join: tuple[RetryJoin, ...] = ()


@dataclass(frozen=True, slots=True)
class StorageConfig:
    """A storage stanza. `settings` are checked values by name, with secrets among them."""

    type: str
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    raft: RaftConfig | None = None
    place: Place | None = field(default=None, compare=False)

    @property
    def path(self) -> str:
        """Folder of the data, empty if the type has none."""
        return self.raft.path if self.raft is not None else str(self.settings.get("path", ""))


_POSTGRESQL: Final = {
    "connection_url": values.text,
    "table": values.text,
    "max_idle_connections": values.whole,
    "max_parallel": values.whole,
    "ha_enabled": values.boolean,
    "ha_table": values.text,
    "skip_create_table": values.boolean,
    "max_connect_retries": values.whole,
    "upsert_function": values.text,
}
_CONSUL: Final = {
    "address": values.text,
    "path": values.text,
    "scheme": values.text,
    "token": values.text,
    "consistency_mode": values.text,
    "max_parallel": values.whole,
    "session_ttl": values.duration,
    "lock_wait_time": values.duration,
    "service": values.text,
    "service_tags": values.texts,
    "service_address": values.text,
    "service_meta": values.mapping,
    "check_timeout": values.duration,
    "disable_registration": values.boolean,
    "tls_ca_file": values.text,
    "tls_cert_file": values.text,
    "tls_key_file": values.text,
    "tls_min_version": values.text,
    "tls_skip_verify": values.boolean,
}
_PARAMETERS: Final[Mapping[str, Mapping[str, Callable[[str, Value], Any]]]] = {
    "inmem": {},
    "file": {"path": values.text},
    "postgresql": _POSTGRESQL,
    "consul": _CONSUL,
}
_COMMON: Final[Mapping[str, Callable[[str, Value], Any]]] = {
    "api_addr": values.text,
    "redirect_addr": values.text,
    "cluster_addr": values.text,
    "disable_clustering": values.boolean,
}
"""Old places of top-level settings."""


def decode_storage(name: str, block: Block, report: Report) -> StorageConfig:
    """Read a stanza called `name`. Raises HCLError."""
    body = block.body
    kind = block.labels[0] if block.labels else ""
    if not kind and isinstance(found := body.find("type"), Literal):
        kind = found.text
    if not kind:
        raise HCLError(block.position, f"{name} type must be specified")
    place = report.place(block.position)
    common = {key: (key, read) for key, read in _COMMON.items()}
    if kind == "raft":
        raft_readers = readers_of(RaftConfig)
        given = decode({**raft_readers, **common}, body, report, {"retry_join", "type"})
        settings = {key: given.pop(key) for key in list(given) if key in common}
        joins = tuple(_retry_join(item.value, report) for item in body.named("retry_join"))
        raft = RaftConfig(**given, retry_join=tuple(join for some in joins for join in some))
        if raft.performance_multiplier not in range(11):
            raise HCLError(block.position, "performance_multiplier must be from 0 to 10")
        return StorageConfig(kind, settings, raft, place)
    known = _PARAMETERS.get(kind)
    if known is None:
        known = {item.name: values.anything for item in body.items}
    readers = {**common, **{key: (key, read) for key, read in known.items()}}
    return StorageConfig(kind, decode(readers, body, report, {"type"}), None, place)


def retry_join_of_text(text: str) -> tuple[RetryJoin, ...]:
    """`VAULT_RAFT_RETRY_JOIN`: a JSON list of objects. Raises HCLError."""
    tree = parse(f'{{"retry_join": {text}}}')
    value = tree.find("retry_join")
    return () if value is None else _retry_join(value, Report("VAULT_RAFT_RETRY_JOIN"))


def _retry_join(value: Value, report: Report) -> tuple[RetryJoin, ...]:
    found = []
    readers = readers_of(RetryJoin)
    for part in value.items if isinstance(value, ListValue) else (value,):
        if not isinstance(part, ObjectValue):
            raise HCLError(part.position, "retry_join must be a block")
        found.append(RetryJoin(**decode(readers, part, report)))
    return tuple(found)


def stanza(parent: ObjectValue, name: str, labels: int = 1) -> list[Block]:
    """Every block of a name. Raises HCLError if something else stands there."""
    for item in parent.named(name):
        parts = item.value.items if isinstance(item.value, ListValue) else (item.value,)
        for part in parts:
            if not isinstance(part, ObjectValue):
                raise HCLError(part.position, f"{name} must be a block")
    return list(blocks(parent, name, labels))
