"""Sources to one `ServerConfig`: merge in order, then the environment, then checks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from strongroom_node.config import availability, values
from strongroom_node.config.addresses import AddressInvalid, expand_template
from strongroom_node.config.decode import decode
from strongroom_node.config.environment import apply_environment
from strongroom_node.config.listener import ListenerConfig, decode_listener
from strongroom_node.config.notices import notices_of
from strongroom_node.config.report import ConfigInvalid, Notice, Place, Report
from strongroom_node.config.schema import LEASE_TTL_SECONDS, SCALARS, ServerConfig
from strongroom_node.config.seal import SealConfig, decode_seal
from strongroom_node.config.sources import Source, read_sources
from strongroom_node.config.storage import StorageConfig, decode_storage, stanza
from strongroom_node.config.telemetry import decode_telemetry
from strongroom_node.hcl import Block, HCLError, ObjectValue, to_plain

LISTENERS_MAX: Final = 64
SEALS_MAX: Final = 8

_STORAGE: Final = {"storage": "storage", "backend": "storage", "ha_storage": "ha_storage", "ha_backend": "ha_storage"}
_BLOCKS: Final = frozenset(
    {*_STORAGE, "listener", "seal", "telemetry", "service_registration", "user_lockout", *availability.BLOCKS}
)
_LOCKOUT: Final = {
    "lockout_threshold": ("lockout_threshold", values.whole),
    "lockout_duration": ("lockout_duration", values.duration),
    "lockout_counter_reset": ("lockout_counter_reset", values.duration),
    "disable_lockout": ("disable_lockout", values.boolean),
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration and what its writer should know about it."""

    config: ServerConfig
    notices: tuple[Notice, ...]
    given: Mapping[str, Place]
    """Where each top-level setting that was written down stands."""


@dataclass(slots=True)
class _Merge:
    """What the sources up to now come to."""

    scalars: dict[str, Any] = field(default_factory=dict)
    listeners: list[tuple[ListenerConfig, Place]] = field(default_factory=list)
    seals: list[SealConfig] = field(default_factory=list)
    lockout: dict[str, dict[str, Any]] = field(default_factory=dict)
    given: dict[str, Place] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)


def load(
    paths: Sequence[str | Path],
    environ: Mapping[str, str],
    base: ServerConfig | None = None,
    *,
    is_reload: bool = False,
) -> Loaded:
    """Read files, folders and the environment, over `base` if there is one (the development server's).

    On a reload the log level of the files counts more than that of the environment, as in Vault: else nobody
    could change it in a running server. Raises ConfigInvalid.
    """
    return merge(read_sources(paths, environ), environ, base, is_reload=is_reload)


def merge(
    sources: Sequence[Source], environ: Mapping[str, str], base: ServerConfig | None = None, *, is_reload: bool = False
) -> Loaded:
    """One configuration out of sources, the later winning. Raises ConfigInvalid."""
    base = base or ServerConfig()
    start = Place("the built-in configuration")
    state = _Merge(listeners=[(listener, start) for listener in base.listeners], seals=list(base.seals))
    for source in sources:
        report = Report(source.name)
        try:
            _add(state, source.tree, report)
        except HCLError as error:
            raise report.invalid(error) from None
        state.notices += report.notices
    config = replace(
        base,
        **state.scalars,
        listeners=tuple(listener for listener, _ in state.listeners),
        seals=tuple(state.seals),
        user_lockout={**base.user_lockout, **state.lockout},
    )
    passed_over = {"log_level"} if is_reload and "log_level" in state.given else set()
    config = _with_lease_ttls(_with_addresses(apply_environment(config, environ, passed_over)), state.given)
    _check(config)
    state.notices += notices_of(config, state.given)
    return Loaded(config, tuple(state.notices), state.given)


def _add(state: _Merge, tree: ObjectValue, report: Report) -> None:
    """Put one source over what is there. Raises HCLError."""
    state.scalars |= decode(SCALARS, tree, report, _BLOCKS)
    for item in tree.items:
        known = SCALARS.get(item.name)
        state.given[known[0] if known else _STORAGE.get(item.name, item.name)] = report.place(item.position)
    _add_storage(state, tree, report)
    for block in stanza(tree, "listener"):
        _add_listener(state, decode_listener(block, report), report.place(block.position))
    state.seals += [decode_seal(block, report) for block in stanza(tree, "seal")]
    if len(state.listeners) > LISTENERS_MAX or len(state.seals) > SEALS_MAX:
        raise HCLError(tree.position, "too many listener or seal stanzas")
    for block in stanza(tree, "telemetry", labels=0):
        state.scalars["telemetry"] = decode_telemetry(block.body, report)
    for block in stanza(tree, "service_registration"):
        kind = block.labels[0] if block.labels else ""
        state.scalars["service_registration"] = {kind: to_plain(block.body)}
    for block in stanza(tree, "user_lockout"):
        _add_lockout(state, block, report)


