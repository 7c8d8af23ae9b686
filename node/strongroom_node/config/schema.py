"""The whole configuration of a server, as a frozen value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from strongroom_node.config import values
from strongroom_node.config.addresses import split_address
from strongroom_node.config.decode import readers_of, setting
from strongroom_node.config.listener import ListenerConfig
from strongroom_node.config.seal import SealConfig
from strongroom_node.config.storage import StorageConfig
from strongroom_node.config.telemetry import TelemetryConfig
from strongroom_node.hcl import HCLError, Literal, Value

LEASE_TTL_SECONDS: Final = 2_764_800.0
"""Vault's 768 hours, both for the default and the maximum."""


def _log_level(name: str, value: Value) -> str:
    level = values.text(name, value).strip().lower()
    known = {"warning": "warn", "err": "error", "notice": "info", "": "info"}
    level = known.get(level, level)
    if level not in ("trace", "debug", "info", "warn", "error"):
        raise HCLError(value.position, f"{name} must be trace, debug, info, warn or error")
    return level


def _log_format(name: str, value: Value) -> str:
    given = values.text(name, value).strip().lower()
    if given not in ("", "standard", "json"):
        raise HCLError(value.position, f"{name} must be standard or json")
    return given or "standard"


def _workers(name: str, value: Value) -> int:
    """A count; `auto` is -1."""
    if isinstance(value, Literal) and value.text.lower() == "auto":
        return -1
    return values.whole(name, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """What a server is told. Durations are seconds; empty texts mean not set."""

    storage: StorageConfig | None = None
    ha_storage: StorageConfig | None = None
    listeners: tuple[ListenerConfig, ...] = ()
    seals: tuple[SealConfig, ...] = ()
    telemetry: TelemetryConfig = field(default_factory=TelemetryConfig)
    user_lockout: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By `all`, `userpass`, `ldap` or `approle`: Vault's settings, durations in seconds."""
    service_registration: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)

    api_addr: str = setting(values.text, "", aliases=("redirect_addr", "advertise_addr"))
    cluster_addr: str = setting(values.text, "")
    cluster_name: str = setting(values.text, "")
    cluster_cipher_suites: str = setting(values.text, "")
    disable_clustering: bool = setting(values.boolean, default=False)
    disable_standby_reads: bool = setting(values.boolean, default=False)

    ui: bool = setting(values.boolean, default=False)
    default_lease_ttl: float = setting(values.duration, LEASE_TTL_SECONDS)
    max_lease_ttl: float = setting(values.duration, LEASE_TTL_SECONDS)
    default_max_request_duration: float = setting(values.duration, 90.0)
    cache_size: int = setting(values.whole, 131_072)
    disable_cache: bool = setting(values.boolean, default=False)
    disable_mlock: bool = setting(values.boolean, default=False)
    disable_printable_check: bool = setting(values.boolean, default=False)
    disable_sealwrap: bool = setting(values.boolean, default=False)
    disable_indexing: bool = setting(values.boolean, default=False)
    disable_performance_standby: bool = setting(values.boolean, default=False)
    disable_sentinel_trace: bool = setting(values.boolean, default=False)
    disable_sscts: bool = setting(values.boolean, default=False, aliases=("disable_ssct_tokens",))
    raw_storage_endpoint: bool = setting(values.boolean, default=False)
    introspection_endpoint: bool = setting(values.boolean, default=False)
    enable_response_header_hostname: bool = setting(values.boolean, default=False)
    enable_response_header_raft_node_id: bool = setting(values.boolean, default=False)
    enable_unauthenticated_access: tuple[str, ...] = setting(values.texts, ())
    imprecise_lease_role_tracking: bool = setting(values.boolean, default=False)
    remove_irrevocable_lease_after: float = setting(values.duration, 0.0)
    detect_deadlocks: str = setting(values.text, "")
    experiments: tuple[str, ...] = setting(values.texts, ())

    log_level: str = setting(_log_level, "info")
    log_format: str = setting(_log_format, "standard")
    log_file: str = setting(values.text, "")
    log_rotate_bytes: int = setting(values.size, 0)
    log_rotate_duration: float = setting(values.duration, 86_400.0)
    log_rotate_max_files: int = setting(values.whole, 0)
    log_requests_level: str = setting(values.text, "")
    pid_file: str = setting(values.text, "")
    enable_post_unseal_trace: bool = setting(values.boolean, default=False)
    post_unseal_trace_directory: str = setting(values.text, "")

    plugin_directory: str = setting(values.text, "")
    plugin_tmpdir: str = setting(values.text, "")
    plugin_file_uid: int = setting(values.whole, 0)
    plugin_file_permissions: int = setting(values.octal, 0)
    plugin_auto_download: bool = setting(values.boolean, default=False)
    plugin_auto_register: bool = setting(values.boolean, default=False)
    plugin_download_behavior: str = setting(values.text, "")
    plugin_download_max_size: int = setting(values.size, 0)

    unsafe_allow_api_audit_creation: bool = setting(values.boolean, default=True)
    """True unlike OpenBao's: the API may enable audit devices, below `audit_file_dirs` only."""
    allow_audit_log_prefixing: bool = setting(values.boolean, default=False)
    audit_file_dirs: tuple[str, ...] = setting(values.texts, ())
    """Folders for audit files of the API; empty for the built-in list."""
    unsafe_cross_namespace_identity: bool = setting(values.boolean, default=False)
    unsafe_relative_paths: bool = setting(values.boolean, default=False)
    allow_unauthenticated_workflows: bool = setting(values.boolean, default=False)
    administrative_namespace_path: str = setting(values.text, "")
    license_path: str = setting(values.text, "")
    workers: int = setting(_workers, 0)
    """API processes beside the first; -1 for one fewer than the cores."""


SCALARS: Final[Mapping[str, tuple[str, Callable[[str, Value], Any]]]] = readers_of(ServerConfig)
"""Top-level keys that are no blocks."""


def development_config(address: str = "127.0.0.1:8200") -> ServerConfig:
    """What `server -dev` starts from: everything in memory, one listener without TLS."""
    host, port = split_address(address)
    shown = f"[{host}]" if ":" in host else host
    listener = ListenerConfig(
        address=f"{shown}:{port}",
        cluster_address=f"{shown}:{port + 1}",
        tls_disable=True,
        shown={"address": f"{shown}:{port}", "tls_disable": True},
    )
    return ServerConfig(
        storage=StorageConfig("inmem"),
        listeners=(listener,),
        disable_mlock=True,
        ui=True,
        telemetry=TelemetryConfig(disable_hostname=True),
    )
