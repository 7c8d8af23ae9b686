"""`operator members`."""

from typing import Final

from strongroom_node.cli.command import FORMAT, OK, Command
from strongroom_node.cli.context import Context
from strongroom_node.cli.output import print_value
from strongroom_node.cli.plain import plain
from strongroom_node.cli.table import table

COLUMNS: Final = {
    "Host Name": "hostname",
    "API Address": "api_address",
    "Cluster Address": "cluster_address",
    "Active Node": "active_node",
    "Version": "version",
    "Upgrade Version": "upgrade_version",
    "Redundancy Zone": "redundancy_zone",
    "Last Echo": "last_echo",
}


def _run(context: Context) -> int:
    body = context.call("", "GET", "sys/ha-status").data()
    if context.format != "table":
        return print_value(context, body)
    nodes = body.get("nodes")
    members = [node for node in nodes if isinstance(node, dict)] if isinstance(nodes, list) else []
    has_zones = any(node.get("redundancy_zone") for node in members)
    shown = {title: key for title, key in COLUMNS.items() if has_zones or key != "redundancy_zone"}
    rows = [["" if node.get(key) is None else plain(node[key]) for key in shown.values()] for node in members]
    context.streams.line(table(list(shown), rows))
    return OK


MEMBERS: Final = Command("[options]", "Lists the nodes of the cluster, and which one is active.", _run, flags=(FORMAT,))