def _add_storage(state: _Merge, tree: ObjectValue, report: Report) -> None:
    """A later source replaces the whole stanza; one source has only one, under whichever name."""
    seen: set[str] = set()
    for name, target in _STORAGE.items():
        for block in stanza(tree, name):
            if target in seen:
                raise HCLError(block.position, f"only one {target} stanza is allowed")
            seen.add(target)
            state.scalars[target] = decode_storage(name, block, report)


def _add_lockout(state: _Merge, block: Block, report: Report) -> None:
    kind = block.labels[0].lower() if block.labels else "all"
    if kind not in ("all", "userpass", "ldap", "approle"):
        raise HCLError(block.position, f'user_lockout "{kind}": there are all, userpass, ldap and approle')
    state.lockout.setdefault(kind, {}).update(decode(_LOCKOUT, block.body, report))


def _add_listener(state: _Merge, listener: ListenerConfig, place: Place) -> None:
    """Append; one that binds the same address as an earlier one takes its place, which Vault could not bind twice."""
    for index, (earlier, where) in enumerate(state.listeners):
        if (earlier.type, earlier.address) == (listener.type, listener.address):
            text = f"listener on {listener.address} replaces the one configured at {where}"
            state.notices.append(Notice(text, place))
            state.listeners[index] = (listener, place)
            return
    state.listeners.append((listener, place))


def _with_addresses(config: ServerConfig) -> ServerConfig:
    """Templates filled in; what stands in a storage stanza, as it did long ago, counts if nothing else is said."""
    old: Mapping[str, Any] = config.storage.settings if config.storage is not None else {}
    try:
        return replace(
            config,
            api_addr=expand_template(config.api_addr or old.get("api_addr", "") or old.get("redirect_addr", "")),
            cluster_addr=expand_template(config.cluster_addr or old.get("cluster_addr", "")),
            disable_clustering=config.disable_clustering or bool(old.get("disable_clustering", False)),
        )
    except AddressInvalid as error:
        raise ConfigInvalid(str(error)) from None


def _with_lease_ttls(config: ServerConfig, given: Mapping[str, Place]) -> ServerConfig:
    """0 means the built-in value; a default that was not given follows a shorter maximum. Raises ConfigInvalid."""
    longest = config.max_lease_ttl or LEASE_TTL_SECONDS
    default = config.default_lease_ttl or min(LEASE_TTL_SECONDS, longest)
    if default > longest:
        if "default_lease_ttl" in given:
            raise ConfigInvalid(f"{given['default_lease_ttl']}: default_lease_ttl is longer than max_lease_ttl")
        default = longest
    return replace(config, default_lease_ttl=default, max_lease_ttl=longest)


def _check(config: ServerConfig) -> None:
    """What no version could start with, and what this one cannot. Raises ConfigInvalid."""
    if config.storage is None:
        raise ConfigInvalid("A storage backend must be specified")
    _check_storage(config.storage)
    if not config.listeners:
        raise ConfigInvalid("at least one listener must be configured")
    for seal in config.seals:
        if not availability.has_seal(seal.type):
            known = ", ".join(sorted(availability.SEAL_TYPES))
            raise ConfigInvalid(
                f'{_at(seal.place)}seal "{seal.type}" is not available in this version; there are {known}'
            )
    active = [seal for seal in config.seals if not seal.disabled]
    if len(active) > 1:
        raise ConfigInvalid(f"{_at(active[1].place)}several seals at once are not available in this version")


def _at(place: Place | None) -> str:
    return "" if place is None else f"{place}: "


def _check_storage(storage: StorageConfig) -> None:
    if storage.type not in availability.STORAGE_TYPES:
        known = ", ".join(sorted(availability.STORAGE_TYPES))
        reason = f"unknown storage type {storage.type}"
        if storage.type in availability.KNOWN_STORAGE_TYPES:
            reason = f'storage "{storage.type}" is not available in this version'
        raise ConfigInvalid(f"{_at(storage.place)}{reason}; there are {known}")
    if storage.type in ("file", "raft") and not storage.path:
        raise ConfigInvalid(f"{_at(storage.place)}'path' must be set")
