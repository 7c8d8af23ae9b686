"""What `sys/mounts` and `sys/auth` have in common: reading, checking and writing mount entries."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from strongroom_node.core.mounts import PROTECTED, Mount, MountConfig, mount_path, new_accessor
from strongroom_node.engines.registry import ALIASES
from strongroom_node.sdk.durations import DurationInvalid, parse_duration
from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import Bool, Field, Map, StringList, Text, coerce_fields
from strongroom_storage.crypto.entropy import random_uuid

if TYPE_CHECKING:
    from strongroom_node.core.core import Core

TOKEN_TYPES = ("default-service", "default-batch", "service", "batch")
VISIBILITIES = ("", "hidden", "unauth")
VERSION = "v1.15.2+builtin.vault"
_LISTS = (
    "audit_non_hmac_request_keys",
    "audit_non_hmac_response_keys",
    "passthrough_request_headers",
    "allowed_response_headers",
)

ENABLE_FIELDS: dict[str, Field] = {
    "type": Text("Kind of engine, such as kv or userpass."),
    "description": Text("What the mount is for."),
    "config": Map("Configuration of the mount: leases, visibility, headers."),
    "options": Map("Options of the engine, such as version for kv."),
    "local": Bool("Keep the mount out of replication.", default=False),
    "seal_wrap": Bool("Wrap critical values by the seal as well.", default=False),
    "external_entropy_access": Bool("Take entropy from the seal.", default=False),
    "plugin_name": Text("Name of the plugin; the old way of saying type."),
    "plugin_version": Text("Version of the plugin."),
}

TUNE_FIELDS: dict[str, Field] = {
    "default_lease_ttl": Text("Default lease duration; `system` for the server's."),
    "max_lease_ttl": Text("Longest lease duration; `system` for the server's."),
    "description": Text("What the mount is for."),
    "audit_non_hmac_request_keys": StringList("Request keys that audit devices show in clear."),
    "audit_non_hmac_response_keys": StringList("Response keys that audit devices show in clear."),
    "options": Map("Options of the engine."),
    "listing_visibility": Text("`unauth` shows the mount to those without a token."),
    "passthrough_request_headers": StringList("Request headers handed to the engine."),
    "allowed_response_headers": StringList("Response headers that the engine may set."),
    "token_type": Text("Kind of tokens an auth method gives."),
    "plugin_version": Text("Version of the plugin."),
    "user_lockout_config": Map("When users are locked out after failed logins."),
}


def describe(mount: Mount) -> dict[str, Any]:
    """A mount as `sys/mounts` shows it."""
    shown: dict[str, Any] = {
        "accessor": mount.accessor,
        "config": describe_config(mount),
        "description": mount.description,
        "external_entropy_access": mount.external_entropy_access,
        "local": mount.local,
        "options": mount.options,
        "plugin_version": mount.plugin_version,
        "running_plugin_version": VERSION,
        "running_sha256": "",
        "seal_wrap": mount.seal_wrap,
        "type": mount.type,
        "uuid": mount.uuid,
    }
    if mount.path not in {"sys/", "cubbyhole/", "identity/", "auth/token/"}:
        shown["deprecation_status"] = "supported"
    return shown


def describe_config(mount: Mount) -> dict[str, Any]:
    """The `config` map of a mount: only lease durations and force_no_cache are always there."""
    config = mount.config
    shown: dict[str, Any] = {
        "default_lease_ttl": int(config.default_lease_ttl),
        "force_no_cache": config.force_no_cache,
        "max_lease_ttl": int(config.max_lease_ttl),
        **_optional(config),
    }
    if mount.is_auth:
        shown["token_type"] = config.token_type or "default-service"
    return shown


def describe_tune(core: "Core", mount: Mount) -> dict[str, Any]:
    """A mount as its `tune` path shows it: effective lease durations."""
    default, longest = core.mounts.ttls(mount)
    shown: dict[str, Any] = {
        "default_lease_ttl": int(default),
        "description": mount.description,
        "force_no_cache": mount.config.force_no_cache,
        "max_lease_ttl": int(longest),
        **_optional(mount.config),
    }
    if mount.is_auth:
        shown["token_type"] = mount.config.token_type or "default-service"
    if mount.options:
        shown["options"] = mount.options
    return shown


def _optional(config: MountConfig) -> dict[str, Any]:
    shown: dict[str, Any] = {name: list(getattr(config, name)) for name in _LISTS if getattr(config, name)}
    if config.listing_visibility:
        shown["listing_visibility"] = config.listing_visibility
    if config.user_lockout:
        shown["user_lockout_config"] = config.user_lockout
    return shown


def tuned(core: "Core", mount: Mount, given: dict[str, Any]) -> MountConfig:
    """The mount's configuration with the given tune fields in force. Raises BadRequest."""
    given = {name: value for name, value in given.items() if value is not None}
    if given.get("listing_visibility", "") not in VISIBILITIES:
        raise BadRequest("invalid value for 'listing_visibility'")
    if "token_type" in given:
        _check_token_type(mount, given["token_type"])
    changes = {new: read(given[name]) for name, (new, read) in _READERS.items() if name in given}
    config = msgspec.structs.replace(mount.config, **changes)
    if config.default_lease_ttl > (config.max_lease_ttl or core.mounts.system_ttl_max):
        raise BadRequest("given default lease TTL greater than given max lease TTL")
    return config


