"""`path-help`."""

from typing import Final

from strongroom_node.cli.command import FORMAT, OK, Command
from strongroom_node.cli.context import Context
from strongroom_node.client.request import clean_path, encode_json
from strongroom_node.client.secret import sort_keys


def _run(context: Context) -> int:
    path = clean_path(context.arguments[0])
    reply = context.call("Error retrieving help", "GET", path, query={"help": "1"})
    body = reply.json()
    if context.format == "table":
        context.streams.line(str(body.get("help") or "").strip())
    else:
        context.streams.line(encode_json(sort_keys(body.get("openapi"))).decode())
    return OK


PATH_HELP: Final = Command(
    "[options] PATH",
    """Prints what the server says about a path.

    $ vault path-help transit
    $ vault path-help auth/token/create""",
    _run,
    flags=(FORMAT,),
    arguments_min=1,
    arguments_max=1,
    completes="paths",
)
