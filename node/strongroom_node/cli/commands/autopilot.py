"""`operator raft autopilot`."""

from typing import Any, Final

from strongroom_node.cli.command import FORMAT, OK, Command, CommandFailed, Flag
from strongroom_node.cli.context import Context
from strongroom_node.cli.output import print_secret, print_value
from strongroom_node.cli.plain import plain
from strongroom_node.cli.table import key_value
from strongroom_node.client.durations import format_duration
from strongroom_node.client.errors import APIError
from strongroom_node.client.secret import Body

CONFIG_PATH: Final = "sys/storage/raft/autopilot/configuration"
CONFIG: Final = {
    "cleanup_dead_servers": "Cleanup Dead Servers",
    "last_contact_threshold": "Last Contact Threshold",
    "dead_server_last_contact_threshold": "Dead Server Last Contact Threshold",
    "server_stabilization_time": "Server Stabilization Time",
    "min_quorum": "Min Quorum",
    "max_trailing_logs": "Max Trailing Logs",
}
SERVER: Final = {
    "name": "Name",
    "address": "Address",
    "status": "Status",
    "node_status": "Node Status",
    "healthy": "Healthy",
    "last_contact": "Last Contact",
    "last_term": "Last Term",
    "last_index": "Last Index",
    "version": "Version",
    "upgrade_version": "Upgrade Version",
    "redundancy_zone": "Redundancy Zone",
    "node_type": "Node Type",
}
CAMEL: Final = {"id": "ID"}


def _read(context: Context, path: str) -> Body:
    """The answer's data; empty where the storage is not raft."""
    try:
        return context.call("", "GET", path).data()
    except CommandFailed as error:
        if isinstance(error.__cause__, APIError) and error.__cause__.status == 404:
            return {}
        raise


def _get_config(context: Context) -> int:
    config = _read(context, CONFIG_PATH)
    if not config:
        return OK
    if context.format != "table":
        return print_value(context, config)
    rows = [(title, plain(config[key])) for key, title in CONFIG.items() if key in config]
    context.streams.line(key_value(rows))
    return OK


def _set_config(context: Context) -> int:
    flags = context.flags
    body: dict[str, Any] = {}
    for name in ("min-quorum", "max-trailing-logs"):
        if flags.given(name):
            body[name.replace("-", "_")] = flags.number(name)
    for name in ("last-contact-threshold", "dead-server-last-contact-threshold", "server-stabilization-time"):
        if flags.given(name):
            body[name.replace("-", "_")] = format_duration(flags.number(name))
    if flags.given("cleanup-dead-servers"):
        body["cleanup_dead_servers"] = flags.on("cleanup-dead-servers")
    return print_secret(context, context.call("", "PUT", CONFIG_PATH, body).secret())


def _state(context: Context) -> int:
    state = _read(context, "sys/storage/raft/autopilot/state")
    if not state:
        return OK
    if context.format != "table":
        return print_value(context, _renamed(state))
    lines = [
        f"{'Healthy:':<33}{plain(bool(state.get('healthy')))}",
        f"{'Failure Tolerance:':<33}{plain(state.get('failure_tolerance', 0))}",
        f"{'Leader:':<33}{plain(state.get('leader', ''))}",
        "Voters:",
        *(f"   {voter}" for voter in _list(state.get("voters"))),
    ]
    if _list(state.get("non_voters")):
        lines += ["Non Voters:", *(f"   {voter}" for voter in _list(state["non_voters"]))]
    lines.append("Servers:")
    servers = state.get("servers")
    for name, server in sorted((servers if isinstance(servers, dict) else {}).items()):
        lines.append(f"   {name}")
        lines += [f"      {title + ':':<19}{plain(server[key])}" for key, title in SERVER.items() if server.get(key)]
    context.streams.line("\n".join(lines) + "\n")
    return OK


def _list(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _renamed(value: Any) -> Any:
    """The state with keys as Vault's program names them (`FailureTolerance`), server names left alone."""
    renamed: Body = {}
    for key, item in value.items():
        if key == "servers" and isinstance(item, dict):
            renamed["Servers"] = {name: _renamed(server) for name, server in item.items()}
        else:
            renamed[CAMEL.get(key, key.title().replace("_", ""))] = item
    return renamed


GET_CONFIG: Final = Command("[options]", "Shows how autopilot is set up.", _get_config, flags=(FORMAT,))
STATE: Final = Command("[options]", "Shows how autopilot sees each server.", _state, flags=(FORMAT,))
SET_CONFIG: Final = Command(
    "[options]",
    "Changes how autopilot is set up; what is not given stays.",
    _set_config,
    flags=(
        FORMAT,
        Flag("cleanup-dead-servers", "Whether dead servers are removed.", kind="*bool"),
        Flag("dead-server-last-contact-threshold", "How long without contact makes a server dead.", kind="duration"),
        Flag("last-contact-threshold", "How long without contact makes a server unhealthy.", kind="duration"),
        Flag("max-trailing-logs", "How many entries a healthy server may be behind.", kind="uint"),
        Flag("min-quorum", "Below this many servers, dead ones are not removed.", kind="uint"),
        Flag("server-stabilization-time", "How long a server must be healthy to get a vote.", kind="duration"),
    ),
)
