"""The program: finds the command, parses its flags, runs it, turns errors into messages and exit codes."""

import os
import sys
from collections.abc import Mapping, Sequence

from strongroom_node.cli.command import MANY, OK, USAGE_ERROR, Command, CommandFailed, Flag, Group, UsageFailed
from strongroom_node.cli.context import Context
from strongroom_node.cli.flags import parse_flags
from strongroom_node.cli.http_flags import HTTP_FLAGS
from strongroom_node.cli.lookup import Found, find, load, similar
from strongroom_node.cli.streams import Streams
from strongroom_node.client.client import DryRun
from strongroom_node.client.errors import ClientError

UNKNOWN_COMMAND = 127
INTERRUPTED = 130
PROGRAM = "strongroom"
PROGRAMS = frozenset({"bao", "strongroom", "vault"})
HELP_WORDS = frozenset({"-h", "-help", "--help"})
VERSION_WORDS = frozenset({"-v", "-version", "--version"})
INSTALL_WORDS = frozenset({"-autocomplete-install", "-autocomplete-uninstall"})


def main() -> int:
    """Run with the process's arguments, environment and streams. The console script's entry point."""
    name = os.path.basename(sys.argv[0])  # noqa: PTH119  -- pathlib costs 5 ms at each start
    program = name if name in PROGRAMS else PROGRAM
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")
    streams = Streams(sys.stdin.buffer, sys.stdout, sys.stderr)
    try:
        code = run(sys.argv[1:], os.environ, streams, program)
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe went away; what is left must not be flushed at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = USAGE_ERROR
    return code


def run(words: Sequence[str], environment: Mapping[str, str], streams: Streams, program: str = PROGRAM) -> int:
    """Run one command line and return its exit code."""
    if "COMP_LINE" in environment:
        from strongroom_node.cli.completion import print_candidates

        return print_candidates(environment, streams)
    if words and words[0].startswith("-"):
        return _run_bare(words, environment, streams, program)
    found = find(words)
    if found.node is None:
        return _unknown(found, streams, program)
    if isinstance(found.node, Group):
        return _run_group(found, found.node, streams, program)
    return _run_command(found, load(found.node), Setting(program, environment, streams))


class Setting:
    """Program name, environment and streams: what a run has before its command is known."""

    __slots__ = ("environment", "program", "streams")

    def __init__(self, program: str, environment: Mapping[str, str], streams: Streams) -> None:
        self.program = program
        self.environment = environment
        self.streams = streams


def command_flags(command: Command) -> tuple[Flag, ...]:
    """Every flag of a command, the client's first."""
    return (*HTTP_FLAGS, *command.flags) if command.has_client else command.flags


def _run_bare(words: Sequence[str], environment: Mapping[str, str], streams: Streams, program: str) -> int:
    """Flags with no command."""
    from strongroom_node.cli.help import overview

    first = words[0]
    if first in HELP_WORDS:
        streams.line(overview(program))
        return OK
    if first in VERSION_WORDS:
        from strongroom_node.cli.version import version_line

        streams.line(version_line())
        return OK
    if f"-{first.lstrip('-')}" in INSTALL_WORDS:
        from strongroom_node.cli.completion import install

        return install(first.endswith("uninstall"), program, environment, streams)
    streams.note("Invalid flags before the subcommand. If these flags are for")
    streams.note("the subcommand, please put them after the subcommand.")
    return USAGE_ERROR


def _unknown(found: Found, streams: Streams, program: str) -> int:
    from strongroom_node.cli.help import overview
    from strongroom_node.cli.tree import COMMANDS

    if found.rest:
        _suggest(found.rest[0], similar(found.rest[0], COMMANDS), streams)
    streams.note(overview(program))
    return UNKNOWN_COMMAND


def _suggest(word: str, names: Sequence[str], streams: Streams) -> None:
    streams.note(f'Unknown command "{word}".' + (f" Did you mean {' or '.join(names)}?" if names else "") + "\n")


def _run_group(found: Found, group: Group, streams: Streams, program: str) -> int:
    from strongroom_node.cli.help import group_help

    text = group_help(program, found.name, group)
    if any(word in HELP_WORDS for word in found.rest):
        streams.line(text)
        return OK
    if found.rest:
        _suggest(found.rest[0], similar(found.rest[0], group.children), streams)
    streams.note(text)
    return USAGE_ERROR


def _run_command(found: Found, command: Command, setting: Setting) -> int:
    flags, streams, program = command_flags(command), setting.streams, setting.program
    words = found.rest[: found.rest.index("--")] if "--" in found.rest else found.rest
    if any(word in HELP_WORDS for word in words):
        from strongroom_node.cli.help import command_help

        streams.line(command_help(program, found.name, command, flags))
        return OK
    if found.legacy:
        streams.note(
            f'WARNING! "{program} {found.legacy}" is deprecated. Please use "{program} {found.name}" instead.\n'
        )
    try:
        parsed = parse_flags(flags, found.rest, setting.environment)
        if parsed.unparsed:
            streams.note(
                "Command flags must be provided before positional arguments. "
                f"The following arguments will not be parsed as flags: [{','.join(parsed.unparsed)}]",
            )
        context = Context(program, parsed.arguments, parsed.flags, streams, setting.environment)
        _check(command, context)
        return command.run(context)
    except DryRun as dry:
        return _show(dry, parsed.flags.on("output-policy"), setting)
    except CommandFailed as error:
        if str(error):
            streams.note(str(error))
        return error.code
    except ClientError as error:
        streams.note(str(error))
        return 2


def _check(command: Command, context: Context) -> None:
    flag = next((flag for flag in command.flags if flag.name == "format"), None)
    if flag is not None and context.format not in flag.choices:
        raise UsageFailed(f"Invalid output format: {context.flags.text('format')}")
    count = len(context.arguments)
    if count < command.arguments_min:
        raise UsageFailed(f"Not enough arguments (expected {command.expected()}, got {count})")
    if command.arguments_max != MANY and count > command.arguments_max:
        raise UsageFailed(f"Too many arguments (expected {command.expected()}, got {count})")


def _show(dry: DryRun, is_policy: bool, setting: Setting) -> int:
    if is_policy:
        from strongroom_node.cli.output_policy import policy_for

        setting.streams.line(policy_for(dry.request))
    else:
        from strongroom_node.client.request import curl_command

        setting.streams.line(curl_command(dry.request, setting.program))
    return OK


if __name__ == "__main__":
    sys.exit(main())
