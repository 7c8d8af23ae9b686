"""The one list of commands: where each is, and a line about it. Nothing is imported before it runs."""

from typing import Final

from strongroom_node.cli.command import Entry, Group

Node = Entry | Group


def _leaf(place: str, summary: str, *, is_common: bool = False, is_hidden: bool = False) -> Entry:
    module, _, attribute = place.partition(":")
    return Entry(module, attribute, summary, is_common, is_hidden)


_AUDIT = Group(
    "Interact with audit devices",
    "Enables, disables and lists the devices that keep a record of every request.",
    {
        "disable": _leaf("audit:DISABLE", "Disables an audit device"),
        "enable": _leaf("audit:ENABLE", "Enables an audit device"),
        "list": _leaf("audit:LIST", "Lists enabled audit devices"),
    },
)
_AUTH = Group(
    "Interact with auth methods",
    'Manages the auth methods themselves. To authenticate, use the "login" command.',
    {
        "disable": _leaf("auth:DISABLE", "Disables an auth method"),
        "enable": _leaf("auth:ENABLE", "Enables a new auth method"),
        "help": _leaf("auth_help:HELP", "Prints usage for an auth method"),
        "list": _leaf("auth:LIST", "Lists enabled auth methods"),
        "move": _leaf("auth:MOVE", "Moves an auth method to a new path"),
        "tune": _leaf("auth:TUNE", "Tunes an auth method configuration"),
    },
)
_KV_METADATA = Group(
    "Interact with the metadata of a versioned key",
    "Reads, writes and deletes what is known about a key: its versions, its limits, its custom metadata.",
    {
        "delete": _leaf("kv_metadata:DELETE", "Deletes all versions and metadata for a key"),
        "get": _leaf("kv_metadata:GET", "Retrieves key metadata"),
        "patch": _leaf("kv_metadata:PATCH", "Patches key settings"),
        "put": _leaf("kv_metadata:PUT", "Sets or updates key settings"),
    },
)
_KV = Group(
    "Interact with key-value storage",
    "Works with keys and values of both versions of the engine, and finds out by itself which one a path has.",
    {
        "delete": _leaf("kv_versions:DELETE", "Deletes versions of a key"),
        "destroy": _leaf("kv_versions:DESTROY", "Removes versions of a key for good"),
        "enable-versioning": _leaf("kv_versions:ENABLE_VERSIONING", "Turns on versioning"),
        "get": _leaf("kv:GET", "Retrieves data"),
        "list": _leaf("kv:LIST", "Lists keys"),
        "metadata": _KV_METADATA,
        "patch": _leaf("kv:PATCH", "Updates data without overwriting what is not named"),
        "put": _leaf("kv:PUT", "Sets or updates data"),
        "rollback": _leaf("kv_versions:ROLLBACK", "Goes back to an earlier version of data"),
        "undelete": _leaf("kv_versions:UNDELETE", "Restores deleted versions"),
    },
)
_LEASE = Group(
    "Interact with leases",
    "Looks up, renews and revokes the leases of secrets.",
    {
        "lookup": _leaf("lease:LOOKUP", "Looks up a lease"),
        "renew": _leaf("lease:RENEW", "Renews the lease of a secret"),
        "revoke": _leaf("lease:REVOKE", "Revokes leases and secrets"),
    },
)
_NAMESPACE = Group(
    "Interact with namespaces",
    "Creates, changes, locks and deletes namespaces.",
    {
        "create": _leaf("namespace:CREATE", "Creates a namespace"),
        "delete": _leaf("namespace:DELETE", "Deletes a namespace"),
        "list": _leaf("namespace:LIST", "Lists child namespaces"),
        "lock": _leaf("namespace:LOCK", "Locks the API of a namespace"),
        "lookup": _leaf("namespace:LOOKUP", "Looks up a namespace"),
        "patch": _leaf("namespace:PATCH", "Patches a namespace"),
        "unlock": _leaf("namespace:UNLOCK", "Unlocks the API of a namespace"),
    },
)
_AUTOPILOT = Group(
    "Interact with autopilot",
    "Shows and changes how integrated storage looks after its own servers.",
    {
        "get-config": _leaf("autopilot:GET_CONFIG", "Shows the configuration of autopilot"),
        "set-config": _leaf("autopilot:SET_CONFIG", "Changes the configuration of autopilot"),
        "state": _leaf("autopilot:STATE", "Shows the cluster as autopilot sees it"),
    },
)
_SNAPSHOT = Group(
    "Save and restore the whole storage",
    "Saves a snapshot of the cluster's storage to a file, and puts one back.",
    {
        "restore": _leaf("snapshot:RESTORE", "Installs a snapshot"),
        "save": _leaf("snapshot:SAVE", "Saves a snapshot to a file"),
    },
)
_RAFT = Group(
    "Interact with the raft storage backend",
    "Works with the servers and the data of integrated storage.",
    {
        "autopilot": _AUTOPILOT,
        "demote": _leaf("raft:DEMOTE", "Makes a voter a permanent non-voter"),
        "join": _leaf("raft:JOIN", "Joins this node to a cluster"),
        "list-peers": _leaf("raft:LIST_PEERS", "Lists the servers of the cluster"),
        "promote": _leaf("raft:PROMOTE", "Makes a permanent non-voter a voter"),
        "remove-peer": _leaf("raft:REMOVE_PEER", "Removes a server from the cluster"),
        "snapshot": _SNAPSHOT,
    },
)
_OPERATOR = Group(
    "Perform operator-specific tasks",
    "The work of those who run a cluster: keys, seals, leadership, storage.",
    {
        "diagnose": _leaf("diagnose:DIAGNOSE", "Looks for what keeps a server from starting"),
        "generate-root": _leaf("generate_root:GENERATE_ROOT", "Generates a new root token"),
        "init": _leaf("init:INIT", "Initializes a server"),
        "key-status": _leaf("keys:KEY_STATUS", "Tells about the active encryption key"),
        "members": _leaf("members:MEMBERS", "Lists the nodes of the cluster"),
        "raft": _RAFT,
        "rekey": _leaf("rekey:REKEY", "Generates new unseal keys"),
        "rotate": _leaf("keys:ROTATE", "Rotates the underlying encryption key"),
        "seal": _leaf("unseal:SEAL", "Seals the server"),
        "step-down": _leaf("unseal:STEP_DOWN", "Forces the active node to step down"),
        "unseal": _leaf("unseal:UNSEAL", "Unseals the server"),
    },
)
_PLUGIN = Group(
    "Interact with plugins and the plugin catalog",
    "Lists, registers and reloads the plugins that make engines and auth methods.",
    {
        "deregister": _leaf("plugin:DEREGISTER", "Removes a plugin from the catalog"),
        "info": _leaf("plugin:INFO", "Tells about a plugin"),
        "list": _leaf("plugin:LIST", "Lists the plugins of the catalog"),
        "register": _leaf("plugin:REGISTER", "Adds a plugin to the catalog"),
        "reload": _leaf("plugin:RELOAD", "Reloads mounted plugins"),
        "reload-status": _leaf("plugin:RELOAD_STATUS", "Tells how a reload went"),
    },
)
_POLICY = Group(
    "Interact with policies",
    "Reads, writes, lists and formats the policies that say who may do what.",
    {
        "delete": _leaf("policy:DELETE", "Deletes a policy by name"),
        "fmt": _leaf("policy:FMT", "Formats a policy file"),
        "list": _leaf("policy:LIST", "Lists the installed policies"),
        "read": _leaf("policy:READ", "Prints a policy"),
        "write": _leaf("policy:WRITE", "Uploads a policy from a file"),
    },
)
_PRINT = Group(
    "Print values the command line works with",
    "Prints what commands would use after looking at the environment and the token helper.",
    {"token": _leaf("printing:TOKEN", "Prints the token in use")},
)
_SECRETS = Group(
    "Interact with secrets engines",
    "Enables, tunes, moves, lists and disables secrets engines.",
    {
        "disable": _leaf("secrets:DISABLE", "Disables a secrets engine"),
        "enable": _leaf("secrets:ENABLE", "Enables a secrets engine"),
        "list": _leaf("secrets:LIST", "Lists enabled secrets engines"),
        "move": _leaf("secrets:MOVE", "Moves a secrets engine to a new path"),
        "tune": _leaf("secrets:TUNE", "Tunes a secrets engine configuration"),
    },
)
_TOKEN = Group(
    "Interact with tokens",
    "Creates, looks up, renews and revokes tokens.",
    {
        "capabilities": _leaf("token:CAPABILITIES", "Prints what a token may do on a path"),
        "create": _leaf("token_create:CREATE", "Creates a new token"),
        "lookup": _leaf("token:LOOKUP", "Displays information about a token"),
        "renew": _leaf("token:RENEW", "Renews a token lease"),
        "revoke": _leaf("token:REVOKE", "Revokes a token and its children"),
    },
)

