"""How a token is shown."""

from typing import Any

from strongroom_node.sdk.response import Auth
from strongroom_node.sdk.timestamps import format_micros, micros
from strongroom_node.sdk.token import TokenEntry
from strongroom_node.tokens.policies import sanitized
from strongroom_node.tokens.ttl import remaining


def auth(entry: TokenEntry, token: str, identity_policies: tuple[str, ...]) -> Auth:
    """The `auth` block of an answer that hands out or renews a token; `token` is empty where it must not be shown."""
    return Auth(
        policies=list(sanitized([*entry.policies, *identity_policies], add_default=False)),
        token_policies=list(entry.policies),
        identity_policies=list(identity_policies),
        display_name=entry.display_name,
        metadata=entry.meta,
        client_token=token,
        accessor=entry.accessor,
        entity_id=entry.entity_id,
        num_uses=entry.num_uses,
        renewable=entry.renewable,
        token_type=entry.type,
        orphan=entry.is_orphan,
        lease_duration=int(entry.ttl),
        bound_cidrs=list(entry.bound_cidrs),
    )


def description(entry: TokenEntry, token: str, identity_policies: tuple[str, ...], now: float) -> dict[str, Any]:
    """What a lookup answers."""
    data: dict[str, Any] = {
        "accessor": entry.accessor,
        "creation_time": int(entry.creation_time),
        "creation_ttl": int(entry.creation_ttl),
        "display_name": entry.display_name,
        "entity_id": entry.entity_id,
        "expire_time": timestamp(entry.expire_time),
        "explicit_max_ttl": int(entry.explicit_max_ttl),
        "id": token,
        "meta": entry.meta or None,
        "num_uses": entry.num_uses,
        "orphan": entry.is_orphan,
        "path": entry.path,
        "policies": list(entry.policies),
        "ttl": remaining(entry.expire_time, now),
        "type": entry.type,
    }
    if entry.lease_id or entry.type == "batch":
        # The first root token has no lease, and so nothing to say about one.
        data["issue_time"] = timestamp(entry.creation_time)
        data["renewable"] = entry.renewable
    if entry.last_renewal:
        data["last_renewal"] = timestamp(entry.last_renewal)
        data["last_renewal_time"] = int(entry.last_renewal)
    if entry.role:
        data["role"] = entry.role
    if entry.period:
        data["period"] = int(entry.period)
    if entry.bound_cidrs:
        data["bound_cidrs"] = list(entry.bound_cidrs)
    if identity_policies:
        data["identity_policies"] = list(identity_policies)
        data["external_namespace_policies"] = {}
    return data


def timestamp(at: float) -> str | None:
    """A point in time in RFC 3339; None for none."""
    return format_micros(micros(at)) if at else None
