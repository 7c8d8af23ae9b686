"""What a SIGHUP changes in a running server, and what waits for a restart. Pure."""

from dataclasses import dataclass, fields, replace
from typing import Final

from strongroom_node.config.listener import ListenerConfig
from strongroom_node.config.schema import ServerConfig

RELOADED: Final = frozenset(
    {
        "audit_file_dirs",
        "allow_audit_log_prefixing",
        "introspection_endpoint",
        "log_level",
        "log_requests_level",
        "unsafe_allow_api_audit_creation",
        "user_lockout",
    }
)
"""Top-level settings taken up while running."""

RELOADED_OF_LISTENER: Final = frozenset(
    {
        "cors_allow_credentials",
        "cors_allowed_headers",
        "cors_allowed_origins",
        "cors_enabled",
        "custom_response_headers",
        "tls_cert_file",
        "tls_client_ca_file",
        "tls_key_file",
    }
)
"""Settings of a listener that stays; the content of its certificate files is read again in any case."""


@dataclass(frozen=True, slots=True)
class Reload:
    """What to do. Names are those of the configuration."""

    config: ServerConfig
    """What holds from now on: the old configuration with what can be taken up."""
    changed: tuple[str, ...] = ()
    """Top-level settings whose new value is in `config`."""
    listeners: tuple[ListenerConfig, ...] = ()
    """TCP listeners with TLS: read their certificates again."""
    needs_restart: tuple[str, ...] = ()
    """Settings that differ and keep their old value."""


def plan_reload(old: ServerConfig, new: ServerConfig) -> Reload:
    """Compare a running configuration with a freshly loaded one."""
    changed: list[str] = []
    waiting: list[str] = []
    for declared in fields(ServerConfig):
        name = declared.name
        if name == "listeners" or getattr(old, name) == getattr(new, name):
            continue
        (changed if name in RELOADED else waiting).append(name)
    listeners, waiting_listeners = _listeners(old, new)
    config = replace(old, listeners=listeners, **{name: getattr(new, name) for name in changed})
    return Reload(
        config,
        tuple(changed),
        tuple(listener for listener in listeners if listener.type == "tcp" and not listener.tls_disable),
        (*waiting, *waiting_listeners),
    )


def _listeners(old: ServerConfig, new: ServerConfig) -> tuple[tuple[ListenerConfig, ...], list[str]]:
    """Running listeners with what they can take up, and the rest as `listener ADDRESS: SETTING`."""
    wanted = {(listener.type, listener.address): listener for listener in new.listeners}
    kept: list[ListenerConfig] = []
    waiting: list[str] = []
    for listener in old.listeners:
        other = wanted.pop((listener.type, listener.address), None)
        if other is None:
            waiting.append(f"listener {listener.address}: removed")
            kept.append(listener)
            continue
        changes = {
            declared.name: getattr(other, declared.name)
            for declared in fields(ListenerConfig)
            if declared.compare and getattr(listener, declared.name) != getattr(other, declared.name)
        }
        waiting += [f"listener {listener.address}: {name}" for name in changes if name not in RELOADED_OF_LISTENER]
        kept.append(replace(listener, **{k: v for k, v in changes.items() if k in RELOADED_OF_LISTENER}))
    waiting += [f"listener {address}: added" for _, address in wanted]
    return tuple(kept), waiting
