"""`operator diagnose`: reads the configuration as a server would and tells what is wrong."""

from typing import Final

from strongroom_node.cli.command import FORMAT, OK, USAGE_ERROR, Command, CommandFailed, Flag
from strongroom_node.cli.context import Context

NO_CONFIG: Final = 3
INTERNAL: Final = 4


def _run(context: Context) -> int:
    paths = context.flags.many("config")
    if not paths:
        raise CommandFailed("Must specify a configuration file using -config.", NO_CONFIG)
    try:
        from importlib import import_module

        check = import_module("strongroom_node.server").check_configuration
    except (ImportError, AttributeError) as error:
        raise CommandFailed("The server's parts are not installed here.", INTERNAL) from error
    problems: list[str] = list(check(paths))
    for problem in problems:
        context.streams.line(f"[ failure ] {problem}")
    if not problems:
        context.streams.line("[ success ] The configuration can be read.")
    return USAGE_ERROR if problems else OK


DIAGNOSE: Final = Command(
    "-config=PATH",
    """Reads a server's configuration and tells what would keep the server from starting.

    $ vault operator diagnose -config=/etc/vault/vault.hcl

Exit codes: 0 fine, 1 an error was found, 3 no configuration given.""",
    _run,
    flags=(
        FORMAT,
        Flag("config", "A configuration file or folder. May be repeated.", kind="strings", variable="CONFIG_PATH"),
        Flag("debug", "Tell more.", kind="bool"),
        Flag("skip", "A check to leave out. May be repeated.", kind="strings"),
    ),
    has_client=False,
)
