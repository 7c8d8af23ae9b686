"""`secrets enable`, `disable`, `list`, `tune` and `move`."""

from typing import Final

from strongroom_node.cli.command import FORMAT, OK, Command, Flag
from strongroom_node.cli.commands.mounts import (
    enable_config,
    enable_flags,
    mounts_table,
    move,
    options_of,
    print_mounts_json,
    read_mounts,
    tune_body,
    tune_flags,
)
from strongroom_node.cli.context import Context
from strongroom_node.cli.plain import plain
from strongroom_node.cli.table import table

NOUN: Final = "secrets engine"
DETAILED: Final = Flag("detailed", "Show every setting.", kind="bool", variable="DETAILED")


def _enable(context: Context) -> int:
    flags, kind = context.flags, context.arguments[0].strip()
    name = flags.text("plugin-name") if kind == "plugin" else kind
    path = (flags.text("path").strip("/") or name) + "/"
    body = {
        "type": name,
        "description": flags.text("description"),
        "config": enable_config(context),
        "local": flags.on("local"),
        "seal_wrap": flags.on("seal-wrap"),
        "external_entropy_access": flags.on("external-entropy-access"),
        "options": options_of(context),
    }
    context.call("Error enabling", "POST", f"sys/mounts/{path}", body)
    thing = f"{kind} plugin" if kind == "plugin" else f"{kind} {NOUN}"
    context.streams.line(f"Success! Enabled the {thing} at: {path}")
    return OK


def _disable(context: Context) -> int:
    path = context.arguments[0].strip().strip("/") + "/"
    context.call(f"Error disabling {NOUN} at {path}", "DELETE", f"sys/mounts/{path}")
    context.streams.line(f"Success! Disabled the {NOUN} (if it existed) at: {path}")
    return OK


def _list(context: Context) -> int:
    mounts = read_mounts(context, "Error listing secrets engines", "sys/mounts")
    if context.format != "table":
        return print_mounts_json(context, mounts)
    if context.flags.on("detailed"):
        context.streams.line(mounts_table(mounts))
        return OK
    rows = [
        [path, *(plain(mount.get(key) or "") for key in ("type", "accessor", "description"))]
        for path, mount in mounts.items()
    ]
    context.streams.line(table(("Path", "Type", "Accessor", "Description"), rows))
    return OK


def _tune(context: Context) -> int:
    path = context.arguments[0].strip().strip("/") + "/"
    context.call(f"Error tuning {NOUN} {path}", "POST", f"sys/mounts/{path}tune", tune_body(context))
    context.streams.line(f"Success! Tuned the {NOUN} at: {path}")
    return OK


def _move(context: Context) -> int:
    return move(context, NOUN, "")


ENABLE: Final = Command(
    "[options] TYPE",
    """Mounts a secrets engine.

    $ vault secrets enable -version=2 -path=secret kv""",
    _enable,
    flags=(*tune_flags("engine"), *enable_flags("engine")),
    arguments_min=1,
    arguments_max=1,
)
DISABLE: Final = Command(
    "[options] PATH",
    """Unmounts a secrets engine, revokes its leases and deletes all its data.

    $ vault secrets disable secret/""",
    _disable,
    arguments_min=1,
    arguments_max=1,
)
LIST: Final = Command("[options]", "Lists the mounted secrets engines.", _list, flags=(FORMAT, DETAILED))
TUNE: Final = Command(
    "[options] PATH",
    """Changes the settings of a mounted secrets engine.

    $ vault secrets tune -max-lease-ttl=8760h pki/""",
    _tune,
    flags=tune_flags("engine"),
    arguments_min=1,
    arguments_max=1,
)
MOVE: Final = Command(
    "[options] SOURCE DESTINATION",
    """Moves a secrets engine to another path, and revokes its leases.

    $ vault secrets move secret/ kv/""",
    _move,
    arguments_min=2,
    arguments_max=2,
)
