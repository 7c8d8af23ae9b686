"""Which paths of `sys/` and `auth/token/` ask for sudo: Vault 1.15's root-protected list, as far as it is served here."""

import pytest

from strongroom_node.sdk import errors
from strongroom_node.sdk.request import Operation

PROTECTED = [
    ("list", "auth/token/accessors/"),
    ("read", "sys/audit"),
    ("update", "sys/audit/file"),
    ("delete", "sys/audit/file"),
    ("read", "sys/auth/token"),
    ("update", "sys/auth/up"),
    ("delete", "sys/auth/up"),
    ("read", "sys/auth/token/tune"),
    ("update", "sys/auth/token/tune"),
    ("read", "sys/config/auditing/request-headers"),
    ("update", "sys/config/auditing/request-headers/x"),
    ("read", "sys/config/cors"),
    ("update", "sys/config/cors"),
    ("list", "sys/config/ui/headers/"),
    ("update", "sys/config/ui/headers/x"),
    ("read", "sys/leases"),
    ("list", "sys/leases/lookup/"),
    ("list", "sys/leases/lookup/auth/"),
    ("update", "sys/leases/revoke-prefix/auth"),
    ("update", "sys/leases/revoke-force/auth"),
    ("update", "sys/revoke-prefix/auth"),
    ("update", "sys/revoke-force/auth"),
    ("list", "sys/plugins/catalog/secret/"),
    ("read", "sys/plugins/catalog/secret/kv"),
    ("update", "sys/plugins/catalog/secret/kv"),
    ("read", "sys/raw"),
    ("read", "sys/raw/core/mounts"),
    ("list", "sys/raw/core/"),
    ("update", "sys/remount"),
    ("update", "sys/rotate"),
    ("update", "sys/seal"),
    ("update", "sys/step-down"),
]


@pytest.mark.parametrize(("operation", "path"), PROTECTED)
async def test_every_capability_but_sudo_is_not_enough(node, operation, path):
    await node.policy("all", 'path "*" { capabilities = ["create", "read", "update", "patch", "delete", "list"] }')
    refused = await node.refusal(operation, path, await node.token("all"))
    assert isinstance(refused, errors.PolicyDenied)


async def test_looking_one_lease_up_asks_for_no_sudo(node):
    await node.policy("all", 'path "*" { capabilities = ["update"] }')
    token = await node.token("all")
    assert isinstance(await node.refusal("update", "sys/leases/lookup", token, lease_id="x"), errors.BadRequest)


def test_no_open_path_asks_for_sudo(node):
    """Open paths skip the policies, and with them the question for sudo."""
    for mount in node.core.mounts.all().values():
        for path in node.core.router.of(mount).table.paths:
            assert not (path.unauthenticated and path.sudo), path.pattern
            assert path.handler(Operation.REVOKE) is None
