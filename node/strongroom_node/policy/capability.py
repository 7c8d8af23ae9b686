"""Capabilities of a path rule, as bits."""

from typing import Final

from strongroom_node.sdk.request import Operation

DENY: Final = 1
CREATE: Final = 2
READ: Final = 4
UPDATE: Final = 8
DELETE: Final = 16
LIST: Final = 32
SUDO: Final = 64
PATCH: Final = 128
SCAN: Final = 256
SUBSCRIBE: Final = 512
RECOVER: Final = 1024

BITS: Final = {
    "deny": DENY,
    "create": CREATE,
    "read": READ,
    "update": UPDATE,
    "delete": DELETE,
    "list": LIST,
    "sudo": SUDO,
    "patch": PATCH,
    "scan": SCAN,
    "subscribe": SUBSCRIBE,
    "recover": RECOVER,
}
"""Vault's names, and OpenBao's `scan`."""

OLD_POLICIES: Final = {
    "deny": DENY,
    "read": READ | LIST,
    "write": CREATE | READ | UPDATE | DELETE | LIST,
    "sudo": CREATE | READ | UPDATE | DELETE | LIST | SUDO,
}
"""What `policy = "..."` meant before there were capabilities."""

NEEDED: Final = {
    Operation.READ: READ,
    Operation.CREATE: CREATE,
    Operation.UPDATE: UPDATE,
    Operation.PATCH: PATCH,
    Operation.DELETE: DELETE,
    Operation.LIST: LIST,
    Operation.SCAN: SCAN,
    Operation.RENEW: UPDATE,
    Operation.REVOKE: UPDATE,
    Operation.ROLLBACK: UPDATE,
}
"""The capability each operation needs; help needs none."""

_GRANTS: Final = tuple(sorted((name, bit) for name, bit in BITS.items() if bit != DENY))


def capability_names(bits: int) -> tuple[str, ...]:
    """Sorted names; `("deny",)` for nothing or for an explicit deny."""
    if bits & DENY or not bits:
        return ("deny",)
    return tuple(name for name, bit in _GRANTS if bits & bit)
