"""Writes help from the declarations."""

from collections.abc import Mapping, Sequence

from strongroom_node.cli.command import Command, Entry, Flag, Group
from strongroom_node.cli.plain import wrap
from strongroom_node.cli.tree import COMMANDS, Node


def overview(program: str) -> str:
    """The help of the program itself."""
    common = {name: node for name, node in COMMANDS.items() if isinstance(node, Entry) and node.is_common}
    other = {name: node for name, node in COMMANDS.items() if name not in common}
    return "\n".join(
        (
            f"Usage: {program} <command> [args]",
            "\nCommon commands:",
            _listing(common),
            "\nOther commands:",
            _listing(other),
        ),
    )


def group_help(program: str, name: str, group: Group) -> str:
    """The help of a command that holds others."""
    return "\n".join(
        (
            f"Usage: {program} {name} <subcommand> [options] [args]\n",
            wrap(group.help, 2),
            "\nSubcommands:",
            _listing(group.children),
        ),
    )


def command_help(program: str, name: str, command: Command, flags: Sequence[Flag]) -> str:
    """The help of one command, with every flag by section."""
    lines = [f"Usage: {program} {name} {command.usage}".rstrip(), ""]
    lines += [f"  {line}" if line else "" for line in command.help.replace("vault ", f"{program} ").split("\n")]
    sections: dict[str, list[Flag]] = {}
    for flag in flags:
        if not flag.is_hidden:
            sections.setdefault(flag.section, []).append(flag)
    for section, members in sections.items():
        lines += ["", f"{section}:"]
        for flag in sorted(members):
            lines += ["", f"  -{flag.name}{_value_hint(flag)}", wrap(_flag_text(flag), 6)]
    return "\n".join(lines)


def _listing(nodes: Mapping[str, Node]) -> str:
    shown = {name: node for name, node in nodes.items() if not (isinstance(node, Entry) and node.is_hidden)}
    width = max(len(name) for name in shown)
    return "\n".join(f"    {name.ljust(width)}    {node.summary}" for name, node in shown.items())


def _value_hint(flag: Flag) -> str:
    return "" if flag.kind == "bool" else f"=<{flag.kind.replace('strings', 'string')}>"


def _flag_text(flag: Flag) -> str:
    text = flag.help
    if flag.aliases:
        text += f" This is aliased as -{', -'.join(flag.aliases)}."
    if flag.default:
        text += f" The default is {flag.default}."
    if flag.variable and f"VAULT_{flag.variable}" not in text:
        text += f" The VAULT_{flag.variable} environment variable gives a default."
    return text
