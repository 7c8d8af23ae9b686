"""`audit enable`, `disable` and `list`."""

from typing import Any, Final

from strongroom_node.cli.command import FORMAT, MANY, OK, SERVER_ERROR, Command, Flag, UsageFailed
from strongroom_node.cli.context import Context
from strongroom_node.cli.data_input import parse_strings
from strongroom_node.cli.output import print_value
from strongroom_node.cli.plain import plain
from strongroom_node.cli.table import table

DEVICE_KEYS: Final = ("type", "description", "options", "local", "path")


def _enable(context: Context) -> int:
    if not context.arguments:
        raise UsageFailed(
            "Error enabling audit device: audit type missing. Valid types include 'file', 'socket' and 'syslog'.",
        )
    flags, kind = context.flags, context.arguments[0].strip()
    path = (flags.text("path").strip("/") or kind) + "/"
    body: dict[str, Any] = {
        "type": kind,
        "description": flags.text("description"),
        "options": parse_strings(context.arguments[1:], context.streams),
        "local": flags.on("local"),
    }
    context.call("Error enabling audit device", "PUT", f"sys/audit/{path}", body)
    context.streams.line(f"Success! Enabled the {kind} audit device at: {path}")
    return OK


def _disable(context: Context) -> int:
    path = context.arguments[0].strip().strip("/") + "/"
    context.call("Error disabling audit device", "DELETE", f"sys/audit/{path}")
    context.streams.line(f"Success! Disabled audit device (if it was enabled) at: {path}")
    return OK


def _list(context: Context) -> int:
    data = context.call("Error listing audits", "GET", "sys/audit").data()
    devices = {path: data[path] for path in sorted(data) if isinstance(data[path], dict) and "type" in data[path]}
    if context.format != "table":
        return print_value(
            context,
            {path: {key: device[key] for key in DEVICE_KEYS if key in device} for path, device in devices.items()},
        )
    if not devices:
        context.streams.line("No audit devices are enabled.")
        return SERVER_ERROR
    if not context.flags.on("detailed"):
        rows = [
            [path, *(plain(device.get(key) or "") for key in ("type", "description"))]
            for path, device in devices.items()
        ]
        context.streams.line(table(("Path", "Type", "Description"), rows))
        return OK
    rows = []
    for path, device in devices.items():
        options = device.get("options")
        shown = sorted(options.items()) if isinstance(options, dict) else []
        rows.append(
            [
                path,
                plain(device.get("type") or ""),
                plain(device.get("description") or ""),
                "local" if device.get("local") else "replicated",
                " ".join(f"{key}={plain(value)}" for key, value in shown),
            ],
        )
    context.streams.line(table(("Path", "Type", "Description", "Replication", "Options"), rows))
    return OK


ENABLE: Final = Command(
    "[options] TYPE [CONFIG K=V...]",
    """Enables an audit device.

    $ vault audit enable file file_path=/var/log/vault-audit.log""",
    _enable,
    flags=(
        Flag("description", "What the device is for."),
        Flag("local", "Neither replicate the device nor have replication remove it.", kind="bool"),
        Flag("path", "The device's name; its type unless given."),
    ),
    arguments_max=MANY,
)
DISABLE: Final = Command(
    "[options] PATH",
    """Disables an audit device. Values hashed with its salt cannot be compared any more.

    $ vault audit disable file/""",
    _disable,
    arguments_min=1,
    arguments_max=1,
)
LIST: Final = Command(
    "[options]",
    "Lists the enabled audit devices.",
    _list,
    flags=(FORMAT, Flag("detailed", "Show every setting.", kind="bool", variable="DETAILED")),
)
