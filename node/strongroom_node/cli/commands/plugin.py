"""`plugin list`, `info`, `register`, `deregister`, `reload` and `reload-status`."""

from typing import Any, Final

from strongroom_node.cli.command import FORMAT, OK, OUTPUT, SERVER_ERROR, Command, CommandFailed, Flag, UsageFailed
from strongroom_node.cli.context import Context
from strongroom_node.cli.output import print_map, print_map_field, print_value
from strongroom_node.cli.plain import plain
from strongroom_node.cli.table import table
from strongroom_node.client.secret import Body, order_keys

DETAIL_KEYS: Final = ("type", "name", "version", "builtin", "deprecation_status")
INFO_KEYS: Final = ("args", "builtin", "command", "deprecation_status", "name", "sha256", "version")
TYPES: Final = {"auth": 1, "database": 2, "secret": 3}


def _type(context: Context) -> str:
    kind = context.arguments[0].strip().lower() if context.arguments else ""
    if kind not in TYPES:
        raise CommandFailed(f'"{kind}" is not a supported plugin type')
    return kind


def _list(context: Context) -> int:
    kind = _type(context) if context.arguments else ""
    data = context.call("Error listing available plugins", "GET", "sys/plugins/catalog").data()
    details = [item for item in data.get("detailed") or [] if isinstance(item, dict)]
    details = [item for item in details if not kind or item.get("type") == kind]
    if context.format != "table":
        names: Body = {key: data[key] for key in TYPES if key in data and (not kind or key == kind)}
        return print_value(context, names | {"details": [order_keys(item, DETAIL_KEYS) for item in details]})
    details.sort(key=lambda item: (str(item.get("type")), str(item.get("name"))))
    if not details:
        context.streams.note("No plugins found")
        return SERVER_ERROR
    if context.flags.on("detailed"):
        keys, header = (
            ["name", "type", "version", "deprecation_status"],
            ["Name", "Type", "Version", "Deprecation Status"],
        )
    elif kind:
        keys, header = ["name", "version"], ["Name", "Version"]
    else:
        keys, header = ["name", "type", "version"], ["Name", "Type", "Version"]
    context.streams.line(table(header, [[plain(item.get(key) or "") for key in keys] for item in details]))
    return OK


def _info(context: Context) -> int:
    kind, name = _type(context), context.arguments[1].strip()
    query: dict[str, str | list[str]] = {}
    if context.flags.text("version"):
        query["version"] = context.flags.text("version")
    path = f"sys/plugins/catalog/{kind}/{name}"
    data = context.call(f"Error reading plugin named {name}", "GET", path, query=query).data()
    data = {key: [] if key == "args" and data[key] is None else data[key] for key in INFO_KEYS if key in data}
    return print_map_field(context, data) if context.flags.text("field") else print_map(context, data)


def _register(context: Context) -> int:
    flags, kind, name = context.flags, _type(context), context.arguments[1].strip()
    body: dict[str, Any] = {
        "type": TYPES[kind],
        "command": flags.text("command") or name,
        "sha256": flags.text("sha256"),
    }
    for flag, key in (("args", "args"), ("env", "env")):
        if flags.many(flag):
            body[key] = flags.many(flag)
    if flags.text("version"):
        body["version"] = flags.text("version")
    context.call(f"Error registering plugin {name}", "PUT", f"sys/plugins/catalog/{kind}/{name}", body)
    context.streams.line(f"Success! Registered plugin: {name}")
    return OK


def _deregister(context: Context) -> int:
    kind, name = _type(context), context.arguments[1].strip()
    query: dict[str, str | list[str]] = {"version": context.flags.text("version")}
    path = f"sys/plugins/catalog/{kind}/{name}"
    context.call(f"Error deregistering plugin named {name}", "DELETE", path, query=query)
    context.streams.line(f"Success! Deregistered plugin (if it was registered): {name}")
    return OK


def _reload(context: Context) -> int:
    flags = context.flags
    plugin, mounts, scope = flags.text("plugin"), flags.many("mounts"), flags.text("scope")
    if not plugin and not mounts:
        raise UsageFailed(f"Not enough arguments (expected 1, got {len(context.arguments)})")
    if plugin and mounts:
        raise UsageFailed("Only one of -plugin and -mounts may be given")
    if scope not in {"", "global"}:
        raise UsageFailed(f"Invalid reload scope: {scope}")
    body = {"plugin": plugin, "mounts": mounts or None, "scope": scope}
    data = context.call("Error reloading plugin/mounts", "PUT", "sys/plugins/reload/backend", body).data()
    thing = f"plugin: {plugin}" if plugin else f"mounts: {plain(mounts)}"
    reload_id = data.get("reload_id")
    if scope and reload_id:
        context.streams.line(f"Success! Reloading {thing}, reload_id: {reload_id}")
    else:
        context.streams.line(f"Success! Reloaded {thing}")
    return OK


def _reload_status(context: Context) -> int:
    query: dict[str, str | list[str]] = {"reload_id": context.arguments[0].strip()}
    path = "sys/plugins/reload/backend/status"
    data = context.call("Error retrieving plugin reload status", "GET", path, query=query).data()
    results = data.get("results")
    rows = []
    for name, result in sorted((results if isinstance(results, dict) else {}).items()):
        error = plain(result.get("error") or "")
        rows.append([plain(result.get("timestamp", "")), name, plain(not error), error])
    context.streams.line(table(("Time", "Participant", "Success", "Message"), rows))
    return OK


VERSION: Final = Flag("version", "The plugin's version.")
LIST: Final = Command(
    "[options] [TYPE]",
    "Lists the plugins of the catalog; of one type (auth, database, secret) if given.",
    _list,
    flags=(FORMAT, Flag("detailed", "Show more about each.", kind="bool", variable="DETAILED")),
    arguments_max=1,
)
INFO: Final = Command(
    "[options] TYPE NAME",
    """Tells about a plugin of the catalog.

    $ vault plugin info auth userpass""",
    _info,
    flags=(*OUTPUT, VERSION),
    arguments_min=2,
    arguments_max=2,
)
REGISTER: Final = Command(
    "[options] TYPE NAME",
    "Adds a plugin to the catalog.",
    _register,
    flags=(
        Flag("args", "An argument for the plugin. May be repeated.", kind="strings"),
        Flag("command", "The program in the plugin folder; the name unless given."),
        Flag("env", "A KEY=value variable for the plugin. May be repeated.", kind="strings"),
        Flag("sha256", "The program's SHA-256."),
        VERSION,
    ),
    arguments_min=2,
    arguments_max=2,
)
DEREGISTER: Final = Command(
    "[options] TYPE NAME",
    "Removes a plugin from the catalog.",
    _deregister,
    flags=(VERSION,),
    arguments_min=2,
    arguments_max=2,
)
RELOAD: Final = Command(
    "[options]",
    "Restarts a plugin, or those of some mounts.",
    _reload,
    flags=(
        Flag("mounts", "A mount's path. May be repeated.", kind="strings"),
        Flag("plugin", "The plugin's name."),
        Flag("scope", '"global" for every node of the cluster.', choices=("global",)),
    ),
)
RELOAD_STATUS: Final = Command(
    "RELOAD_ID",
    "Tells how a reload of every node went.",
    _reload_status,
    arguments_min=1,
    arguments_max=1,
)
