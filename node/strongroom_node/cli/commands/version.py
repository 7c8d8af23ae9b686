"""`version` and `version-history`."""

from typing import Final

from strongroom_node.cli.command import FORMAT, OK, SERVER_ERROR, Command
from strongroom_node.cli.context import Context
from strongroom_node.cli.output import print_value
from strongroom_node.cli.table import columns
from strongroom_node.cli.version import version_line
from strongroom_node.client.secret import sort_keys

NOTE: Final = """
Note:
Use of this command requires a server running Vault 1.10.0 or greater.
Version tracking was added in 1.9.0. Earlier versions have not been tracked.

"""


def _version(context: Context) -> int:
    context.streams.line(version_line())
    return OK


def _history(context: Context) -> int:
    reply = context.call("Error listing version history", "GET", "sys/version-history", query={"list": "true"})
    data = reply.data()
    keys, info = data.get("keys"), data.get("key_info")
    if not isinstance(keys, list) or not isinstance(info, dict):
        context.streams.note("Invalid response returned from Vault.")
        return SERVER_ERROR
    if context.format != "table":
        return print_value(context, sort_keys(reply.json()))
    rows = [["Version", "Installation Time", "Build Date"], ["-------", "-----------------", "----------"]]
    for key in keys:
        about = info.get(key)
        known = about if isinstance(about, dict) else {}
        rows.append([str(key), str(known.get("timestamp_installed") or ""), str(known.get("build_date") or "")])
    context.streams.note(NOTE)
    context.streams.line(columns(rows, "  "))
    return OK


VERSION: Final = Command("", "Prints the version of this program.", _version, has_client=False)
VERSION_HISTORY: Final = Command(
    "[options]",
    "Prints the versions the server has run, and since when.",
    _history,
    flags=(FORMAT,),
)
