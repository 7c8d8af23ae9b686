"""What this version can do of what a configuration may say: the only list."""

from importlib.metadata import entry_points
from typing import Final

STORAGE_TYPES: Final = frozenset({"file", "inmem", "raft"})
SEAL_TYPES: Final = frozenset({"shamir", "static"})
SEAL_ENTRY_POINTS: Final = "strongroom.seals"

KNOWN_STORAGE_TYPES: Final = frozenset({
    "aerospike", "alicloudoss", "azure", "cassandra", "cockroachdb", "consul", "couchdb", "dynamodb", "etcd", "file",
    "foundationdb", "gcs", "inmem", "manta", "mssql", "mysql", "oci", "postgresql", "raft", "s3", "spanner", "swift",
    "zookeeper",
})  # fmt: skip
"""What Vault and OpenBao have, so that the message can tell a missing type from a misspelt one."""

BLOCKS: Final = frozenset(
    {
        "audit",
        "entropy",
        "initialize",
        "kms_library",
        "plugin",
        "replication",
        "reporting",
        "request_limiter",
        "adaptive_overload_protection",
        "sentinel",
    }
)
"""Top-level blocks that are read past."""

SETTINGS: Final = frozenset(
    {
        "administrative_namespace_path",
        "allow_audit_log_prefixing",
        "allow_unauthenticated_workflows",
        "cluster_cipher_suites",
        "detect_deadlocks",
        "disable_cache",
        "disable_clustering",
        "disable_indexing",
        "disable_performance_standby",
        "disable_printable_check",
        "disable_sealwrap",
        "disable_sentinel_trace",
        "disable_sscts",
        "disable_standby_reads",
        "enable_post_unseal_trace",
        "enable_unauthenticated_access",
        "experiments",
        "imprecise_lease_role_tracking",
        "introspection_endpoint",
        "license_path",
        "plugin_auto_download",
        "plugin_auto_register",
        "plugin_directory",
        "plugin_download_behavior",
        "plugin_download_max_size",
        "plugin_file_permissions",
        "plugin_file_uid",
        "plugin_tmpdir",
        "post_unseal_trace_directory",
        "remove_irrevocable_lease_after",
        "unsafe_cross_namespace_identity",
        "unsafe_relative_paths",
        "workers",
    }
)
"""Top-level settings without effect; one that was given gets a notice unless it asks for nothing."""

LISTENER_PREFIXES: Final = (
    "chroot_namespace",
    "purpose",
    "redact_",
    "tls_acme_",
    "tls_prefer_server_cipher_suites",
    "x_forwarded_for_client_cert_",
)
TELEMETRY_PREFIXES: Final = ("circonus_", "dogstatsd_", "stackdriver_", "statsd_", "statsite_")
RAFT_PREFIXES: Final = ("autopilot_", "performance_multiplier", "raft_", "retry_join")
"""Settings inside stanzas without effect, by what their names begin with."""


def has_seal(kind: str) -> bool:
    """Whether a seal type is built in or installed."""
    return kind in SEAL_TYPES or bool(entry_points(group=SEAL_ENTRY_POINTS, name=kind))
