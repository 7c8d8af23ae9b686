"""How a command is declared: its flags, its arguments, its help and the function that runs it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from strongroom_node.cli.context import Context

OK: Final = 0
USAGE_ERROR: Final = 1
SERVER_ERROR: Final = 2

Kind = Literal["string", "bool", "*bool", "int", "uint", "duration", "strings", "key=value"]
COMMAND_OPTIONS: Final = "Command Options"
MANY: Final = -1
"""As `arguments_max`: any number."""


class Flag(NamedTuple):
    """One flag. `variables` are the names, less `VAULT_`, of environment variables that give a default."""

    name: str
    help: str
    kind: Kind = "string"
    default: str = ""
    aliases: tuple[str, ...] = ()
    variable: str = ""
    choices: tuple[str, ...] = ()
    section: str = COMMAND_OPTIONS
    is_hidden: bool = False


class Command(NamedTuple):
    """One command. `usage` is what stands after its name; `help` is the text under it, indented for display."""

    usage: str
    help: str
    run: "Callable[[Context], int]"
    flags: tuple[Flag, ...] = ()
    arguments_min: int = 0
    arguments_max: int = 0
    needs_data: bool = False
    has_client: bool = True
    completes: Literal["", "files", "paths"] = ""

    def expected(self) -> str:
        """The number of arguments, as error messages write it."""
        if self.arguments_max == MANY:
            return f">{self.arguments_min}" if self.needs_data else str(self.arguments_min)
        if self.arguments_min == self.arguments_max:
            return str(self.arguments_min)
        return f"{self.arguments_min}-{self.arguments_max}"


class Entry(NamedTuple):
    """A leaf of the command tree: where its Command is found, and one line about it."""

    module: str
    attribute: str
    summary: str
    is_common: bool = False
    is_hidden: bool = False


class Group(NamedTuple):
    """A command that only holds others."""

    summary: str
    help: str
    children: "dict[str, Entry | Group]"


class CommandFailed(Exception):
    """Ends the command: the text goes to standard error, the code is the exit code."""

    def __init__(self, text: str, code: int = SERVER_ERROR) -> None:
        super().__init__(text)
        self.code = code


class UsageFailed(CommandFailed):
    """The command was called wrongly: exit code 1."""

    def __init__(self, text: str) -> None:
        super().__init__(text, USAGE_ERROR)


_SECTION = "Output Options"
FORMATS: Final = ("table", "json", "yaml", "pretty", "raw")
FIELD: Final = Flag(
    "field",
    "Print this field's value and nothing else, without a newline at the end. Wins over -format.",
    section=_SECTION,
)
FORMAT: Final = Flag(
    "format",
    'How to print: "table", "json", "yaml" or "pretty"; "raw" for reading only.',
    default="table",
    variable="FORMAT",
    choices=FORMATS,
    section=_SECTION,
)
OUTPUT: Final = (FIELD, FORMAT)
