"""Vault's environment variables: `BAO_X` is read first, then `VAULT_X`."""

from collections.abc import Mapping

from strongroom_node.client.errors import SettingsInvalid

TRUE_WORDS = frozenset({"1", "t", "T", "TRUE", "true", "True"})
FALSE_WORDS = frozenset({"0", "f", "F", "FALSE", "false", "False"})
PREFIXES = ("BAO_", "VAULT_")


def variable(environment: Mapping[str, str], name: str) -> str:
    """The value of `BAO_<name>`, else of `VAULT_<name>`, else an empty text."""
    for prefix in PREFIXES:
        value = environment.get(prefix + name, "")
        if value:
            return value
    return ""


def is_true(environment: Mapping[str, str], name: str) -> bool:
    """A boolean variable; unset is false. Raises SettingsInvalid for any other word."""
    value = variable(environment, name)
    if not value or value in FALSE_WORDS:
        return False
    if value in TRUE_WORDS:
        return True
    raise SettingsInvalid(f"could not parse VAULT_{name}: invalid boolean value")
