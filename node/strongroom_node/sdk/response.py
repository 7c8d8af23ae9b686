"""What a request is answered with."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Secret:
    """Asks the core to lease what the response hands out.

    `ttl` and `max_ttl` are seconds, 0 meaning the mount's own; `internal` is stored with the lease and given
    back on renewal and revocation; `kind` names the engine's `SecretType`.
    """

    kind: str
    ttl: float = 0.0
    max_ttl: float = 0.0
    renewable: bool = True
    internal: dict[str, Any] = field(default_factory=dict, repr=False)
    lease_id: str = ""


@dataclass(slots=True)
class Auth:
    """Asks the core for a token (an auth method's answer), or tells of one that was made.

    The `token_*` wishes are capped by the core. All durations are seconds, 0 meaning unset.
    """

    policies: list[str] = field(default_factory=list)
    display_name: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    internal: dict[str, Any] = field(default_factory=dict, repr=False)
    alias_name: str = ""
    alias_metadata: dict[str, str] = field(default_factory=dict)
    group_aliases: list[str] = field(default_factory=list)
    ttl: float = 0.0
    max_ttl: float = 0.0
    explicit_max_ttl: float = 0.0
    period: float = 0.0
    num_uses: int = 0
    renewable: bool = True
    bound_cidrs: list[str] = field(default_factory=list)
    strictly_bind_ip: bool = False
    no_default_policy: bool = False
    token_type: str = "default"

    client_token: str = field(default="", repr=False)
    accessor: str = ""
    token_policies: list[str] = field(default_factory=list)
    identity_policies: list[str] = field(default_factory=list)
    entity_id: str = ""
    orphan: bool = True
    lease_duration: int = 0
    mfa_requirement: dict[str, Any] | None = None


@dataclass(slots=True)
class WrapInfo:
    """What stands in for a wrapped response. `ttl` is seconds, `creation_time` RFC 3339."""

    token: str = field(repr=False)
    accessor: str
    ttl: int
    creation_time: str
    creation_path: str
    wrapped_accessor: str = ""


@dataclass(slots=True)
class Raw:
    """A body that is sent as it is, outside the envelope."""

    body: bytes = field(repr=False)
    content_type: str = "application/json"
    status: int = 200


@dataclass(slots=True)
class Response:
    """An engine's answer; `None` instead of a response means "done, nothing to say" (204).

    `flat` repeats `data` at the top level, as several `sys/` answers do. `missing` marks data that describes an
    absence (404 with a full envelope, as a deleted KV v2 version). `status` overrides the usual code where
    Vault does so too (a batch with failed items is 400 with data).
    """

    data: dict[str, Any] | None = None
    auth: Auth | None = None
    secret: Secret | None = None
    warnings: list[str] = field(default_factory=list)
    wrap_info: WrapInfo | None = None
    wrap_ttl: float = 0.0
    raw: Raw | None = None
    headers: dict[str, str] = field(default_factory=dict)
    flat: bool = False
    missing: bool = False
    status: int = 0
    lease_duration: int = 0
    """Seconds shown without a lease, as KV v1 does for `ttl`."""

    def warn(self, message: str) -> None:
        """Add a warning for the caller."""
        self.warnings.append(message)


def listing(keys: list[str], key_info: dict[str, Any] | None = None) -> Response | None:
    """The answer to a LIST; `None` keys nothing: an empty list is answered as not found by the core."""
    data: dict[str, Any] = {}
    if keys:
        data["keys"] = keys
    if key_info:
        data["key_info"] = key_info
    return Response(data=data)
