"""A mounted secrets engine or auth method, as its table entry tells."""

from typing import Any

import msgspec


class MountConfig(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `tune` sets. Durations are seconds, 0 meaning the system's."""

    default_lease_ttl: float = 0.0
    max_lease_ttl: float = 0.0
    listing_visibility: str = ""
    token_type: str = ""
    audit_non_hmac_request_keys: tuple[str, ...] = ()
    audit_non_hmac_response_keys: tuple[str, ...] = ()
    passthrough_request_headers: tuple[str, ...] = ()
    allowed_response_headers: tuple[str, ...] = ()
    user_lockout: dict[str, Any] = {}
    force_no_cache: bool = False


class Mount(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of the mount table.

    `path` ends with a slash and, for auth methods, begins with `auth/`. `uuid` names the storage of the mount.
    """

    uuid: str
    path: str
    type: str
    accessor: str
    is_auth: bool = False
    description: str = ""
    config: MountConfig = MountConfig()
    options: dict[str, str] | None = None
    local: bool = False
    seal_wrap: bool = False
    external_entropy_access: bool = False
    plugin_version: str = ""
    tainted: bool = False
    created: float = 0.0

    @property
    def storage_prefix(self) -> str:
        """Where the mount's data lives below the barrier."""
        return f"{'auth' if self.is_auth else 'logical'}/{self.uuid}/"