COMMANDS: Final[dict[str, Node]] = {
    "read": _leaf("data:READ", "Read data and retrieve secrets", is_common=True),
    "write": _leaf("data:WRITE", "Write data, configuration, and secrets", is_common=True),
    "delete": _leaf("data:DELETE", "Delete secrets and configuration", is_common=True),
    "list": _leaf("data:LIST", "List data or secrets", is_common=True),
    "login": _leaf("login:LOGIN", "Authenticate locally", is_common=True),
    "agent": _leaf("absent:AGENT", "Start an agent", is_common=True),
    "server": _leaf("server:SERVER", "Start a server", is_common=True),
    "status": _leaf("status:STATUS", "Print seal and HA status", is_common=True),
    "unwrap": _leaf("data:UNWRAP", "Unwrap a wrapped secret", is_common=True),
    "audit": _AUDIT,
    "auth": _AUTH,
    "debug": _leaf("debug:DEBUG", "Record a server's state for a while"),
    "kv": _KV,
    "lease": _LEASE,
    "monitor": _leaf("monitor:MONITOR", "Stream the log messages of a server"),
    "namespace": _NAMESPACE,
    "operator": _OPERATOR,
    "patch": _leaf("data:PATCH", "Patch data, configuration, and secrets"),
    "path-help": _leaf("path_help:PATH_HELP", "Retrieve API help for paths"),
    "plugin": _PLUGIN,
    "policy": _POLICY,
    "print": _PRINT,
    "proxy": _leaf("absent:PROXY", "Start a proxy"),
    "secrets": _SECRETS,
    "token": _TOKEN,
    "version": _leaf("version:VERSION", "Print the version", is_hidden=True),
    "version-history": _leaf("version:VERSION_HISTORY", "Print the versions the server has run"),
}
