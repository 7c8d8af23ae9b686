"""`auth help`: how to log in with a method."""

from typing import Final

from strongroom_node.cli.command import OK, Command, UsageFailed
from strongroom_node.cli.commands.login_methods import METHODS
from strongroom_node.cli.context import Context


def _run(context: Context) -> int:
    name = context.arguments[0].strip("/")
    kind = name
    if name not in METHODS:
        mounts = context.call("Error listing auth methods", "GET", "sys/auth").data()
        mount = mounts.get(f"{name}/")
        if not isinstance(mount, dict):
            raise UsageFailed(f'No auth method available on the server at "{name}/"')
        kind = str(mount.get("type") or "")
    method = METHODS.get(kind)
    if method is None:
        raise UsageFailed(f"No method-specific CLI handler available for auth method {kind!r}".replace("'", '"'))
    context.streams.line(method.help.format(program=context.program, type=kind))
    return OK


HELP: Final = Command(
    "[options] TYPE | PATH",
    """Tells how to log in with a method, given its type or where it is mounted.

    $ vault auth help userpass""",
    _run,
    arguments_min=1,
    arguments_max=1,
)
