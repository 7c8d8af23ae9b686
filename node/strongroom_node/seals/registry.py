"""The only list of seals, and how one is made from its configuration stanza."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Final

from strongroom_storage.seal.errors import SealConfigInvalid
from strongroom_storage.seal.protocol import Seal

ENTRY_POINT_GROUP: Final = "strongroom.seals"

BUILTIN: Final = {
    "shamir": "strongroom_node.seals.shamir",
    "static": "strongroom_node.seals.static",
}

NOT_YET: Final = frozenset({"alicloudkms", "awskms", "azurekeyvault", "gcpckms", "kmip", "ocikms", "pkcs11", "transit"})
"""Seals of Vault and OpenBao that a configuration may name and this version lacks."""


@dataclass(frozen=True, slots=True)
class SealType:
    """How a seal is declared: `SEAL` in its module, or what an entry point of the group leads to."""

    name: str
    summary: str
    make: Callable[[Mapping[str, Any]], Seal]
    """Takes the stanza's settings; raises SealConfigInvalid, whose message never holds a key."""


def find_seal(kind: str) -> SealType:
    """The declaration of a seal by its stanza's name. Raises SealConfigInvalid."""
    if (module := BUILTIN.get(kind)) is not None:
        declared = import_module(module).SEAL
    else:
        points = entry_points(group=ENTRY_POINT_GROUP, name=kind)
        if not points:
            reason = "is not supported by this version yet" if kind in NOT_YET else "is unknown"
            raise SealConfigInvalid(f"seal type {kind!r} {reason}; available: {', '.join(sorted(BUILTIN))}")
        declared = next(iter(points)).load()
    if not isinstance(declared, SealType):
        raise SealConfigInvalid(f"seal type {kind!r} does not lead to a SealType")
    return declared


def make_seal(kind: str = "shamir", settings: Mapping[str, Any] | None = None) -> Seal:
    """The seal of a configuration; Shamir's when there is no stanza. Raises SealConfigInvalid."""
    given = dict(settings or {})
    if str(given.pop("disabled", "")).lower() in {"true", "1", "t"}:
        raise SealConfigInvalid(f'seal "{kind}" is disabled: seal migration is not supported by this version yet')
    return find_seal(kind).make(given)
