"""`print token`."""

from typing import Final

from strongroom_node.cli.command import OK, Command
from strongroom_node.cli.context import Context


def _token(context: Context) -> int:
    context.streams.line(context.token())
    return OK


TOKEN: Final = Command(
    "",
    "Prints the token later commands would use, from the environment or the token helper.",
    _token,
    has_client=False,
)
