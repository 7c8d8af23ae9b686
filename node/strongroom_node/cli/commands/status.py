"""`status`: seal and high availability."""

from typing import Final

from strongroom_node.cli.command import FORMAT, OK, SERVER_ERROR, Command, CommandFailed
from strongroom_node.cli.context import Context
from strongroom_node.cli.output import print_value
from strongroom_node.cli.plain import plain
from strongroom_node.cli.table import key_value
from strongroom_node.client.errors import APIError
from strongroom_node.client.secret import Body

HELP: Final = """Prints whether the server is initialized and sealed, and its place in the cluster.

The exit code tells the seal's state:

  - 0 - unsealed
  - 1 - error
  - 2 - sealed"""
SEAL_KEYS: Final = (
    "type",
    "initialized",
    "sealed",
    "t",
    "n",
    "progress",
    "nonce",
    "version",
    "build_date",
    "migration",
    "cluster_name",
    "cluster_id",
    "recovery_seal",
    "storage_type",
)
LEADER_KEYS: Final = (
    "ha_enabled",
    "is_self",
    "active_time",
    "leader_address",
    "leader_cluster_address",
    "performance_standby",
    "performance_standby_last_remote_wal",
    "last_wal",
    "raft_committed_index",
    "raft_applied_index",
)
_OMITTED_WHEN_EMPTY: Final = frozenset({"cluster_name", "cluster_id", *LEADER_KEYS}) - {"ha_enabled"}


def read_status(context: Context) -> Body:
    """The seal's status with the leader's, keys in Vault's order. Raises CommandFailed with exit code 1."""
    try:
        seal = context.call("Error checking seal status", "GET", "sys/seal-status").data()
        return join_status(seal, leader_status(context, is_sealed=bool(seal.get("sealed"))))
    except CommandFailed as error:
        raise CommandFailed(str(error), 1) from error


def leader_status(context: Context, *, is_sealed: bool) -> Body:
    """What the node says of its cluster; a sealed node says only whether there is one."""
    try:
        return context.call("Error checking leader status", "GET", "sys/leader").data()
    except CommandFailed as error:
        if is_sealed and isinstance(error.__cause__, APIError):
            return {"ha_enabled": True} if error.__cause__.status == 503 else {}
        raise


def join_status(seal: Body, leader: Body) -> Body:
    """One map of both answers."""
    joined = {key: seal[key] for key in (*SEAL_KEYS, *sorted(set(seal) - set(SEAL_KEYS))) if key in seal}
    joined.update({key: leader[key] for key in LEADER_KEYS if key in leader})
    joined.setdefault("ha_enabled", False)
    ordered = {key: joined[key] for key in (*SEAL_KEYS, *LEADER_KEYS) if key in joined}
    return {key: value for key, value in ordered.items() if value or key not in _OMITTED_WHEN_EMPTY}


def print_status(context: Context, status: Body) -> None:
    """The table, or the map in the asked format."""
    if context.format == "table":
        context.streams.line(key_value(status_rows(status)))
    else:
        print_value(context, status)


def status_rows(status: Body) -> list[tuple[str, str]]:
    """The rows of the table."""

    def cell(key: str) -> str:
        return plain(status.get(key, ""))

    is_recovery = bool(status.get("recovery_seal"))
    prefix = "Recovery " if is_recovery else ""
    rows = [("Seal Type", cell("type"))]
    if is_recovery:
        rows.append(("Recovery Seal Type", str(status.get("recovery_seal_type") or "shamir")))
    rows += [("Initialized", cell("initialized")), ("Sealed", cell("sealed"))]
    rows += [(f"Total {prefix}Shares", cell("n")), ("Threshold", cell("t"))]
    if status.get("sealed"):
        rows.append((f"Unseal {prefix}Progress".replace("  ", " "), f"{cell('progress')}/{cell('t')}"))
        rows.append((f"Unseal {prefix}Nonce".replace("  ", " "), cell("nonce")))
    if status.get("migration"):
        rows.append(("Seal Migration in Progress", "true"))
    rows += [("Version", cell("version")), ("Build Date", cell("build_date"))]
    rows.append(("Storage Type", cell("storage_type")))
    if status.get("cluster_name"):
        rows += [("Cluster Name", cell("cluster_name")), ("Cluster ID", cell("cluster_id"))]
    rows.append(("HA Enabled", cell("ha_enabled")))
    if status.get("ha_enabled") and not status.get("sealed"):
        rows += _ha_rows(status)
    for key, title in (
        ("raft_committed_index", "Raft Committed Index"),
        ("raft_applied_index", "Raft Applied Index"),
        ("last_wal", "Last WAL"),
    ):
        if status.get(key):
            rows.append((title, cell(key)))
    return rows


def _ha_rows(status: Body) -> list[tuple[str, str]]:
    rows = [("HA Cluster", str(status.get("leader_cluster_address") or "n/a"))]
    if status.get("is_self"):
        return [*rows, ("HA Mode", "active"), ("Active Since", plain(status.get("active_time", "")))]
    is_performance = bool(status.get("performance_standby"))
    rows.append(("HA Mode", "performance standby" if is_performance else "standby"))
    rows.append(("Active Node Address", str(status.get("leader_address") or "<none>")))
    if is_performance:
        rows.append(("Performance Standby Node", "true"))
    return rows


def _run(context: Context) -> int:
    status = read_status(context)
    print_status(context, status)
    return SERVER_ERROR if status.get("sealed") else OK


STATUS: Final = Command("[options]", HELP, _run, flags=(FORMAT,))
