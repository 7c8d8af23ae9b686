"""Finds a command in the tree, new name or old."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Final, NamedTuple

from strongroom_node.cli.command import Command, Entry, Group
from strongroom_node.cli.tree import COMMANDS, Node

# Spellings from before version 0.9.2, still found in old guides.
LEGACY: Final = {
    "audit-disable": "audit disable",
    "audit-enable": "audit enable",
    "audit-list": "audit list",
    "auth-disable": "auth disable",
    "auth-enable": "auth enable",
    "capabilities": "token capabilities",
    "generate-root": "operator generate-root",
    "init": "operator init",
    "key-status": "operator key-status",
    "mount": "secrets enable",
    "mount-tune": "secrets tune",
    "mounts": "secrets list",
    "policies": "policy list",
    "policy-delete": "policy delete",
    "policy-write": "policy write",
    "rekey": "operator rekey",
    "remount": "secrets move",
    "renew": "lease renew",
    "revoke": "lease revoke",
    "rotate": "operator rotate",
    "seal": "operator seal",
    "step-down": "operator step-down",
    "token-create": "token create",
    "token-lookup": "token lookup",
    "token-renew": "token renew",
    "token-revoke": "token revoke",
    "unmount": "secrets disable",
    "unseal": "operator unseal",
}


class Found(NamedTuple):
    """Where the words led: a node of the tree, its full name, the words left, and the old name if one was used."""

    node: Node | None
    name: str
    rest: list[str]
    legacy: str = ""


def find(words: Sequence[str]) -> Found:
    """Walk the tree along the words; `node` is None when the first word is no command."""
    if not words:
        return Found(None, "", [])
    legacy = ""
    if words[0] not in COMMANDS and words[0] in LEGACY:
        legacy = words[0]
        words = [*LEGACY[legacy].split(), *words[1:]]
    elif _is_old_login(words):
        legacy = "auth"
        words = ["login", *words[1:]]
    node: Node | None = COMMANDS.get(words[0])
    if node is None:
        return Found(None, "", list(words))
    depth = 1
    while isinstance(node, Group) and depth < len(words) and words[depth] in node.children:
        node = node.children[words[depth]]
        depth += 1
    return Found(node, " ".join(words[:depth]), list(words[depth:]), legacy)


def _is_old_login(words: Sequence[str]) -> bool:
    """Whether this is `vault auth TOKEN`: one argument that is no subcommand and no flag for help."""
    group = COMMANDS["auth"]
    return (
        words[0] == "auth"
        and len(words) == 2
        and isinstance(group, Group)
        and words[1] not in group.children
        and not words[1].startswith("-")
    )


def load(entry: Entry) -> Command:
    """Import a command's module and return the command."""
    module = import_module(f"strongroom_node.cli.commands.{entry.module}")
    command = getattr(module, entry.attribute)
    if not isinstance(command, Command):
        raise TypeError(f"{entry.module}:{entry.attribute} is not a command")
    return command


def similar(word: str, names: Mapping[str, object] | Sequence[str]) -> list[str]:
    """At most three names a mistyped word may have meant."""
    import difflib

    return difflib.get_close_matches(word, list(names), n=3, cutoff=0.6)
