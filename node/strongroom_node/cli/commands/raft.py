"""`operator raft join`, `list-peers`, `remove-peer`, `promote` and `demote`."""

from typing import Final

from strongroom_node.cli.command import FORMAT, MANY, OK, SERVER_ERROR, Command, CommandFailed, Flag, UsageFailed
from strongroom_node.cli.context import Context
from strongroom_node.cli.output import print_secret, print_value
from strongroom_node.cli.plain import plain
from strongroom_node.cli.table import table

CONFIGURATION: Final = "sys/storage/raft/configuration"


def _text_or_file(value: str) -> str:
    """A flag's value, or the contents of the file it names with "@". Raises UsageFailed."""
    if not value.startswith("@"):
        return value
    try:
        with open(value[1:], encoding="utf-8") as file:  # noqa: PTH123  -- pathlib costs 5 ms
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageFailed(f"Failed to read {value[1:]}") from error


def _join(context: Context) -> int:
    flags = context.flags
    address = context.arguments[0].strip() if context.arguments else ""
    is_auto = address.startswith("provider=")
    body = {
        "auto_join": address if is_auto else "",
        "auto_join_scheme": flags.text("auto-join-scheme") if is_auto else "",
        "auto_join_port": flags.number("auto-join-port") if is_auto else 0,
        "leader_api_addr": "" if is_auto else address,
        "leader_ca_cert": _text_or_file(flags.text("leader-ca-cert")),
        "leader_client_cert": _text_or_file(flags.text("leader-client-cert")),
        "leader_client_key": _text_or_file(flags.text("leader-client-key")),
        "retry": flags.on("retry"),
        "non_voter": flags.on("non-voter"),
    }
    joined = context.call("Error joining the node to the Raft cluster", "POST", "sys/storage/raft/join", body).data()
    if context.format != "table":
        return print_value(context, joined)
    context.streams.line(table(("Key", "Value"), [("Joined", plain(bool(joined.get("joined"))))]))
    return OK


def _list_peers(context: Context) -> int:
    try:
        secret = context.call("Error reading the raft cluster configuration", "GET", CONFIGURATION).secret()
    except CommandFailed as error:
        if getattr(error.__cause__, "status", 0) != 404:
            raise
        secret = None
    config = (secret.data or {}).get("config") if secret is not None else None
    if secret is None or not isinstance(config, dict):
        context.streams.note("No raft cluster configuration found")
        return SERVER_ERROR
    if context.format != "table":
        return print_secret(context, secret)
    servers = config.get("servers")
    rows = [
        [
            plain(server.get("node_id", "")),
            plain(server.get("address", "")),
            "leader" if server.get("leader") else "follower",
            plain(bool(server.get("voter"))),
        ]
        for server in (servers if isinstance(servers, list) else [])
        if isinstance(server, dict)
    ]
    context.streams.line(table(("Node", "Address", "State", "Voter"), rows))
    return OK


def _server_id(context: Context) -> str:
    if len(context.arguments) != 1:
        raise UsageFailed(f"Incorrect arguments (expected 1, got {len(context.arguments)})")
    return context.arguments[0].strip()


def _remove(context: Context) -> int:
    body = {"server_id": _server_id(context)}
    context.call("Error removing the peer from raft cluster", "PUT", "sys/storage/raft/remove-peer", body)
    context.streams.line("Peer removed successfully!")
    return OK


def _promote(context: Context) -> int:
    body = {"server_id": _server_id(context)}
    context.call("Error promoting the server", "PUT", "sys/storage/raft/promote", body)
    context.streams.line("Server promoted successfully!")
    return OK


def _demote(context: Context) -> int:
    body = {"server_id": _server_id(context)}
    context.call("Error demoting the server", "PUT", "sys/storage/raft/demote", body)
    context.streams.line("Server demoted successfully!")
    return OK


JOIN: Final = Command(
    "[options] [LEADER_ADDRESS]",
    """Joins this node to the cluster whose leader has that API address.

    $ vault operator raft join https://first.example.com:8200""",
    _join,
    flags=(
        FORMAT,
        Flag("auto-join-port", "The port of servers found by discovery.", kind="uint", default="8200"),
        Flag("auto-join-scheme", "The scheme of servers found by discovery.", default="https"),
        Flag("leader-ca-cert", 'The CA certificate of the leader, or "@" and a file.'),
        Flag("leader-client-cert", 'A client certificate for the leader, or "@" and a file.'),
        Flag("leader-client-key", 'Its private key, or "@" and a file.'),
        Flag("non-voter", "Join without a vote.", kind="bool"),
        Flag("retry", "Go on trying while the leader cannot be reached.", kind="bool"),
    ),
    arguments_max=1,
)
LIST_PEERS: Final = Command("[options]", "Lists the servers of the raft cluster.", _list_peers, flags=(FORMAT,))
REMOVE_PEER: Final = Command(
    "[options] SERVER_ID",
    "Removes a server from the raft cluster.",
    _remove,
    flags=(FORMAT,),
    arguments_max=MANY,
)
PROMOTE: Final = REMOVE_PEER._replace(help="Gives a permanent non-voter a vote.", run=_promote)
DEMOTE: Final = REMOVE_PEER._replace(help="Takes a server's vote for good.", run=_demote)
