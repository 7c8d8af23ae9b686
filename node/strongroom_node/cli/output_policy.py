"""The policy a request needs, for `-output-policy`."""

import re
from typing import Final

from strongroom_node.client.request import Request

CAPABILITIES: Final = {
    "GET": ["read"],
    "LIST": ["list"],
    "PATCH": ["patch"],
    "DELETE": ["delete"],
    "PUT": ["create", "update"],
    "POST": ["create", "update"],
}
# Paths Vault protects with sudo. `{}` is one segment, `{*}` the rest.
SUDO: Final = (
    "auth/token/accessors",
    "auth/token/revoke-orphan",
    "auth/{}/oidc/roles",
    "pki/root",
    "pki/root/sign-self-issued",
    "sys/audit",
    "sys/audit/{*}",
    "sys/auth/{*}",
    "sys/config/auditing/request-headers",
    "sys/config/auditing/request-headers/{}",
    "sys/config/cors",
    "sys/config/ui/headers",
    "sys/config/ui/headers/{}",
    "sys/internal/inspect/router/{}",
    "sys/internal/counters/activity/export",
    "sys/leases",
    "sys/leases/lookup/{*}",
    "sys/leases/revoke-force/{*}",
    "sys/leases/revoke-prefix/{*}",
    "sys/plugins/catalog/{}",
    "sys/plugins/catalog/{}/{}",
    "sys/raw",
    "sys/raw/{*}",
    "sys/remount",
    "sys/revoke-force/{*}",
    "sys/revoke-prefix/{*}",
    "sys/rotate",
    "sys/seal",
    "sys/step-down",
    "sys/storage/raft/snapshot-auto/config",
    "sys/storage/raft/snapshot-auto/config/{}",
)


def policy_for(request: Request) -> str:
    """One stanza of HCL that allows the request."""
    method = "LIST" if request.method == "GET" and "list=true" in request.url.partition("?")[2] else request.method
    capabilities = list(CAPABILITIES.get(method, ["read"]))
    if is_sudo_path(request.path):
        capabilities.append("sudo")
    words = ", ".join(f'"{word}"' for word in capabilities)
    path = request.path.replace("\\", "\\\\").replace('"', '\\"')
    return f'path "{path}" {{\n  capabilities = [{words}]\n}}'


def is_sudo_path(path: str) -> bool:
    """Whether the path needs the sudo capability."""
    return any(re.fullmatch(_pattern(template), path) for template in SUDO)


def _pattern(template: str) -> str:
    return re.escape(template).replace(r"\{\*\}", ".+").replace(r"\{\}", "[^/]+")
