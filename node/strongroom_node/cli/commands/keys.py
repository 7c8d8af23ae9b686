"""`operator rotate` and `operator key-status`."""

from datetime import datetime
from typing import Final

from strongroom_node.cli.command import FORMAT, OK, Command
from strongroom_node.cli.context import Context
from strongroom_node.cli.output import print_value
from strongroom_node.cli.plain import plain
from strongroom_node.cli.table import columns
from strongroom_node.client.secret import Body


def _status(context: Context) -> Body:
    data = context.call("Error reading key status", "GET", "sys/key-status").data()
    return {key: data[key] for key in ("term", "install_time", "encryptions") if key in data}


def _print(context: Context, status: Body) -> int:
    if context.format != "table":
        return print_value(context, status)
    rows = [
        ("Key Term", plain(status.get("term"))),
        ("Install Time", _stamp(str(status.get("install_time") or ""))),
        ("Encryption Count", plain(status.get("encryptions", 0))),
    ]
    context.streams.line(columns(rows))
    return OK


def _stamp(text: str) -> str:
    """RFC 3339 as Go's RFC 822: "23 Nov 26 19:29 UTC"."""
    seconds, _, _ = text.partition(".")
    try:
        moment = datetime.strptime(seconds.removesuffix("Z") + "+0000", "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        return text
    return moment.strftime("%d %b %y %H:%M UTC")


def _key_status(context: Context) -> int:
    return _print(context, _status(context))


def _rotate(context: Context) -> int:
    context.call("Error rotating key", "PUT", "sys/rotate")
    status = _status(context)
    if context.format == "table":
        context.streams.line("Success! Rotated key\n")
    return _print(context, status)


KEY_STATUS: Final = Command(
    "[options]", "Tells the age and use of the key that encrypts data.", _key_status, flags=(FORMAT,)
)
ROTATE: Final = Command(
    "[options]",
    "Makes a new key for everything written from now on. What is stored keeps its own; no one notices.",
    _rotate,
    flags=(FORMAT,),
)
