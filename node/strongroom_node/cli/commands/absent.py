"""`agent` and `proxy`: commands Vault has and this version does not."""

from typing import Final

from strongroom_node.cli.command import MANY, Command, CommandFailed, Flag
from strongroom_node.cli.context import Context

_FLAGS: Final = (
    Flag("config", "A configuration file. May be repeated.", kind="strings"),
    Flag("exit-after-auth", "End after the first login.", kind="bool"),
    Flag("log-level", "How much to log."),
    Flag("log-format", "How to log."),
    Flag("log-file", "Where to log."),
)


def _agent(context: Context) -> int:
    del context
    raise CommandFailed("The agent is not part of this version. Log in with the login command or the HTTP API.", 1)


def _proxy(context: Context) -> int:
    del context
    raise CommandFailed("The proxy is not part of this version. Clients can talk to the server directly.", 1)


AGENT: Final = Command(
    "[options]",
    "Is not part of this version.",
    _agent,
    flags=_FLAGS,
    arguments_max=MANY,
    has_client=False,
)
PROXY: Final = AGENT._replace(run=_proxy)
