"""`operator unseal`, `seal` and `step-down`."""

from typing import Any, Final

from strongroom_node.cli.command import FORMAT, OK, Command, Flag, UsageFailed
from strongroom_node.cli.commands.status import join_status, leader_status, print_status
from strongroom_node.cli.context import Context
from strongroom_node.cli.streams import NotTerminal

QUESTION: Final = "Unseal Key (will be hidden): "
NO_TERMINAL: Final = """An error occurred attempting to ask for an unseal key. The raw error message
is shown below, but usually this is because you attempted to pipe a value
into the unseal command or you are executing outside of a terminal (tty). You
should run the unseal command from a terminal for maximum security. If this
is not an option, the unseal key can be provided as the first argument to the
unseal command. The raw error was:  {error}"""


def _unseal(context: Context) -> int:
    flags = context.flags
    if flags.on("reset"):
        body: dict[str, Any] = {"reset": True}
        doing = "Error resetting unseal process"
    else:
        body = {"key": _key(context), "reset": False, "migrate": flags.on("migrate")}
        doing = "Error unsealing"
    seal = context.call(doing, "PUT", "sys/unseal", body).data()
    leader = leader_status(context, is_sealed=bool(seal.get("sealed")))
    print_status(context, join_status(seal, leader))
    return OK


def _key(context: Context) -> str:
    if context.arguments:
        return context.arguments[0].strip()
    if context.flags.on("non-interactive"):
        raise UsageFailed("Refusing to read from stdin with -non-interactive specified; specify the key as an argument")
    try:
        return context.streams.ask_hidden(QUESTION).strip()
    except NotTerminal as error:
        raise UsageFailed(NO_TERMINAL.format(error=error)) from error


def _seal(context: Context) -> int:
    context.call("Error sealing", "PUT", "sys/seal")
    context.streams.line("Success! Vault is sealed.")
    return OK


def _step_down(context: Context) -> int:
    context.call("Error stepping down", "PUT", "sys/step-down")
    context.streams.line(f"Success! Stepped down: {context.client().settings.address}")
    return OK


UNSEAL: Final = Command(
    "[options] [KEY]",
    """Hands in one unseal key. It is asked for, and not shown, unless it is an argument,
where the shell's history and the process list can see it.

    $ vault operator unseal""",
    _unseal,
    flags=(
        FORMAT,
        Flag("migrate", "The keys are those of the seal the server moves away from.", kind="bool"),
        Flag("reset", "Forget the keys handed in so far.", kind="bool"),
    ),
    arguments_max=1,
)
SEAL: Final = Command("[options]", "Seals the server: it forgets its keys and answers no one until unsealed.", _seal)
STEP_DOWN: Final = Command("[options]", "Makes the active node stand back, so that another takes over.", _step_down)
