"""Policies every cluster has."""

from typing import Final

DEFAULT_TEXT: Final = """
# What every token may do, unless it was made without this policy.
# It can be changed; it cannot be deleted.

# See what this token is, make it last longer, give it up.
path "auth/token/lookup-self" {
    capabilities = ["read"]
}
path "auth/token/renew-self" {
    capabilities = ["update"]
}
path "auth/token/revoke-self" {
    capabilities = ["update"]
}

# Ask what this token may do on a path.
path "sys/capabilities-self" {
    capabilities = ["update"]
}

# Read the entity this token belongs to.
path "identity/entity/id/{{identity.entity.id}}" {
    capabilities = ["read"]
}
path "identity/entity/name/{{identity.entity.name}}" {
    capabilities = ["read"]
}

# The sum of all policies of this token, which user interfaces ask for.
path "sys/internal/ui/resultant-acl" {
    capabilities = ["read"]
}

# Look up or renew a lease whose id is known.
path "sys/leases/lookup" {
    capabilities = ["update"]
}
path "sys/leases/renew" {
    capabilities = ["update"]
}

# The token's own cubbyhole.
path "cubbyhole/*" {
    capabilities = ["create", "read", "update", "delete", "list"]
}

# Wrap values, look at a wrapping token, unwrap.
path "sys/wrapping/wrap" {
    capabilities = ["update"]
}
path "sys/wrapping/lookup" {
    capabilities = ["update"]
}
path "sys/wrapping/unwrap" {
    capabilities = ["update"]
}

# Hashes of given data.
path "sys/tools/hash" {
    capabilities = ["update"]
}
path "sys/tools/hash/*" {
    capabilities = ["update"]
}

# The state of a control group request.
path "sys/control-group/request" {
    capabilities = ["update"]
}

# Sign in to applications through the identity provider.
path "identity/oidc/provider/+/authorize" {
    capabilities = ["read", "update"]
}
"""
"""Grants what Vault's default policy grants.

`sys/renew`, the path of clients before 0.9, is left out as in OpenBao: `sys/leases/renew` does the same.
"""

RESPONSE_WRAPPING_TEXT: Final = """
path "cubbyhole/response" {
    capabilities = ["create", "read"]
}
path "sys/wrapping/unwrap" {
    capabilities = ["update"]
}
"""
"""What a response-wrapping token may do."""

CONTROL_GROUP_TEXT: Final = """
path "cubbyhole/control-group" {
    capabilities = ["update", "create", "read"]
}
path "sys/wrapping/unwrap" {
    capabilities = ["update"]
}
"""
"""What a control group's token may do."""

BUILTIN_TEXTS: Final = {
    "default": DEFAULT_TEXT,
    "response-wrapping": RESPONSE_WRAPPING_TEXT,
    "control-group": CONTROL_GROUP_TEXT,
    "root": "",
}

IMMUTABLE: Final = frozenset({"root", "response-wrapping", "control-group"})
"""Policies nobody may write or delete."""

INTERNAL: Final = frozenset({"response-wrapping", "control-group"})
"""Policies that lists leave out and that nobody may give to a token."""
