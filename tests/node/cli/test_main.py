"""The program as a whole: finding commands, help, exit codes, what it imports."""

import subprocess
import sys

import pytest
from support.fake_vault import FakeVault

from strongroom_node.cli.command import Command, Entry, Group
from strongroom_node.cli.help import command_help
from strongroom_node.cli.lookup import LEGACY, find, load
from strongroom_node.cli.main import command_flags
from strongroom_node.cli.tree import COMMANDS, Node

HEAVY = {"aiohttp", "cryptography", "pysyncobj", "yaml", "msgspec", "structlog", "lmdb", "click", "argparse"}
HEAVY |= {"asyncio", "pathlib", "subprocess", "urllib.request", "inspect", "dataclasses", "tempfile", "difflib"}


def leaves(nodes: dict[str, Node], prefix: str = "") -> list[tuple[str, Entry]]:
    found: list[tuple[str, Entry]] = []
    for name, node in nodes.items():
        if isinstance(node, Group):
            found += leaves(node.children, f"{prefix}{name} ")
        else:
            found.append((prefix + name, node))
    return found


LEAVES = leaves(COMMANDS)


@pytest.mark.parametrize(("name", "entry"), LEAVES, ids=[name for name, _ in LEAVES])
def test_every_command_loads_and_has_help(name: str, entry: Entry) -> None:
    command = load(entry)
    assert isinstance(command, Command)
    flags = command_flags(command)
    names = [word for flag in flags for word in (flag.name, *flag.aliases)]
    assert len(names) == len(set(names))
    text = command_help("vault", name, command, flags)
    assert text.startswith(f"Usage: vault {name}")
    for line in text.splitlines():
        assert len(line) <= 120
    for flag in flags:
        assert flag.is_hidden or f"  -{flag.name}" in text
        assert not flag.choices or not flag.default or flag.default in flag.choices


def test_old_names_lead_to_commands() -> None:
    for old, new in LEGACY.items():
        found = find([old])
        assert isinstance(found.node, Entry)
        assert (found.name, found.legacy) == (new, old)


def test_old_names_warn_and_work(strongroom, vault: FakeVault) -> None:
    vault.answer("PUT", "sys/seal", status=204)
    outcome = strongroom("seal")
    assert outcome.out == "Success! Vault is sealed.\n"
    assert 'WARNING! "vault seal" is deprecated. Please use "vault operator seal" instead.' in outcome.err


def test_auth_with_a_token_is_login(strongroom, vault: FakeVault) -> None:
    vault.answer("GET", "auth/token/lookup-self", {"data": {"id": "hvs.new", "policies": ["root"], "ttl": 0}})
    outcome = strongroom("auth", "hvs.new", VAULT_TOKEN="")
    assert outcome.code == 0
    assert 'WARNING! "vault auth" is deprecated. Please use "vault login" instead.' in outcome.err
    assert vault.asked[0].headers["X-Vault-Token"] == "hvs.new"


@pytest.mark.parametrize("words", [["auth"], ["auth", "-h"], ["auth", "list", "-h"], ["auth", "a", "b"]])
def test_auth_otherwise_is_the_group(strongroom, vault: FakeVault, words: list[str]) -> None:
    strongroom(*words)
    assert vault.asked == []


@pytest.mark.parametrize("word", ["-h", "-help", "--help"])
def test_help_is_no_failure(strongroom, word: str) -> None:
    assert strongroom(word).out.startswith("Usage: vault <command> [args]")
    assert strongroom("kv", word).out.startswith("Usage: vault kv <subcommand>")
    assert strongroom("kv", "get", word).out.startswith("Usage: vault kv get [options] KEY")
    assert strongroom("kv", "get", "a", word).code == 0


def test_help_can_be_data_after_two_dashes(strongroom, vault: FakeVault) -> None:
    vault.answer("GET", "-h", {"data": {"a": "b"}})
    assert strongroom("read", "-field=a", "--", "-h").out == "b"


def test_unknown_commands(strongroom) -> None:
    outcome = strongroom("staus")
    assert (outcome.code, outcome.out) == (127, "")
    assert outcome.err.startswith('Unknown command "staus". Did you mean status?\n\nUsage: vault <command>')
    outcome = strongroom("kv", "gett")
    assert (outcome.code, outcome.out) == (1, "")
    assert 'Unknown command "gett". Did you mean get?' in outcome.err
    assert strongroom().code == 127
    assert strongroom("kv").code == 1
    assert strongroom("operator", "raft").code == 1


@pytest.mark.parametrize("word", ["-v", "-version", "--version", "version"])
def test_version(strongroom, word: str) -> None:
    outcome = strongroom(word)
    assert outcome.code == 0
    assert outcome.out.startswith("Vault v1.15.2 (strongroom ")
    assert outcome.out.count("\n") == 1


def test_flags_before_the_command(strongroom) -> None:
    assert strongroom("-address=x", "status").code == 1


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["read"], "Not enough arguments (expected 1, got 0)"),
        (["kv", "put"], "Not enough arguments (expected >1, got 0)"),
        (["status", "x"], "Too many arguments (expected 0, got 1)"),
        (["token", "capabilities", "a", "b", "c"], "Too many arguments (expected 1-2, got 3)"),
        (["read", "-nope", "x"], "flag provided but not defined: -nope"),
        (["read", "-format=xml", "x"], "Invalid output format: xml"),
        (["write", "x"], "Must supply data or use -force"),
        (["secrets", "disable", "-format=json", "x"], "flag provided but not defined: -format"),
    ],
)
def test_usage_errors(strongroom, vault: FakeVault, words: list[str], text: str) -> None:
    outcome = strongroom(*words)
    assert (outcome.code, outcome.out, outcome.err) == (1, "", text + "\n")
    assert vault.asked == []


def test_unparsed_flags_are_told(strongroom, vault: FakeVault) -> None:
    vault.answer("PUT", "x", status=204)
    outcome = strongroom("write", "x", "a=b", "-c=d")
    assert outcome.err.startswith(
        "Command flags must be provided before positional arguments. "
        "The following arguments will not be parsed as flags: [-c=d]",
    )
    assert vault.asked[0].json == {"a": "b", "-c": "d"}


def test_the_token_is_never_shown(strongroom, vault: FakeVault) -> None:
    vault.answer("GET", "x", {"errors": ["permission denied"]}, status=403)
    for words in (["read", "x"], ["read", "-output-curl-string", "x"], ["read", "-output-policy", "x"]):
        outcome = strongroom(*words, VAULT_TOKEN="hvs.verysecret")
        assert "verysecret" not in outcome.out + outcome.err


def imported_by(code: str) -> set[str]:
    program = f"import sys\n{code}\nprint(chr(10).join(sys.modules))"
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_starting_imports_nothing_heavy() -> None:
    """A start must stay under 100 ms; what is imported is the cause, and does not vary with the machine as time does."""
    names = imported_by(
        "from strongroom_node.cli.lookup import find, load\n"
        "import strongroom_node.cli.main\n"
        "load(find(['status']).node)",
    )
    assert not names & HEAVY
    own = {name for name in names if name.startswith("strongroom")}
    assert not {name for name in own if not name.startswith(("strongroom_node.cli", "strongroom_node.client"))} - {
        "strongroom_node"
    }
    assert len(own) < 35
    assert len(names - imported_by("import http.client, json")) < 60
