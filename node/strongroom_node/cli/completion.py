"""Shell completion: the candidates for a half-typed line, and the lines that make shells ask for them.

The shell calls the program with the line in COMP_LINE, as bash's `complete -C` does; zsh does so through
bashcompinit, fish through a function.
"""

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from strongroom_node.cli.command import OK, USAGE_ERROR, Entry, Flag, Group
from strongroom_node.cli.lookup import find, load
from strongroom_node.cli.main import command_flags
from strongroom_node.cli.streams import Streams
from strongroom_node.cli.tree import COMMANDS, Node


def print_candidates(environment: Mapping[str, str], streams: Streams) -> int:
    """Answer a shell: one candidate a line."""
    line = environment.get("COMP_LINE", "")
    point = environment.get("COMP_POINT", "")
    if point.isascii() and point.isdigit():
        line = line.encode()[: int(point)].decode("utf-8", "ignore")
    for candidate in candidates(line):
        streams.line(candidate)
    return OK


def candidates(line: str) -> list[str]:
    """What may stand where the line ends: subcommands, flags, or the values of a flag."""
    words = line.split()[1:]
    last = "" if not words or line[-1:].isspace() else words.pop()
    found = find([word for word in words if not word.startswith("-")])
    if not words or found.node is None:
        return _matching(_names(COMMANDS), last) if not words else []
    if isinstance(found.node, Group):
        return _matching(_names(found.node.children), last)
    return _command_candidates(command_flags(load(found.node)), words[-1], last)


def _command_candidates(flags: tuple[Flag, ...], previous: str, last: str) -> list[str]:
    known = {f"-{name}": flag for flag in flags for name in (flag.name, *flag.aliases)}
    name, equals, begun = last.partition("=")
    if equals and name in known:
        return [f"{name}={choice}" for choice in known[name].choices if choice.startswith(begun)]
    before = known.get(previous)
    if before is not None and before.choices and before.kind not in {"bool", "*bool"}:
        return _matching(list(before.choices), last)
    return _matching([name for name, flag in known.items() if not flag.is_hidden], last) if last[:1] == "-" else []


def _names(nodes: Mapping[str, Node]) -> list[str]:
    return [name for name, node in nodes.items() if not (isinstance(node, Entry) and node.is_hidden)]


def _matching(names: list[str], begun: str) -> list[str]:
    return sorted(name for name in names if name.startswith(begun))


_MARK: Final = "# strongroom completion"


def install(is_removal: bool, program: str, environment: Mapping[str, str], streams: Streams) -> int:
    """Put the line into each shell's start file that exists, or take it out."""
    home = Path(environment.get("HOME", ""))
    if not environment.get("HOME"):
        streams.note("Error: HOME is not set")
        return USAGE_ERROR
    path = str(Path(sys.argv[0]).resolve())
    done = [
        _edit(home / ".bashrc", f"complete -C {shlex.quote(path)} {program}", is_removal),
        _edit(
            home / ".zshrc",
            f"autoload -U +X bashcompinit && bashcompinit && complete -o nospace -C {shlex.quote(path)} {program}",
            is_removal,
        ),
        _edit_fish(home / ".config" / "fish", path, program, is_removal),
    ]
    if not any(done):
        streams.note("Error: no shell's start file was found or needed a change")
        return USAGE_ERROR
    return OK


def _edit(path: Path, line: str, is_removal: bool) -> bool:
    marked = f"{line} {_MARK}"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return False
    kept = [old for old in lines if old != marked]
    wanted = kept if is_removal else [*kept, marked]
    if wanted == lines:
        return False
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.write_text("\n".join(wanted) + "\n", encoding="utf-8")
    temporary.chmod(path.stat().st_mode & 0o777)
    temporary.replace(path.resolve())
    return True


def _edit_fish(folder: Path, path: str, program: str, is_removal: bool) -> bool:
    file = folder / "completions" / f"{program}.fish"
    if is_removal:
        existed = file.exists()
        file.unlink(missing_ok=True)
        return existed
    if not folder.is_dir():
        return False
    file.parent.mkdir(exist_ok=True)
    asks = f"(env COMP_LINE=(commandline -cp) {shlex.quote(path)})"
    file.write_text(f"complete -c {program} -f -a '{asks}' {_MARK}\n", encoding="utf-8")
    return True
