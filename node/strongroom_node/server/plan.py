"""From flags and files to what a server is going to be. Reads files, changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from strongroom_node.config.addresses import AddressInvalid
from strongroom_node.config.load import Loaded, load
from strongroom_node.config.report import ConfigInvalid
from strongroom_node.config.sanitize import sanitized
from strongroom_node.config.schema import ServerConfig, development_config
from strongroom_node.core.core import CoreConfig
from strongroom_node.telemetry.log import LogSettings
from strongroom_node.telemetry.metrics import MetricsSettings, own_hostname

if TYPE_CHECKING:
    from strongroom_node.cli.commands.server import ServerOptions

_WILDCARDS = ("", "0.0.0.0", "::")  # noqa: S104 -- compared with, not bound


@dataclass(frozen=True, slots=True)
class Plan:
    """A checked configuration with the flags over it, and what its reading told."""

    config: ServerConfig
    loaded: Loaded


def read_plan(options: "ServerOptions", environ: Mapping[str, str], *, is_reload: bool = False) -> Plan:
    """Raises ConfigInvalid with file, line and column."""
    try:
        base = development_config(options.dev_listen_address) if options.dev else None
    except AddressInvalid as error:
        raise ConfigInvalid(f"-dev-listen-address: {error}") from None
    loaded = load(options.config_paths, environ, base, is_reload=is_reload)
    changes: dict[str, Any] = {
        name: value
        for name, value in (
            ("log_file", options.log_file),
            ("log_format", options.log_format),
            ("log_rotate_bytes", options.log_rotate_bytes),
            ("log_rotate_duration", options.log_rotate_seconds),
            ("log_rotate_max_files", options.log_rotate_files_max),
        )
        if value
    }
    if options.log_level and not (is_reload and "log_level" in loaded.given):
        changes["log_level"] = options.log_level
    config = replace(loaded.config, **changes)
    return Plan(_with_addresses(config), loaded)


def _with_addresses(config: ServerConfig) -> ServerConfig:
    """Advertise the first listener's address where nothing else is said and others could use it."""
    first = next((listener for listener in config.listeners if listener.type == "tcp"), None)
    if first is None or first.host in _WILDCARDS:
        return config
    scheme = "http" if first.tls_disable else "https"
    return replace(
        config,
        api_addr=config.api_addr or f"{scheme}://{first.address}",
        cluster_addr=config.cluster_addr or f"https://{first.cluster_address}",
    )


def log_settings(config: ServerConfig) -> LogSettings:
    """How to log."""
    return LogSettings(
        level=config.log_level,
        format=config.log_format,
        file=config.log_file,
        rotate_bytes=config.log_rotate_bytes,
        rotate_seconds=config.log_rotate_duration,
        rotate_files_max=config.log_rotate_max_files,
    )


def metrics_settings(config: ServerConfig) -> MetricsSettings:
    """How to count."""
    given = config.telemetry
    hostname = own_hostname()
    return MetricsSettings(
        prefix=given.metrics_prefix,
        hostname="" if given.disable_hostname or given.enable_hostname_label else hostname,
        host_label=hostname if given.enable_hostname_label else "",
        allows_by_default=given.filter_default,
        filters=given.prefix_filter,
        series_max=max(given.maximum_gauge_cardinality, 1),
        prometheus_seconds=given.prometheus_retention_time,
        usage_seconds=given.usage_gauge_period,
        lease_bucket_seconds=given.lease_metrics_epsilon,
        lease_buckets=given.num_lease_metrics_buckets,
    )


def core_config(config: ServerConfig, options: "ServerOptions", root_token: str) -> CoreConfig:
    """What the core is told. `root_token` is a development server's, else empty."""
    return CoreConfig(
        default_lease_ttl=config.default_lease_ttl,
        max_lease_ttl=config.max_lease_ttl,
        cluster_name=config.cluster_name,
        api_addr=config.api_addr,
        cluster_addr=config.cluster_addr,
        storage_type=config.storage.type if config.storage is not None else "inmem",
        raw_endpoint=config.raw_storage_endpoint,
        user_lockout={kind: dict(given) for kind, given in config.user_lockout.items()},
        sanitized=sanitized(config),
        dev_root_token=root_token,
        dev_kv_version="1" if options.dev_kv_v1 else "2",
        is_dev=options.dev,
    )