def _list_of(name: str, value: Any) -> tuple[str, ...]:
    return tuple(coerce_fields(TUNE_FIELDS, {name: value})[name])


def _check_token_type(mount: Mount, token_type: Any) -> None:
    if not mount.is_auth:
        raise BadRequest("'token_type' can only be modified on auth mounts")
    if mount.type == "token":
        raise BadRequest("'token_type' cannot be set for 'token' auth mount")
    if token_type not in TOKEN_TYPES:
        raise BadRequest("invalid value for 'token_type'")


def _lease_ttl(word: str, value: Any) -> float:
    if value in {"system", ""}:
        return 0.0
    try:
        seconds = parse_duration(value) if isinstance(value, (str, int, float)) else -1.0
    except DurationInvalid as error:
        raise BadRequest(f"unable to parse {word} TTL of {str(value)[:64]}: {error}") from error
    if seconds < 0:
        raise BadRequest(f"given {word} lease TTL is negative")
    return seconds


def _as_given(value: Any) -> Any:
    return value


_READERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "default_lease_ttl": ("default_lease_ttl", partial(_lease_ttl, "default")),
    "max_lease_ttl": ("max_lease_ttl", partial(_lease_ttl, "max")),
    **{name: (name, partial(_list_of, name)) for name in _LISTS},
    "listing_visibility": ("listing_visibility", _as_given),
    "token_type": ("token_type", _as_given),
    "user_lockout_config": ("user_lockout", dict),
    "force_no_cache": ("force_no_cache", bool),
}
"""Tune field to the entry's field, and how its value is read."""


def new_mount(core: "Core", path: str, given: dict[str, Any], *, is_auth: bool) -> Mount:
    """A checked entry for a new mount. Raises BadRequest in Vault's order and words."""
    kind = given.get("type") or ""
    if kind == "plugin" or not kind:
        kind = given.get("plugin_name") or ""
    if not kind:
        raise BadRequest("backend type must be specified as a string")
    options = _options(given.get("options"))
    if not is_auth and kind in ALIASES:
        kind, implied = ALIASES[kind]
        options = {**options, **implied}
    full = mount_path(path, is_auth=is_auth)
    if not is_auth and (full in PROTECTED or full.startswith(tuple(PROTECTED))):
        raise BadRequest(f'cannot mount "{full}"')
    mount = Mount(
        uuid=random_uuid(),
        path=full,
        type=kind,
        accessor=new_accessor(f"auth_{kind}" if is_auth else kind),
        is_auth=is_auth,
        description=str(given.get("description") or ""),
        options=options,
        local=bool(given.get("local")),
        seal_wrap=bool(given.get("seal_wrap")),
        external_entropy_access=bool(given.get("external_entropy_access")),
        plugin_version=str(given.get("plugin_version") or ""),
        created=core.now(),
    )
    config = given.get("config") or {}
    if is_auth and given.get("token_type") is not None:
        config = {**config, "token_type": given["token_type"]}
    mount = msgspec.structs.replace(mount, config=tuned(core, mount, config))
    core.mounts.check_free(full)
    core.check_type(mount)
    return mount


def _options(given: Any) -> dict[str, str]:
    if not given:
        return {}
    return {str(name): str(value) for name, value in dict(given).items()}
